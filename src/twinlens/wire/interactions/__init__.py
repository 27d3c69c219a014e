"""The Interactions dialect: its requests, its resource, its events and its errors."""
