"""Tokens, keys and passwords of the tool itself, as they are found in the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError

_USABLE: Final = re.compile(r"[!-~]+")
"""Characters that a header can carry: ASCII without blanks."""
_AROUND: Final = re.compile(r"[\s,\"']+")
"""What stands between tokens and around them, where they were pasted with quotes."""
SHORTEST_KEY: Final = 8
"""Characters; scheme words and test values are shorter than any credential."""
_WORD: Final = re.compile(r"[A-Za-z-]{1,20}")
OF_FLY: Final = frozenset({"FLY_ACCESS_TOKEN", "FLY_API_TOKEN"})
OF_THE_STATE: Final = frozenset({"SCORE_FLYIO_STATE_KEY", "SCORE_FLYIO_STATE_TOKEN"})
OWN: Final = OF_THE_STATE | {
    *OF_FLY,
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
}
"""Variables with what the tool itself logs in with: nothing that a Score file says reads them."""


def credential(environ: Mapping[str, str], name: str) -> Secret | None:
    """The value of a variable, without space and line ends around it; None where it is empty.

    Raises ConfigError, which does not show the value, for what no header can carry.
    """
    text = environ.get(name, "").strip()
    return usable(text, source=name) if text else None


def usable(text: str, *, source: str) -> Secret:
    """One token or key. Raises ConfigError, which does not show it, for what none can be."""
    if _USABLE.fullmatch(text):
        return Secret(text)
    inside = "a blank, a line break or a control character" if text.isascii() else "non-ASCII text"
    raise ConfigError(
        f"{source}: there is {inside} in it",
        hint="copy it again, in one piece; it may have been wrapped or changed on its way",
        code="credential_invalid",
    )


def is_stand_in(token: Secret) -> bool:
    """Whether a token of Fly is none, but a word such as `emulator` that stands for one.

    Real ones are long, with digits and signs in them. Words are those of messages, too: masked
    there, they would leave no sense, and tell the word.
    """
    text = token.reveal()
    return len(text) < SHORTEST_KEY or _WORD.fullmatch(text) is not None


def own_credentials(environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """What the tool logs in with, each token by itself, to mask it wherever text leaves."""
    return tuple(
        secret
        for name in sorted(OWN)
        for text in (environ.get(name, "").strip(),)
        for secret in map(Secret, (text, *_AROUND.split(text)))
        if len(secret.reveal()) >= SHORTEST_KEY and not (name in OF_FLY and is_stand_in(secret))
    )
