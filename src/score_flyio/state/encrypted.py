"""How a remote state stands at its place: as text, or encrypted with a key of the user.

Encrypted: a line that names the form and the salt, then a nonce and what AES-256-GCM makes of the
document; the line and the address are authenticated with it. The key is derived from the user's
text with scrypt.
"""

from __future__ import annotations

import os
from typing import Any, Final

from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError, StateCorrupt, StateTooNew

VARIABLE: Final = "SCORE_FLYIO_STATE_KEY"
MAGIC: Final = b"score-flyio-encrypted-state "
VERSION: Final = b"2"
SHORTEST_KEY: Final = 16
"""Characters."""
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
SCRYPT: Final = {"n": 2**15, "r": 8, "p": 1}
"""About 0.1 s and 32 MiB for each guess of a key."""


class PlainForm:
    """The document as it is."""

    def seal(self, data: bytes, shown: str) -> bytes:  # noqa: ARG002  # of the protocol
        return data

    def open(self, data: bytes, shown: str) -> bytes:
        if data.startswith(MAGIC):
            raise StateCorrupt(
                f"{shown}: the state is encrypted, and {VARIABLE} is not set",
                hint=f"set {VARIABLE} to the key that it was written with",
            )
        return data


class EncryptedForm:
    """The document encrypted.

    Opening also finds out whether anyone changed it, or put it there from another address.
    """

    def __init__(self, key: Secret) -> None:
        """Raises ConfigError for a short key, and without the package `cryptography`."""
        if len(key.reveal()) < SHORTEST_KEY:
            raise ConfigError(
                f"{VARIABLE}: the key is shorter than {SHORTEST_KEY} characters",
                hint="make one, for example with: openssl rand -base64 32",
            )
        try:
            import cryptography  # noqa: F401  # only whether it is there
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"{VARIABLE}: encryption needs a package that is not installed",
                hint="pip install 'score-flyio[encryption]'",
            ) from error
        self._key = key
        self._salt = os.urandom(SALT_BYTES)
        self._ciphers: dict[bytes, Any] = {}

    def seal(self, data: bytes, shown: str) -> bytes:
        header = MAGIC + VERSION + b" " + self._salt.hex().encode() + b"\n"
        nonce = os.urandom(NONCE_BYTES)
        sealed: bytes = self._cipher(self._salt).encrypt(nonce, data, header + shown.encode())
        return header + nonce + sealed

    def open(self, data: bytes, shown: str) -> bytes:
        from cryptography.exceptions import InvalidTag

        # The same salt again saves deriving another key.
        self._salt, header, body = _parts(data, shown)
        try:
            opened: bytes = self._cipher(self._salt).decrypt(
                body[:NONCE_BYTES], body[NONCE_BYTES:], header + shown.encode()
            )
        except (InvalidTag, ValueError) as error:
            raise StateCorrupt(
                f"{shown}: the state cannot be decrypted",
                hint=f"{VARIABLE} is another key than the one it was written with, or the object "
                "was damaged, or copied from another address: a state is moved with score-flyio "
                "state pull and state push",
            ) from error
        return opened

    def _cipher(self, salt: bytes) -> Any:
        if salt not in self._ciphers:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

            derived = Scrypt(salt=salt, length=32, **SCRYPT).derive(self._key.reveal().encode())
            self._ciphers[salt] = AESGCM(derived)
        return self._ciphers[salt]


def _parts(data: bytes, shown: str) -> tuple[bytes, bytes, bytes]:
    """Salt, header and body."""
    first, newline, body = data.partition(b"\n")
    if not first.startswith(MAGIC) or not newline:
        raise StateCorrupt(
            f"{shown}: the state is not encrypted, although {VARIABLE} is set",
            hint=f"to encrypt it, pull it without {VARIABLE}, and push it with the key to another "
            "address",
        )
    version, _, salt = first.removeprefix(MAGIC).partition(b" ")
    if version != VERSION:
        raise StateTooNew(
            f"{shown}: version {version.decode(errors='replace')} of the encryption is not known",
            hint="use the version of score-flyio that wrote it, or a newer one",
        )
    try:
        return bytes.fromhex(salt.decode()), first + newline, body
    except ValueError as error:
        raise StateCorrupt(f"{shown}: the first line of the state is damaged") from error
