"""Names and passwords of servers, databases and their users.

They have the forms of the Go score-flyio, here for Postgres: app `PREFIXpg-` and 14 digits of a
UTC time, database the resource's id with dashes and four digits, role the database's name and
`-user`. The digits are drawn from the resource's guid, not from the clock: a repeated run comes to
the same names, and two runs in the same second to different ones.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from score_flyio.base.secret import Secret
from score_flyio.flytoml.names import RULE, is_app_name

LONGEST_IDENTIFIER: Final = 63
"""Bytes; Postgres cuts longer identifiers off without a word."""
_FIRST_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
_SECONDS: Final = 25 * 365 * 86_400
_USER: Final = "-user"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")


def new_password() -> Secret:
    """A fresh password of 20 hexadecimal digits."""
    return Secret(secrets.token_hex(10))


def app_name(prefix: str, guid: str, attempt: int = 0, *, kind: str = "pg") -> str:
    """The app of a resource's server; another one for each attempt.

    Raises ValueError when no app can have such a name.
    """
    when = _FIRST_TIME + timedelta(seconds=_number(guid, "app", attempt) % _SECONDS)
    name = f"{prefix}{kind}-{when:%Y%m%d%H%M%S}"
    if not is_app_name(name):
        raise ValueError(f"{name!r} cannot be the name of a Fly app: {RULE}")
    return name


def database_name(resource_id: str, guid: str, taken: Collection[str]) -> str:
    """The database of a resource; never one of `taken`, which are others'."""
    return next(name for name in _database_names(resource_id, guid) if name not in taken)


def _database_names(resource_id: str, guid: str) -> Iterator[str]:
    stem = _UNSAFE.sub("-", resource_id)
    room = LONGEST_IDENTIFIER - len(_USER) - 4
    if len(stem) > room:
        mark = hashlib.sha256(resource_id.encode()).hexdigest()[:6]
        stem = f"{stem[: room - len(mark) - 1]}-{mark}"
    attempt = 0
    while True:
        yield f"{stem}{1000 + _number(guid, 'database', attempt) % 9000}"
        attempt += 1


def user_name(database: str) -> str:
    """The user that owns a database."""
    return f"{database}{_USER}"


def _number(guid: str, purpose: str, attempt: int) -> int:
    digest = hashlib.sha256(f"{guid}\0{purpose}\0{attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
