"""Who can reach an app, where somebody other than its fly.toml says so."""

from __future__ import annotations

from typing import Literal, TypeAlias

Exposure: TypeAlias = Literal["private", "shared", "dedicated"]
"""Only the private network; the internet at addresses that cost nothing, the IPv4 being shared with
other apps; the internet at an IPv4 of its own, which costs money."""
