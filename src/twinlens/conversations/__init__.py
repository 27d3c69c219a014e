"""Interactions: requests that are stored, continued, and run in the background. No HTTP in it."""
