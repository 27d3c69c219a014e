"""The command line's side of the wire: speaks the API over HTTP, and knows nothing of the server's inside."""
