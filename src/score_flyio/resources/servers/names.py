"""Names and passwords of servers, databases and their users.

They have the forms of the Go score-flyio, here for Postgres: app `PREFIXpg-` and 14 digits of a
UTC time, database the resource's id with dashes and four digits, role the database's name and
`-user`. The digits are drawn from the resource's guid, not from the clock: a repeated run comes to
the same names, and two runs in the same second to different ones.

An account gets the verifier of its password, from which the password cannot be had.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
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
    """The app of a resource's server, another one for each attempt. Raises ValueError: too long."""
    when = _FIRST_TIME + timedelta(seconds=_number(guid, "app", attempt) % _SECONDS)
    name = f"{prefix}{kind}-{when:%Y%m%d%H%M%S}"
    if not is_app_name(name):
        raise ValueError(f"{name!r} cannot be the name of a Fly app: {RULE}")
    return name


def database_name(resource_id: str, guid: str, taken: Collection[str]) -> str:
    """The database of a resource; never one of `taken`, which are others'."""
    stem = _UNSAFE.sub("-", resource_id)
    room = LONGEST_IDENTIFIER - len(_USER) - 4
    if len(stem) > room:
        mark = hashlib.sha256(resource_id.encode()).hexdigest()[:6]
        stem = f"{stem[: room - len(mark) - 1]}-{mark}"
    names = (f"{stem}{1000 + _number(guid, 'database', n) % 9000}" for n in count())
    return next(name for name in names if name not in taken)


def user_name(database: str) -> str:
    """The user that owns a database."""
    return f"{database}{_USER}"


def _number(guid: str, purpose: str, attempt: int) -> int:
    digest = hashlib.sha256(f"{guid}\0{purpose}\0{attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


_ITERATIONS: Final = 4096


def quoted_identifier(name: str) -> str:
    """The name of a database or role as SQL. Raises ValueError for one with a NUL."""
    return '"' + _without_nul(name).replace('"', '""') + '"'


def quoted_literal(text: str) -> str:
    """The text as a SQL literal, whatever `standard_conforming_strings` is. Raises ValueError."""
    quoted = "'" + _without_nul(text).replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError(f"{text!r}: SQL cannot carry a NUL character")
    return text


def scram_verifier(password: Secret, salt: bytes | None = None) -> str:
    """What Postgres stores of a password (RFC 5802, RFC 7677)."""
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.reveal().encode(), salt, _ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    parts = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    salt_text, stored, server = parts
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored}:{server}"


def native_verifier(password: Secret) -> str:
    """What MySQL and MariaDB store of a password with `mysql_native_password`."""
    once = hashlib.sha1(password.reveal().encode()).digest()  # noqa: S324 - the server's own form
    return f"*{hashlib.sha1(once).hexdigest().upper()}"  # noqa: S324


def rabbit_verifier(password: Secret) -> str:
    """What RabbitMQ stores of a password with `rabbit_password_hashing_sha256`."""
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.reveal().encode()).digest()
    return base64.b64encode(salt + digest).decode()


VERIFIERS: Final[Mapping[str, Callable[[Secret], str]]] = {
    "scram-sha-256": scram_verifier,
    "mysql-native": native_verifier,
    "rabbit-sha256": rabbit_verifier,
}
"""By the name that descriptions use."""
