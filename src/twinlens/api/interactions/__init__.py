"""The Interactions API over HTTP."""
