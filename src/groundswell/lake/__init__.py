"""The lake: posts, quarantine and ledger as Delta tables in a local folder.

One process writes at a time (the caller holds the lease `lake` of the desk); readers take a snapshot and
never wait. Every append is one Delta commit: all of its rows are there, or none.
"""

from groundswell.lake.appender import Appended, Appender
from groundswell.lake.reading import posts_table
from groundswell.lake.snapshots import Snapshot
from groundswell.lake.store import Lake

__all__ = ["Appended", "Appender", "Lake", "Snapshot", "posts_table"]
