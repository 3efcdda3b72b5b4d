"""Old spellings of fly.toml rewritten to the present ones.

Works on the parsed tree in place, before it is decoded, and looks only at exact lower-case names,
as flyctl does. Values that no rule knows are left for the decoder to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from score_flyio.errors import Problem
from score_flyio.flytoml.findings import unfit
from score_flyio.flytoml.gotext import int64, text_of, wrapped
from score_flyio.flytoml.parse import Tree
from score_flyio.flytoml.values import Duration

_DIGITS: Final = re.compile(r"[+-]?[0-9]+\Z")
_LONGEST: Final = len(str(2**63))
_SECOND: Final = 1_000_000_000
_MILLISECOND: Final = 1_000_000


def normalise(tree: Tree) -> tuple[Problem, ...]:
    """Bring a tree to present spelling; gives what could not be rewritten, in flyctl's order.

    A part that cannot be rewritten is taken out, so that the rest can still be checked.
    """
    findings = []
    for section, step in _STEPS.items():
        try:
            if section in tree or section in _LISTS:
                step(tree)
        except _Misfit as misfit:
            findings.append(misfit.finding)
            tree.pop(section, None)
    return tuple(findings)


class _Misfit(Exception):
    def __init__(self, place: str, value: Any, expected: str, code: str = "wrong_type") -> None:
        super().__init__(place)
        self.finding = unfit(place, value, expected, code)


def _env(tree: Tree) -> None:
    tree["env"] = _env_texts(tree["env"])


def _env_texts(raw: Any) -> dict[str, str]:
    if isinstance(raw, dict):
        return {name: text_of(value) for name, value in raw.items()}
    if not isinstance(raw, list):
        raise _Misfit("env", raw, "a table of strings")
    merged: dict[str, str] = {}
    for item in raw:
        merged |= _env_texts(item)
    return merged


def _services(tree: Tree) -> None:
    services = _tables(tree["services"], "services")
    for index, service in enumerate(services):
        _service(service, f"services[{index}]")
    tree["services"] = [service for service in services if service]


def _service(service: Tree, place: str) -> None:
    if "concurrency" in service:
        service["concurrency"] = _concurrency(service["concurrency"], f"{place}.concurrency")
    if "ports" in service:
        service["ports"] = _tables(service["ports"], f"{place}.ports")
        for index, port in enumerate(service["ports"]):
            if "port" in port:
                port["port"] = _whole(port["port"], f"{place}.ports[{index}].port")
    for kind in ("tcp_checks", "http_checks"):
        if kind in service:
            checks = _tables(service.pop(kind), f"{place}.{kind}")
            for index, check in enumerate(checks):
                _check(check, f"{place}.{kind}[{index}]")
            if checks:
                service[kind] = checks
    if "internal_port" in service:
        service["internal_port"] = _whole(service["internal_port"], f"{place}.internal_port")


def _concurrency(raw: Any, place: str) -> Tree:
    if isinstance(raw, dict):
        return raw
    if not isinstance(raw, str):
        raise _Misfit(place, raw, "a table with type, soft_limit and hard_limit")
    soft, comma, hard = raw.partition(",")
    if not comma:
        raise _Misfit(place, raw, 'a table, or "SOFT,HARD"', "invalid_concurrency")
    limits = (_digits(soft), _digits(hard))
    if None in limits:
        raise _Misfit(place, raw, 'a table, or "SOFT,HARD" with two whole numbers and no spaces')
    return {"type": "requests", "soft_limit": limits[0], "hard_limit": limits[1]}


def _check(check: Tree, place: str) -> None:
    for name in ("interval", "timeout", "grace_period"):
        if name in check:
            check[name] = _duration(check[name], _MILLISECOND)
    if "headers" in check:
        headers = _headers(check.pop("headers"), f"{place}.headers")
        if headers:
            check["headers"] = headers


def _headers(raw: Any, place: str) -> dict[str, str]:
    if isinstance(raw, dict):
        return {name: text_of(value) for name, value in raw.items()}
    named = isinstance(raw, list) and all(isinstance(h, dict) and "name" in h for h in raw)
    if not named:
        raise _Misfit(place, raw, "a table of strings, or a list of {name, value}")
    return {text_of(header["name"]): text_of(header.get("value", "")) for header in raw}


def _duration(raw: Any, unit: int) -> str | None:
    if isinstance(raw, str):
        return raw or None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return Duration(wrapped(int64(raw) * unit)).text()


def _whole(raw: Any, place: str) -> int:
    if isinstance(raw, str) and (number := _digits(raw)) is not None:
        return number
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise _Misfit(place, raw, "a whole number")
    return int64(raw)


def _digits(text: str) -> int | None:
    """The number that a text is, if it is one that 64 bits can hold."""
    if not _DIGITS.match(text) or len(text.lstrip("+-0")) > _LONGEST:
        return None
    number = int(text)
    return number if number == wrapped(number) else None


def _tables(raw: Any, place: str) -> list[Tree]:
    if isinstance(raw, dict):
        return [raw]
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise _Misfit(place, raw, "a list of tables")
    return raw


def _processes(tree: Tree) -> None:
    raw = tree["processes"]
    if isinstance(raw, dict):
        return
    if not isinstance(raw, list):
        raise _Misfit("processes", raw, "a table of commands")
    del tree["processes"]
    named = [item for item in raw if isinstance(item, dict) and "name" in item]
    if named:
        tree["processes"] = {
            text_of(item["name"]): text_of(item.get("command", "")) for item in named
        }


def _experimental(tree: Tree) -> None:
    section = tree["experimental"]
    if not isinstance(section, dict):
        raise _Misfit("experimental", section, "a table")
    for name in ("cmd", "entrypoint", "exec"):
        if name in section:
            section[name] = _words(section[name], f"experimental.{name}")
    if "kill_timeout" in section and "kill_timeout" not in tree:
        tree["kill_timeout"] = _duration(section["kill_timeout"], _SECOND)
    metrics = {
        name: section[f"metrics_{name}"]
        for name in ("port", "path")
        if f"metrics_{name}" in section
    }
    if metrics and "metrics" not in tree:
        tree["metrics"] = metrics
    if not section:
        del tree["experimental"]


def _words(raw: Any, place: str) -> list[str]:
    if isinstance(raw, str):
        return [raw]
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(word, str) for word in raw):
        raise _Misfit(place, raw, "a string or a list of strings")
    return raw


def _checks(tree: Tree) -> None:
    raw = tree["checks"]
    if isinstance(raw, list):
        named = [_named(item) for item in raw]
    elif isinstance(raw, dict):
        named = list(raw.items())
    else:
        raise _Misfit("checks", raw, "tables [checks.NAME]")
    for name, check in named:
        if not isinstance(check, dict):
            raise _Misfit("checks", check, "tables [checks.NAME]")
        _check(check, f"checks.{name}")
    del tree["checks"]
    if named:
        tree["checks"] = dict(named)


def _named(item: Any) -> tuple[str, Tree]:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise _Misfit("checks", item, "tables [checks.NAME], or a list of tables with a name")
    return item["name"], item


def _joined(section: str, spellings: tuple[str, ...], text: str | None) -> _Step:
    def step(tree: Tree) -> None:
        found = [tree.pop(name) for name in spellings if name in tree]
        tables = [table for raw in found for table in _tables(raw, section)]
        for table in tables:
            if text is not None and text in table:
                table[text] = text_of(table[text])
        # always there, so that spellings with capitals, which come first, never count
        tree[section] = tables or None

    return step


def _kill_timeout(tree: Tree) -> None:
    tree["kill_timeout"] = _duration(tree["kill_timeout"], _SECOND)


def _build(tree: Tree) -> None:
    section = tree["build"]
    if not isinstance(section, dict):
        raise _Misfit("build", section, "a table")
    if "build_target" in section:
        section["build-target"] = section.pop("build_target")
    if not section:
        del tree["build"]


_Step = Callable[[Tree], None]
_STEPS: Final[dict[str, _Step]] = {
    "env": _env,
    "services": _services,
    "processes": _processes,
    "experimental": _experimental,
    "checks": _checks,
    "vm": _joined("vm", ("compute", "computes", "vm"), "memory"),
    "mounts": _joined("mounts", ("mount", "mounts"), "initial_size"),
    "metrics": _joined("metrics", ("metric", "metrics"), None),
    "kill_timeout": _kill_timeout,
    "build": _build,
}
_LISTS: Final = ("vm", "mounts", "metrics")
"""What is rewritten even if it is not there: it may be under another name."""
