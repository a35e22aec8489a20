"""Text kernels: folding, words, keys."""
