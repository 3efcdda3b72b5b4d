"""What the name of a Fly app may look like (source: the Machines API guide)."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 63
"""Characters."""
RULE: Final = f"1 to {LONGEST} of a-z, 0-9 and -, with a letter or digit first and last"
_NAME: Final = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{LONGEST - 2}}}[a-z0-9])?")


def is_app_name(text: str) -> bool:
    """Whether an app can have this name; nothing about whether it is free."""
    return _NAME.fullmatch(text) is not None


def can_begin_app_name(prefix: str) -> bool:
    """Whether a name of an app can begin with it; empty text can."""
    return is_app_name(f"{prefix}x")
