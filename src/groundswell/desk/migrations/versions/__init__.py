"""One module a migration; `upgrade()` runs inside Alembic's operations context."""
