"""Secrets of channels: named in the desk, kept in the environment.

The name `SLACK` stands for the variable `GROUNDSWELL_SECRET_SLACK`: of the process that sends, or a line of the file
`groundswell.env`; or for the content of the file that `GROUNDSWELL_SECRET_SLACK_FILE` names (as containers mount them).
Only variables of that beginning can be named, so whoever may add a channel cannot read the rest of the environment.
`GROUNDSWELL_SECRET_MAIL_HOST` is the only host to which the secret `MAIL`, or what is signed with it, is sent; over the
network, a channel with a login or a signature can only be added for a secret that is bound in this way, so that nobody
lets it be sent to themselves.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from groundswell.errors import UnavailableError, UsageError
from groundswell.settings import ENV_FILE, PREFIX

BEGINNING: Final = f"{PREFIX}SECRET_"
_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,59}")
#: A secret file that is larger is none.
_LARGEST: Final = 16 << 10


def variable_of(name: str) -> str:
    """The environment variable that a secret's name stands for.

    >>> variable_of("SLACK")
    'GROUNDSWELL_SECRET_SLACK'
    """
    return f"{BEGINNING}{name}"


def check_name(name: str) -> str:
    """The name of a secret as it is kept; the whole name of the variable is understood too.

    >>> check_name("slack"), check_name("GROUNDSWELL_SECRET_OPS_HOOK")
    ('SLACK', 'OPS_HOOK')

    Raises:
        UsageError: it is no name. What was given is not repeated: it may be the secret itself.
    """
    short = name.strip().upper().removeprefix(BEGINNING)
    if not _NAME.fullmatch(short):
        what = "this is not the name of a secret"
        hint = f"put the secret into an environment variable such as {BEGINNING}SLACK and give its name: SLACK"
        raise UsageError(what, hint=hint)
    return short


def host_bound_to(name: str) -> str | None:
    """The only host to which a secret may be sent, by the variable `…_HOST` beside it; null if none is said."""
    in_file = dotenv_values(ENV_FILE) if Path(ENV_FILE).is_file() else {}
    said = os.environ.get(f"{variable_of(name)}_HOST") or in_file.get(f"{variable_of(name)}_HOST") or ""
    return said.strip().lower() or None


def is_set(name: str) -> bool:
    """Whether this process would find the secret."""
    try:
        return bool(_find(name))
    except UnavailableError:
        return False


def read_secret(name: str) -> str:
    """The secret of that name.

    Raises:
        UnavailableError: it is not set, or its file cannot be read.
    """
    found = _find(name)
    if found:
        return found
    what = f"the secret {name} is not set"
    hint = f"set {variable_of(name)} where `serve` or `watch run` is started, or put it into {ENV_FILE}"
    raise UnavailableError(what, hint=hint)


def _find(name: str) -> str | None:
    variable = variable_of(name)
    in_file = dotenv_values(ENV_FILE) if Path(ENV_FILE).is_file() else {}
    for known in (os.environ, in_file):
        if value := (known.get(variable) or "").strip():
            return value
        if path := known.get(f"{variable}_FILE"):
            return _content(Path(path), name)
    return None


def _content(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            what = f"the file of the secret {name} is too large to be one"
            raise UnavailableError(what, where=path)
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        what = f"the file of the secret {name} cannot be read ({getattr(error, 'strerror', None) or 'not text'})"
        raise UnavailableError(what, where=path, hint="check its path and permissions") from error
