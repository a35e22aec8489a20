"""Platforms: one folder a platform, one file a layout."""
