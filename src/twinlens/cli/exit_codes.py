"""How the command ends, where 0 and 1 do not say enough."""

INTERRUPTED = 130
"""By Ctrl-C: 128 and the number of SIGINT, as shells write it."""
