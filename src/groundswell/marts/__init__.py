"""Questions to the lake: Ibis expressions that run on every engine, and the few steps around them."""
