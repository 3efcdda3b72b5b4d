"""What names of apps, secrets, volumes and hosts may look like at Fly.

Apps: the Machines API guide. Volumes: flyctl's own check. Secrets: not published; shell variables
are accepted. And the names that there are of strategies (flyctl's), of handlers, of what is
counted, and of who can reach an app. Patterns are compiled when a name is asked about.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias, get_args

StrategyName: TypeAlias = Literal["rolling", "canary", "immediate", "bluegreen"]
STRATEGY_NAMES: Final[tuple[StrategyName, ...]] = get_args(StrategyName)
HANDLERS: Final = ("http", "tls", "edge_http", "pg_tls", "proxy_proto")
"""Of ports."""
CONCURRENCY_TYPES: Final = ("connections", "requests")
"""What the limits of a service count."""
Exposure: TypeAlias = Literal["private", "shared", "dedicated"]
"""Only the private network; the internet at addresses that cost nothing, the IPv4 being shared with
other apps; the internet at an IPv4 of its own, which costs money."""
LONGEST: Final = 63
"""Characters."""
RULE: Final = f"1 to {LONGEST} of a-z, 0-9 and -, with a letter or digit first and last"
_NAME: Final = rf"[a-z0-9](?:[a-z0-9-]{{0,{LONGEST - 2}}}[a-z0-9])?"


def is_app_name(text: str) -> bool:
    """Whether an app can have this name; nothing about whether it is free."""
    return re.fullmatch(_NAME, text) is not None


def can_begin_app_name(prefix: str) -> bool:
    """Whether a name of an app can begin with it; empty text can."""
    return is_app_name(f"{prefix}x")


_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME: Final = rf"(?:\*\.)?(?:{_LABEL}\.)+(?!\d+$){_LABEL}"


def is_host_name(text: str) -> bool:
    """Whether a certificate can be for it: a name in lower case with a dot, or `*.` before one."""
    return len(text) <= 253 and re.fullmatch(_HOST_NAME, text) is not None


LONGEST_VOLUME: Final = 30
"""Characters."""
LARGEST_VOLUME_GB: Final = 500


def is_secret_name(text: str) -> bool:
    """Whether an app secret can have this name."""
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) is not None


_TELLS_OF_SECRETS: Final = ("KEY", "PRIVATE", "DATABASE_URL", "PASSWORD", "SECRET")
_OPEN: Final = frozenset({"AWS_ACCESS_KEY_ID", "TIGRIS_ACCESS_KEY_ID"})

READ_BY_ALL: Final = (
    "looks like a secret, and stands where all can read it who see the app's machines"
)
"""What a variable that looks secret is told of."""


def looks_secret(variable: str) -> bool:
    """Whether the value of a variable of this name is likely a secret; flyctl's rule."""
    return variable not in _OPEN and any(part in variable for part in _TELLS_OF_SECRETS)


def as_secret_name(text: str) -> str:
    """The text as the name of a secret; as it is where it can be one."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return name if is_secret_name(name) else f"_{name}"


def as_volume_name(text: str) -> str:
    """The text as the name of a volume; as it is where it can be one."""
    return re.sub(r"[^a-z0-9_]", "_", text.lower())[:LONGEST_VOLUME]
