"""Many simulations: `python -m tests.simulation.soak --seeds 1000`.

Each seed is a project with its commands, two engines at once on one app, and a crowd: our own
computers, flyctl, people and the platform all at work on one app. `--seed X --trace` replays the
first and shows every event, `--pair X --trace` the second, `--crowd X --trace` the third.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Literal, TypeAlias

from attrs import define, field, frozen

from tests.simulation.crowd.run import CrowdOutcome, simulate_crowd
from tests.simulation.crowd.schedule import crowd
from tests.simulation.pairs import kinds_of, simulate_pair
from tests.simulation.scenario import scenario
from tests.simulation.simulate import Outcome, simulate


@frozen(kw_only=True)
class Seed:
    """What one seed showed: a project, two engines at once on one app, and a crowd."""

    outcome: Outcome
    pair: Counter[str]
    """Its kinds, for counting."""
    pair_violations: tuple[str, ...]
    crowd: CrowdOutcome


@define
class Tally:
    """What all simulations showed together."""

    seeds: int = 0
    simulated: float = 0.0
    runs: int = 0
    faults: Counter[str] = field(factory=Counter)
    kills: Counter[str] = field(factory=Counter)
    codes: Counter[int] = field(factory=Counter)
    commands: Counter[str] = field(factory=Counter)
    pairs: Counter[str] = field(factory=Counter)
    crowds: Counter[str] = field(factory=Counter)
    violations: int = 0

    def add(self, seed: Seed) -> None:
        outcome = seed.outcome
        self.seeds += 1
        self.pairs += seed.pair
        self.simulated += outcome.seconds
        self.runs += outcome.runs
        self.faults += outcome.faults
        self.kills += outcome.kills
        self.codes += outcome.codes
        self.commands += outcome.commands
        self.crowds += seed.crowd.counts
        self.violations += len(outcome.violations) + len(seed.pair_violations)
        self.violations += len(seed.crowd.violations)

    def text(self, seconds: float) -> str:
        faults, kills, commands, pairs, crowds = map(
            _counted, (self.faults, self.kills, self.commands, self.pairs, self.crowds)
        )
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(self.codes.items()))
        return (
            f"{self.seeds} seeds, {self.runs} runs in {seconds:.1f} s "
            f"({self.simulated / 3600:.1f} h simulated)\n"
            f"commands: {commands}\n"
            f"faults: {sum(self.faults.values())} ({faults})\n"
            f"kills: {sum(self.kills.values())} ({kills})\n"
            f"exit codes: {codes}\n"
            f"pairs of engines at once on one app: {self.seeds} ({pairs})\n"
            f"crowds: {self.seeds} ({crowds})\n"
            f"violations: {self.violations}"
        )


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(found.items()))


Part: TypeAlias = Literal["seed", "pair", "crowd"]
"""What a seed stands for; `seed`: the project."""


def replay_command(seed: int, part: Part = "seed") -> str:
    """Shows every event of a seed."""
    return f"{sys.executable} -m tests.simulation.soak --{part} {seed} --trace"


def simulate_seed(seed: int) -> Outcome:
    """One simulation; one that breaks down counts as a violation."""
    try:
        return simulate(scenario(seed))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        text = f"the simulation broke down: {type(error).__name__}: {_innermost(error)}"
        nothing: Counter[str] = Counter()
        return Outcome(
            seed=seed,
            violations=(text,),
            faults=nothing,
            kills=nothing,
            runs=0,
            codes=Counter(),
            seconds=0.0,
            fleet={},
        )


def simulate_pair_of(seed: int) -> tuple[str, ...]:
    """What the pair of a seed violated; one that breaks down counts as a violation."""
    try:
        return tuple(simulate_pair(seed))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return (f"the pair broke down: {type(error).__name__}: {_innermost(error)}",)


def simulate_crowd_of(seed: int) -> CrowdOutcome:
    """What the crowd of a seed showed; one that breaks down counts as a violation."""
    try:
        return simulate_crowd(crowd(seed))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        text = f"the crowd broke down: {type(error).__name__}: {_innermost(error)}"
        return CrowdOutcome(seed=seed, violations=(text,))


def everything(seed: int) -> Seed:
    """All that a seed stands for."""
    return Seed(
        outcome=simulate_seed(seed),
        pair=kinds_of(seed),
        pair_violations=simulate_pair_of(seed),
        crowd=simulate_crowd_of(seed),
    )


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def outcomes(seeds: range, jobs: int) -> Iterator[Seed]:
    """The outcomes of many seeds, on several cores."""
    if jobs == 1:
        yield from map(everything, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(everything, seeds, chunksize=8)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--pair", type=int, help="the two engines of this seed alone")
    parser.add_argument("--crowd", type=int, help="the crowd of this seed alone")
    parser.add_argument("--trace", action="store_true", help="show every event")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    chosen = parser.parse_args()
    trace = _say if chosen.trace else None
    found: Sequence[str] | None = None
    if chosen.seed is not None:
        found = simulate(scenario(chosen.seed), trace).violations
    elif chosen.pair is not None:
        found = simulate_pair(chosen.pair, trace)
    elif chosen.crowd is not None:
        found = simulate_crowd(crowd(chosen.crowd), trace).violations
    if found is not None:
        _say("\n".join(found) or "no violations")
        return bool(found)
    start, tally = time.monotonic(), Tally()
    for each in outcomes(range(chosen.first, chosen.first + chosen.seeds), chosen.jobs):
        tally.add(each)
        _tell(each.outcome.seed, each.outcome.violations)
        _tell(each.outcome.seed, each.pair_violations, "pair")
        _tell(each.outcome.seed, each.crowd.violations, "crowd")
    _say(tally.text(time.monotonic() - start))
    return bool(tally.violations)


def _tell(seed: int, violations: tuple[str, ...], part: Part = "seed") -> None:
    if violations:
        _say(f"seed {seed}: replay with: {replay_command(seed, part)}")
        _say("\n".join(f"  {text[:300]}" for text in violations[:6]))


if __name__ == "__main__":
    sys.exit(main())
