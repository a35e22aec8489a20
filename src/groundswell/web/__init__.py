"""The REST API, the live hub and the page."""
