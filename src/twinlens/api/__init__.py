"""HTTP in, HTTP out: each handler reads, calls and writes."""
