"""Interactions: requests that are stored, continued, and worked on while nobody waits. No HTTP in it."""
