"""The warehouse: what the lake and the desk hold as tables of PostgreSQL, for questions in SQL."""

from groundswell.warehouse.sync import Synced, sync

__all__ = ["Synced", "sync"]
