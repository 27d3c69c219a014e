"""Processes for work that must not hold up the server: forked in milliseconds, called, ended."""
