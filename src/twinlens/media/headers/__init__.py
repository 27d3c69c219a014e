"""What a medium is, by its first bytes. Pure Python, run in the server process; nothing is decoded."""
