"""API tokens. The secret is shown once, when it is made; only its SHA-256 is kept."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from groundswell.desk.clock import wall_us
from groundswell.desk.tables import TokenRow
from groundswell.errors import NotFoundError

PREFIX = "gsw_"


def create(session: Session, name: str, *, now_us: int | None = None) -> tuple[str, TokenRow]:
    """A new token: its secret (256 random bits behind `gsw_`) and its row."""
    secret = PREFIX + secrets.token_urlsafe(32)
    row = TokenRow(
        id=secrets.token_hex(4),
        name=name,
        digest=digest(secret),
        created_at=wall_us() if now_us is None else now_us,
        revoked_at=None,
    )
    session.add(row)
    session.flush()
    return secret, row


def digest(secret: str) -> bytes:
    """SHA-256 of a secret; a token has enough randomness of its own to need no salt."""
    return hashlib.sha256(secret.encode()).digest()


def find(session: Session, secret: str) -> TokenRow | None:
    """The token in force that has this secret, or null."""
    query = select(TokenRow).where(TokenRow.digest == digest(secret), TokenRow.revoked_at.is_(None))
    return session.scalars(query).one_or_none()


def any_active(session: Session) -> bool:
    """Whether at least one token is in force."""
    query = select(func.count()).select_from(TokenRow).where(TokenRow.revoked_at.is_(None))
    return bool(session.scalar(query))


def listed(session: Session) -> list[TokenRow]:
    """All tokens, revoked ones too, newest first."""
    return list(session.scalars(select(TokenRow).order_by(TokenRow.created_at.desc(), TokenRow.id)))


def revoke(session: Session, token_id: str, *, now_us: int | None = None) -> TokenRow:
    """End a token; ending it again changes nothing.

    Raises:
        NotFoundError: there is no such token.
    """
    row = session.get(TokenRow, token_id)
    if row is None:
        what = f"no token `{token_id}`"
        raise NotFoundError(what, hint="`groundswell token list` shows the ids")
    if row.revoked_at is None:
        row.revoked_at = wall_us() if now_us is None else now_us
    return row
