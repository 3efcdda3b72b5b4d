"""A record of every request, with secret values masked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TextIO

from attrs import asdict, define, field, frozen

from fly_emulator.records import App, Json
from score_flyio.base.secret import MASK

_SETTING: Final = frozenset(
    {
        "Secrets_update",
        "Secret_create",
        "Secretkey_set",
        "Secretkey_encrypt",
        "Secretkey_sign",
        "Secretkey_verify",
    }
)
"""Operations that may carry secret values."""
_SHORTEST: Final = 6
"""Values shorter than this are not looked for: they would be found everywhere."""


@frozen(kw_only=True)
class JournalEntry:
    """One request and how it was answered."""

    seq: int
    """Number of the request, from 1 on."""
    at: float
    """When it arrived, in seconds since the epoch."""
    took: float
    """Seconds until the answer was ready."""
    operation: str
    """Id of the operation in the API's document; of other interfaces, the name they give it."""
    method: str
    """Method of HTTP."""
    path: str
    """Path of the URL, without the query."""
    query: dict[str, str] = field(factory=dict)
    """Parameters of the query; of a repeated one, the last."""
    app: str | None = None
    """The app in the path."""
    machine: str | None = None
    """Id of the machine in the path."""
    nonce: bool = False
    """Whether it carried a lease nonce."""
    body: Any = None
    """The JSON of the body, with secret values masked; None: there was none."""
    status: int = 0
    """0: no answer, because of a fault or because the caller went away."""
    executed: bool = False
    """Whether the call was done, whatever became of its answer."""
    error: str | None = None
    """What an answer of 400 and above says."""
    leaks: tuple[str, ...] = ()
    """Names of the secrets whose values were in the request, though it does not set secrets."""

    def as_json(self) -> Json:
        """What is to be told of it, without what is empty."""
        return asdict(self, recurse=False, filter=lambda _, value: value not in (None, (), {}))


@define
class Journal:
    """Keeps entries, and writes them to a file as JSON lines when there is one."""

    path: Path | None = None
    """The file; None: there is none."""
    keep: int | None = None
    """How many of the latest entries are remembered; None: all. A file has all."""
    entries: list[JournalEntry] = field(factory=list)
    """What is remembered, in order."""
    noted: int = 0
    """How many entries there were."""
    _file: TextIO | None = None

    def add(self, entry: JournalEntry) -> None:
        """Note a request."""
        self.entries.append(entry)
        self.noted = entry.seq
        if self.keep is not None and len(self.entries) > 2 * self.keep:
            del self.entries[: -self.keep]
        if self.path is None:
            return
        if self._file is None:
            self._file = self.path.open("a", encoding="utf-8")
        self._file.write(json.dumps(entry.as_json(), separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def masked_body(operation: str, body: bytes, secrets: Iterable[tuple[str, str]]) -> Any:
    """The body as a document without secret values."""
    if operation == "GraphQL" and b"setSecrets" in body:
        return MASK
    text = body.decode("utf-8", "replace")
    if operation not in _SETTING:
        for _, value in secrets:
            escaped = json.dumps(value)[1:-1]
            text = text.replace(escaped, MASK)
    try:
        document = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return MASK
    if operation in _SETTING and isinstance(document, dict):
        return _mask_values(document)
    if isinstance(document, dict) and "private_key" in document:
        return {**document, "private_key": MASK}
    return document


def _mask_values(document: Json) -> Json:
    values = document.get("values")
    if isinstance(values, dict):
        hidden = {name: None if value is None else MASK for name, value in values.items()}
        return {**document, "values": hidden}
    secret: Json = {name: MASK for name in ("value", "plaintext") if name in document}
    return {**document, **secret}


def known_secrets(app: App | None) -> list[tuple[str, str]]:
    """Names and values of an app's secrets that can be recognised in other texts."""
    if app is None:
        return []
    return [(s.name, s.value) for s in app.secrets.values() if len(s.value) >= _SHORTEST]


def leaked(
    operation: str, target: str, body: bytes, secrets: Iterable[tuple[str, str]]
) -> tuple[str, ...]:
    """Names of the secrets whose values are in the path, the query or the body."""
    if operation in _SETTING:
        return ()
    text = target + "\n" + body.decode("utf-8", "replace")
    return tuple(
        name for name, value in secrets if value in text or json.dumps(value)[1:-1] in text
    )
