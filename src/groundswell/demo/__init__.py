"""The demo: two simulated weeks imported, a live stream watched at sixty times its speed, and what was found of it.

Nothing here takes a special path: it calls what the command line and the server call.
"""
