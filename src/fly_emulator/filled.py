"""What a config reads back as: not quite what was sent.

The documents say nothing of it; production configs beside the fly.toml that they were made from,
and recorded answers, do.
"""

from __future__ import annotations

from typing import Any, Final

from fly_emulator.configs import DURATIONS
from fly_emulator.durations import seconds_of
from fly_emulator.records import Json
from fly_emulator.settings import EmulatorSettings

_STOPS: Final = {False: 0, True: 1, "suspend": 2}
_CONCURRENCY: Final = {"type": "connections", "soft_limit": 20, "hard_limit": 25}


def read_back(config: Json, settings: EmulatorSettings) -> Json:
    """The config with what the platform fills in; the given one is not changed."""
    shown = dict(config)
    if settings.default_restart is not None:
        shown["restart"] = {**settings.default_restart, **(config.get("restart") or {})}
    if settings.fills_defaults:
        shown.setdefault("auto_destroy", False)
        shown["init"] = {"tty": False, **(config.get("init") or {})}
    if config.get("services"):
        shown["services"] = [_service(service, settings) for service in config["services"]]
    return _with_numbers(shown) if settings.spells_with_numbers else shown


def _service(service: Json, settings: EmulatorSettings) -> Json:
    shown = dict(service)
    if settings.longest_check_interval is not None and service.get("checks"):
        shown["checks"] = [_cut(c, settings.longest_check_interval) for c in service["checks"]]
    if not settings.fills_defaults:
        return shown
    if not service.get("concurrency"):
        shown["concurrency"] = dict(_CONCURRENCY)
    if service.get("ports"):
        shown["ports"] = [_port(port) for port in service["ports"]]
    return shown


def _port(port: Json) -> Json:
    shown: dict[str, Any] = {"force_https": False, **port}
    if port.get("handlers"):
        shown["handlers"] = sorted(port["handlers"], reverse=True)
    return shown


def _cut(check: Json, longest: str) -> Json:
    interval, most = seconds_of(check.get("interval")), seconds_of(longest)
    return {**check, "interval": longest} if (interval or 0) > (most or 0) else check


def _with_numbers(config: Json) -> Json:
    """The config in the other spelling of its scalars."""
    shown = dict(config)
    shown["guest"] = {k: _float(v) for k, v in (config.get("guest") or {}).items()}
    checks = config.get("checks") or {}
    shown["checks"] = {name: _in_nanoseconds(check) for name, check in checks.items()}
    if config.get("stop_config"):
        shown["stop_config"] = _in_nanoseconds(config["stop_config"])
    shown["services"] = [
        {
            **service,
            **({"autostop": _STOPS[service["autostop"]]} if "autostop" in service else {}),
            "checks": [_in_nanoseconds(check) for check in service.get("checks") or ()],
        }
        for service in config.get("services") or ()
    ]
    return shown


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _in_nanoseconds(timed: Json) -> Json:
    times = {name: seconds_of(timed[name]) for name in DURATIONS if name in timed}
    return {**timed, **{name: round(s * 1e9) for name, s in times.items() if s is not None}}
