"""The desk: the application database (trackers, alerts, series, runs, tokens, leases), SQLite or PostgreSQL.

`open_desk(settings)` opens it; every other function here takes the session that the caller began, so that
what belongs together is committed together.
"""

from groundswell.desk.database import Desk, open_desk
from groundswell.desk.patience import DeskLostError

__all__ = ["Desk", "DeskLostError", "open_desk"]
