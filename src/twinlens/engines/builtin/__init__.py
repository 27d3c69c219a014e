"""The default engine: facts read from the pixels, and answers made of facts only."""
