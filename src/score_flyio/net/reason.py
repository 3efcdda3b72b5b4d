"""Why a server gave no answer, in words of our own."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Final

from score_flyio.net.exchange import NoAnswerError

_BROKEN: Final = "it broke off before the answer was there"
_NONE: Final = "no connection came about"
_WORDS: Final[Mapping[str, str]] = {
    "ConnectError": _NONE,
    "ConnectTimeout": _NONE,
    "ReadError": _BROKEN,
    "ReadTimeout": "the answer did not come, or not to its end",
    "RemoteProtocolError": "it ended in the middle of the answer, or what came is no HTTP",
    "WriteError": _BROKEN,
}
"""By the names that httpx has for errors."""


def network_reason(error: BaseException) -> str:
    """The reason behind the exception of a library.

    The library's own text is not used: it may show what was sent.
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, socket.gaierror):
            return "its name is not known"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
    kind = str(error) if isinstance(error, NoAnswerError) else type(error).__name__
    return _WORDS.get(kind, kind)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__
