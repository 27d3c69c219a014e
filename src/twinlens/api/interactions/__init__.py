"""The Interactions API: requests that are stored, continued, and worked on while nobody waits."""
