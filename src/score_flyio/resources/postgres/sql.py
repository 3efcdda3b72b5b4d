"""The SQL that makes and removes a database with its role, safe to repeat.

It is fed to psql on its standard input. Passwords never occur in it: a role gets the SCRAM
verifier of its password (RFC 5802, RFC 7677), from which the password cannot be had.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

from score_flyio.base.secret import Secret

_ITERATIONS: Final = 4096
_QUIET: Final = (
    "SET log_min_error_statement = 'panic';",
    "SET client_min_messages = 'warning';",
)
"""Keeps what follows out of the server's log, and notices out of the answer."""


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
    """What Postgres stores of a password, in the form that CREATE ROLE takes instead of it."""
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.reveal().encode(), salt, _ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    parts = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    salt_text, stored, server = parts
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored}:{server}"


def create_database(database: str, user: str, password: Secret) -> str:
    """Makes or completes a database that only its role (and superusers) can enter.

    The role owns the database, and by that its schema `public`.
    """
    db, role = quoted_identifier(database), quoted_identifier(user)
    create_role, create_db = f"CREATE ROLE {role}", f"CREATE DATABASE {db} OWNER {role}"
    verifier = quoted_literal(scram_verifier(password))
    return _script(
        _unless("pg_roles", "rolname", user, create_role),
        f"ALTER ROLE {role} WITH LOGIN PASSWORD {verifier};",
        _unless("pg_database", "datname", database, create_db),
        f"ALTER DATABASE {db} OWNER TO {role};",
        f"REVOKE ALL ON DATABASE {db} FROM PUBLIC;",
        f"GRANT ALL PRIVILEGES ON DATABASE {db} TO {role};",
    )


def drop_database(database: str, user: str) -> str:
    """Removes a database and its role, as far as they are there."""
    role = quoted_identifier(user)
    return _script(
        f"DROP DATABASE IF EXISTS {quoted_identifier(database)} WITH (FORCE);",
        _unless("pg_roles", "rolname", user, f"DROP OWNED BY {role}", negated=False),
        f"DROP ROLE IF EXISTS {role};",
    )


def _unless(table: str, column: str, name: str, statement: str, *, negated: bool = True) -> str:
    """Has psql run the statement unless (or, not negated, if) the catalog has the name."""
    found = f"EXISTS (SELECT FROM {table} WHERE {column} = {quoted_literal(name)})"
    return " ".join(
        ("SELECT", quoted_literal(statement), "WHERE", "NOT " * negated + found, "\\gexec")
    )


def _script(*statements: str) -> str:
    return "".join(f"{line}\n" for line in (*_QUIET, *statements))
