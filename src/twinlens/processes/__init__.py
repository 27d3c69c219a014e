"""Processes for work that must not block the server: forked in milliseconds, called, ended."""
