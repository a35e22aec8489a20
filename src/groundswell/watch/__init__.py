"""The watch: windows, detector, episodes and evidence over a stream of posts; pure kernels and their runner."""
