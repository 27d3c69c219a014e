"""JSON dialects to domain and back: pure functions."""
