"""What servers keep of a password, and names within their languages.

An account gets the verifier of its password, from which the password cannot be had.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Final

from score_flyio.base.secret import Secret

_ITERATIONS: Final = 4096


def quoted_identifier(name: str) -> str:
    """The name of a database or role as SQL. Raises ValueError for one with a NUL."""
    return '"' + _without_nul(name).replace('"', '""') + '"'


def quoted_literal(text: str) -> str:
    """The text as a SQL literal, whatever the server's `standard_conforming_strings` is.

    Raises ValueError for one with a NUL.
    """
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


def rabbit_verifier(password: Secret, salt: bytes | None = None) -> str:
    """What RabbitMQ stores of a password with `rabbit_password_hashing_sha256`."""
    salt = secrets.token_bytes(4) if salt is None else salt
    digest = hashlib.sha256(salt + password.reveal().encode()).digest()
    return base64.b64encode(salt + digest).decode()


VERIFIERS: Final[Mapping[str, Callable[[Secret], str]]] = {
    "scram-sha-256": scram_verifier,
    "mysql-native": native_verifier,
    "rabbit-sha256": rabbit_verifier,
}
"""By the name that descriptions use."""
