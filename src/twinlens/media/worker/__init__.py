"""Worker processes that decode untrusted media: their pool, their protocol, and what runs in them.

`main`, `reporting`, `source` and `time_slice` run in a worker; all else in the server.
"""
