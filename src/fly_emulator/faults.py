"""Faults on purpose: errors, lost answers, broken connections and delays, by rule and by seed.

A specification is a list of rules with `;` between them:

    [OPERATIONS:] ACTION [before|after] [p=0.1] [skip=2] [times=1]
    seed=7

OPERATIONS is a comma list of operation ids or patterns (`Machines_*`), `reads` or `changes`;
without it a rule is for all operations. ACTION is one of

    503             that status instead of an answer
    reset           the connection breaks: `before` or `after` the call was executed
    lost            the same as `reset after`
    refuse          no connection at all; never executed
    hang            no answer ever
    html, cut, null the call is executed, and its success answered by a page of a
                    proxy, by half of a document, or by `null`
    latency=0.5     so many seconds more; `latency=0.2..1` is a uniform range

A rule for operations that are not there is refused. `p` is the probability, `skip` leaves out the
first so many matching requests, `times` ends the rule after so many faults.
"""

from __future__ import annotations

import fnmatch
import math
import random
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, cast

from attrs import define, evolve, field, frozen

from fly_machines import OPERATIONS
from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.errors import ConfigError, Problem

Garbled: TypeAlias = Literal["html", "cut", "null"]
FaultKind: TypeAlias = Literal["status", "reset", "refuse", "hang", "latency", Garbled]
_BESIDE: Final = ("Web_", "Registry_", "GraphQL")
"""How the operations begin that are not of the Machines API."""
_HELP: Final = "a rule is [OPERATIONS:] ACTION [before|after] [p=…] [skip=…] [times=…]"


@frozen(kw_only=True)
class FaultRule:
    """Which requests get which fault."""

    kind: FaultKind
    """A status, a broken, refused or hanging connection, a garbled answer, or a delay."""
    operations: tuple[str, ...] = ("*",)
    """Ids of operations, patterns of them, `reads` or `changes`; one that fits is enough."""
    status: int = 500
    """Of kind `status`: what is answered."""
    after: bool = False
    """Whether the call is executed first."""
    seconds: tuple[float, float] = (0.0, 0.0)
    """Of kind `latency`: least and most of the delay."""
    probability: float = 1.0
    """From 0 to 1: how likely a request that it is for is struck."""
    skip: int = 0
    """How many requests that it is for are left alone first."""
    times: int | None = None
    """How many requests it strikes; None: no limit."""

    @property
    def text(self) -> str:
        """The rule as a specification has it."""
        low, high = self.seconds
        words = [str(self.status) if self.kind == "status" else self.kind]
        if self.kind == "latency":
            words = [f"latency={low:g}" if low == high else f"latency={low:g}..{high:g}"]
        elif self.after and self.kind in {"status", "reset", "hang"}:
            words.append("after")
        words += [f"p={self.probability:g}"] if self.probability < 1 else []
        words += [f"skip={self.skip}"] if self.skip else []
        words += [] if self.times is None else [f"times={self.times}"]
        return f"{', '.join(self.operations)}: {' '.join(words)}"

    def concerns(self, operation: str, method: str) -> bool:
        """Whether it is for such requests."""
        return any(_fits(pattern, operation, method) for pattern in self.operations)


def _fits(pattern: str, operation: str, method: str) -> bool:
    if pattern in {"reads", "changes"}:
        return (method == "GET") == (pattern == "reads")
    return fnmatch.fnmatchcase(operation, pattern)


@define(kw_only=True)
class ActiveFault:
    """A rule with the memory of how often it was used."""

    id: int
    rule: FaultRule
    matched: int = 0
    """How many requests it was for."""
    struck: int = 0
    """How many of them it failed or delayed."""

    def strikes(self, rng: random.Random) -> bool:
        """Whether it strikes one more request that it is for."""
        self.matched += 1
        rule = self.rule
        if self.matched <= rule.skip or (rule.times is not None and self.struck >= rule.times):
            return False
        if rule.probability < 1 and rng.random() >= rule.probability:
            return False
        self.struck += 1
        return True


def _activated(rules: Iterable[FaultRule]) -> list[ActiveFault]:
    return [ActiveFault(id=number, rule=rule) for number, rule in enumerate(rules, 1)]


@define
class Faults:
    """The rules that hold, made from `rules`; further ones can be added, and any removed."""

    active: list[ActiveFault] = field(converter=_activated, factory=tuple, alias="rules")
    """In the order in which they are asked."""
    seed: int = 0
    """Seed of what is left to chance."""
    rng: random.Random = field(init=False, repr=False)
    """Chance, from the seed: it decides on probabilities and ranges."""
    _last: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 - a simulation
        self._last = len(self.active)

    @property
    def rules(self) -> tuple[FaultRule, ...]:
        """What holds now."""
        return tuple(one.rule for one in self.active)

    def add(self, rule: FaultRule) -> ActiveFault:
        """Let a rule hold beside the others, and after them; ids are never given twice."""
        self._last += 1
        self.active.append(ActiveFault(id=self._last, rule=rule))
        return self.active[-1]

    def remove(self, number: int) -> bool:
        """End the rule of that id; False: there is none."""
        kept = [one for one in self.active if one.id != number]
        found = len(kept) < len(self.active)
        self.active[:] = kept
        return found

    def clear(self) -> None:
        """End all rules."""
        self.active.clear()

    def for_request(self, operation: str, method: str) -> tuple[FaultRule, ...]:
        """What strikes the next request: delays, each of one length, and at most one failure."""
        found: list[FaultRule] = []
        for one in self.active:
            rule = one.rule
            failed = any(fault.kind != "latency" for fault in found)
            if not rule.concerns(operation, method) or (failed and rule.kind != "latency"):
                continue
            if one.strikes(self.rng):
                seconds = self.rng.uniform(*rule.seconds) if rule.kind == "latency" else 0.0
                found.append(evolve(rule, seconds=(seconds, seconds)))
        return tuple(found)


def parse_faults(text: str, seed: int = 0) -> Faults:
    """Read a specification. Raises ConfigError with all rules that cannot be read."""
    rules: list[FaultRule] = []
    problems: list[Problem] = []
    for part in (part.strip() for part in text.split(";")):
        try:
            if part.startswith("seed="):
                seed = int(part.removeprefix("seed="))
            elif part:
                rules.append(_rule(part))
        except ValueError as error:
            problems.append(
                Problem(message=f"{part!r}: {error}", path=("faults",), hint=_HELP, code="faults")
            )
    if problems:
        raise ConfigError(problems=problems)
    return Faults(tuple(rules), seed)


def _rule(text: str) -> FaultRule:
    names, _, rest = text.rpartition(":")
    words = rest.split()
    if not words:
        raise ValueError("no action")
    operations = tuple(name.strip() for name in names.split(",") if name.strip()) or ("*",)
    for name in operations:
        _check_operation(name)
    action, options = words[0], words[1:]
    known: dict[str, str] = {}
    after = action in {"lost", "html", "cut", "null"}
    for option in options:
        if option in {"before", "after"}:
            after = option == "after"
            continue
        name, sign, value = option.partition("=")
        if not sign or name not in {"p", "skip", "times"}:
            raise ValueError(f"unknown option {option!r}")
        known[name] = value
    kind, status, seconds = _action(action)
    probability = float(known.get("p", 1))
    if not 0 < probability <= 1:
        raise ValueError(f"p={known['p']} is not above 0 and at most 1")
    skip, times = int(known.get("skip", 0)), int(known.get("times", 1))
    if skip < 0 or times < 1:
        raise ValueError("skip is 0 or more, and times 1 or more")
    return FaultRule(
        kind=kind,
        operations=operations,
        status=status,
        after=after,
        seconds=seconds,
        probability=probability,
        skip=skip,
        times=times if "times" in known else None,
    )


def _check_operation(name: str) -> None:
    """Raises ValueError for a name or pattern that no operation has."""
    ids = [operation.id for operation in OPERATIONS]
    if name in {"reads", "changes"} or name.startswith(_BESIDE) or fnmatch.filter(ids, name):
        return
    meant = did_you_mean(nearest(name, ["reads", "changes", *ids]), before="; ")
    raise ValueError(f"there is no operation {name!r}{meant}")


def _action(word: str) -> tuple[FaultKind, int, tuple[float, float]]:
    nothing = (0.0, 0.0)
    if word.startswith("latency="):
        low, _, high = word.removeprefix("latency=").partition("..")
        seconds = float(low), float(high or low)
        if not 0 <= seconds[0] <= seconds[1] < math.inf:
            raise ValueError(f"{word} is no range of seconds from 0 on, the lower first")
        return "latency", 0, seconds
    if word in {"reset", "lost"}:
        return "reset", 0, nothing
    if word in {"refuse", "hang", "html", "cut", "null"}:
        return cast("FaultKind", word), 0, nothing
    if word.isdigit() and 400 <= int(word) <= 599:
        return "status", int(word), nothing
    raise ValueError(f"unknown action {word!r}")
