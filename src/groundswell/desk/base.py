"""What all tables of the desk share. Times are integers: microseconds since 1970 UTC."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import DeclarativeBase

Micros: Final = BigInteger
#: SQLite numbers rows by itself only in an INTEGER primary key.
Serial: Final = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """All tables of the desk."""
