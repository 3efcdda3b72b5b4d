"""Rate limits as the platform documents them.

One request a second with bursts of three, for each action and machine (or app, or caller when there
is neither); reading one machine five a second with bursts of ten; app deletions 100 a minute.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field, frozen

from fly_emulator.records import Json


@frozen
class Rate:
    """A token bucket: so many a second, and so many at once."""

    per_second: float
    burst: int


DEFAULT: Final = Rate(1.0, 3)
RATES: Final = {"Machines_show": Rate(5.0, 10), "Apps_delete": Rate(100 / 60, 100)}
"""Rates of the actions that have one of their own."""

_TOLERANCE: Final = 1e-6


def rate_of(operation: str) -> Rate:
    """The documented rate of an operation."""
    return RATES.get(operation, DEFAULT)


def identifier(operation: str, path: dict[str, str], token: str, *, per_token: bool = False) -> str:
    """What a limit counts by: the machine, else the app, else the caller."""
    if operation in {"Apps_create", "Apps_delete"}:
        return token
    name = path.get("machine_id") or path.get("app_name") or token
    return f"{name} of {token}" if per_token else name


@define
class RateLimiter:
    """Counts requests by action and identifier."""

    _buckets: dict[tuple[str, str], tuple[float, float]] = field(factory=dict)

    def admit(self, operation: str, name: str, now: float) -> float:
        """Take one request in: 0 when it may pass, else the seconds until one may."""
        rate = rate_of(operation)
        left = self._left(operation, name, now)
        passes = left >= 1 - _TOLERANCE
        self._buckets[operation, name] = (left - 1 if passes else left, now)
        return 0.0 if passes else (1 - left) / rate.per_second

    def nearest(self, now: float) -> list[Json]:
        """The limits that are used just now, those of which the least is left first."""
        found: list[Json] = [
            {
                "operation": operation,
                "name": name,
                "left": self._left(operation, name, now),
                "burst": rate_of(operation).burst,
            }
            for operation, name in self._buckets
        ]
        used = [bucket for bucket in found if bucket["left"] < bucket["burst"]]
        return sorted(used, key=lambda bucket: bucket["left"] / bucket["burst"])

    def _left(self, operation: str, name: str, now: float) -> float:
        rate = rate_of(operation)
        left, at = self._buckets.get((operation, name), (float(rate.burst), now))
        return min(float(rate.burst), left + max(now - at, 0.0) * rate.per_second)
