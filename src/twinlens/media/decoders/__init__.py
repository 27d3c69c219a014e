"""Decoding to a budget. Run in worker processes only: the one place that calls a decoder library."""
