"""Fan-out of changes."""


class Hub:
    """x."""
