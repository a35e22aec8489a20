"""Groundswell: notice what people start to talk about, and show who and what is behind it."""

__version__ = "0.1.0"
