"""Answers about sound: when somebody speaks and, with a speech model, what is said."""
