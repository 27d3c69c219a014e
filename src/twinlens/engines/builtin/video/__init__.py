"""Answers about videos: what their frames show over time, their cuts and their sound."""
