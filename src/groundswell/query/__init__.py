"""Queries over posts: one grammar, the same meaning in the lake (Ibis) and in the stream (Arrow)."""
