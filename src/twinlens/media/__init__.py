"""Bytes from strangers to items within a budget."""
