"""The desk: the application database (trackers, alerts, series, runs, tokens, leases), SQLite or PostgreSQL."""
