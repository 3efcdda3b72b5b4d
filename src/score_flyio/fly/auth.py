"""Where tokens come from, what kinds there are, and the header they make.

A token string may hold several tokens joined by commas, each with the scheme word before it, even
repeatedly, in quotes, and wrapped over several lines. A line that begins as tokens do begins one.
Macaroons begin with `fm1r_`, `fm1a_` or `fm2_`; everything else is a user's OAuth token. The
Machines API gets only the macaroons when there is one. (Source: the public Go client.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from score_flyio.base.input_file import read_input
from score_flyio.base.printable import system_reason
from score_flyio.base.record import frozen
from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError
from score_flyio.net.credentials import usable

WITHOUT_ACCOUNT: Final = "add --emulate to try it without an account"
"""The way that commands have which need a token."""
VARIABLES: Final = ("FLY_ACCESS_TOKEN", "FLY_API_TOKEN")
"""In the order of flyctl."""
MACAROON_PREFIXES: Final = ("fm1r_", "fm1a_", "fm2_")
_SCHEME: Final = re.compile(r"^(bearer|flyv1)(\s+|$)", re.IGNORECASE)
_BETWEEN: Final = re.compile(
    rf",|[\r\n]+(?=\s*[\"']?\s*(?:(?i:bearer|flyv1)\s|{'|'.join(MACAROON_PREFIXES)}))"
)
_WRAPPED: Final = re.compile(r"\s*[\r\n]+\s*")


@frozen(kw_only=True)
class Tokens:
    """The tokens of one token string."""

    values: tuple[Secret, ...]
    """Each by itself."""
    source: str = "given"
    """Where they were found, for messages."""

    @classmethod
    def parse(cls, text: str, *, source: str = "given") -> Tokens:
        """Take a token string apart.

        Raises:
            ConfigError: there is no token in it, or one with characters that no token has; the
                text itself is not shown.
        """
        parts = [without_schemes(part) for part in _BETWEEN.split(text)]
        values = tuple(usable(part, source=source) for part in parts if part)
        if not values:
            raise ConfigError(
                f"{source}: there is no token in it",
                hint="set FLY_API_TOKEN to a token, such as `fly tokens create deploy` prints",
                code="token_empty",
            )
        return cls(values=values, source=source)

    @property
    def macaroons(self) -> tuple[Secret, ...]:
        """Those of organizations: where there is one, the Machines API gets no other."""
        return tuple(v for v in self.values if v.reveal().startswith(MACAROON_PREFIXES))

    @property
    def own(self) -> tuple[Secret, ...]:
        """The user's own tokens, which are no macaroons."""
        return tuple(value for value in self.values if value not in self.macaroons)

    @cached_property
    def authorization(self) -> Secret:
        """Value of the `Authorization` header for the Machines API."""
        scheme = "FlyV1" if self.macaroons else "Bearer"
        return Secret(f"{scheme} {self.password().reveal()}")

    def graphql_authorization(self) -> Secret:
        """Value of the `Authorization` header for GraphQL, which takes all kinds together."""
        scheme = "FlyV1" if self.macaroons else "Bearer"
        return Secret(f"{scheme} {_joined(self.values)}")

    def web_authorization(self) -> Secret:
        """Value of the `Authorization` header for releases: all tokens, whatever their kind."""
        return Secret(f"Bearer {_joined(self.values)}")

    def password(self) -> Secret:
        """The tokens without a scheme word, as the image registry takes them for a password."""
        return Secret(_joined(self.macaroons or self.values))


def find_tokens(environ: Mapping[str, str]) -> Tokens:
    """Tokens of the environment, else of flyctl's login.

    Looks at FLY_ACCESS_TOKEN, FLY_API_TOKEN, then `access_token` in `config.yml` of FLY_CONFIG_DIR
    (default `.fly` in the home folder). Raises ConfigError when there is none, or when the file
    cannot be read.
    """
    for name in VARIABLES:
        if text := environ.get(name, "").strip():
            return Tokens.parse(text, source=name)
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if folder := environ.get("FLY_CONFIG_DIR") or (home and f"{home}/.fly"):
        path = Path(folder) / "config.yml"
        if text := _login_token(path):
            return Tokens.parse(text, source=str(path))
    raise ConfigError(
        "there is no Fly token",
        hint="set FLY_API_TOKEN (`fly tokens create deploy` or `fly tokens create org` prints "
        f"one), or {WITHOUT_ACCOUNT}",
        code="token_missing",
    )


def _login_token(path: Path) -> str:
    from score_flyio.yaml.reader import YamlError, read_yaml

    try:
        content = read_yaml(read_input(path).decode()).value
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError, YamlError) as error:
        reason = system_reason(error, type(error).__name__)
        raise ConfigError(
            f"{path}: cannot be read as flyctl's settings ({reason})",
            hint="log in again with `fly auth login`, or set FLY_API_TOKEN",
            code="token_unreadable",
        ) from None
    token = content.get("access_token") if isinstance(content, dict) else None
    return token.strip() if isinstance(token, str) else ""


def without_schemes(text: str) -> str:
    """One token without what is pasted around it: quotes, scheme words, breaks of lines."""
    while (bare := _SCHEME.sub("", text.strip().strip("\"'").strip(), count=1)) != text:
        text = bare
    return _WRAPPED.sub("", text)


def _joined(values: tuple[Secret, ...]) -> str:
    return ",".join(value.reveal() for value in values)
