"""Media from URLs: from public addresses only, within limits of size and time."""
