"""Raw records straight to columns of posts, by compiled kernels; what they doubt goes the ordinary way.

`groundswell.watch.fast_arrivals` is the watch's way in, `rows` that of the lake writer. A layout stands here only if
its posts come out as its expression gives them, by test; any other layout, and any record that is not plainly of its
kind, goes through the engine.
"""
