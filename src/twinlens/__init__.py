"""twinlens: the self-hosted twin of the Gemini multimodal-understanding API."""

__version__ = "0.1.0"
