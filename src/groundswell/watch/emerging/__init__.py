"""Emerging topics: what rises in the stream that no tracker asks for. Pure kernels; `flow` is the way in.

Every hashtag and word of the stream is a series in bounded memory. What is expected of one is its share of what the
whole stream posts, so that a word that rises only because everything rises does not stand out; it owns its level and
its spread, and borrows all else. What stands out and comes together in the same posts is one topic.
"""
