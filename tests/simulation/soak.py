"""Many simulations: `python -m tests.simulation.soak --seeds 1000`.

`--seed X --trace` replays one of them and shows every event.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from attrs import define, field

from tests.simulation.scenario import scenario
from tests.simulation.simulate import Outcome, simulate


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
    failing: list[Outcome] = field(factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.simulated += outcome.seconds
        self.runs += outcome.runs
        self.faults += outcome.faults
        self.kills += outcome.kills
        self.codes += outcome.codes
        self.commands += outcome.commands
        if outcome.violations:
            self.failing.append(outcome)

    def text(self, seconds: float) -> str:
        faults = ", ".join(f"{kind} {count}" for kind, count in sorted(self.faults.items()))
        kills = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kills.items()))
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(self.codes.items()))
        commands = ", ".join(f"{kind} {count}" for kind, count in sorted(self.commands.items()))
        return (
            f"{self.seeds} seeds, {self.runs} runs in {seconds:.1f} s "
            f"({self.simulated / 3600:.1f} h simulated)\n"
            f"commands: {commands}\n"
            f"faults: {sum(self.faults.values())} ({faults})\n"
            f"kills: {sum(self.kills.values())} ({kills})\n"
            f"exit codes: {codes}\n"
            f"violations: {sum(len(outcome.violations) for outcome in self.failing)}"
        )


def replay_command(seed: int) -> str:
    return f"{sys.executable} -m tests.simulation.soak --seed {seed} --trace"


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


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def outcomes(seeds: range, jobs: int) -> Iterator[Outcome]:
    """The outcomes of many seeds, on several cores."""
    if jobs == 1:
        yield from map(simulate_seed, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(simulate_seed, seeds, chunksize=8)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--trace", action="store_true", help="show every event")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        outcome = simulate(scenario(chosen.seed), _say if chosen.trace else None)
        _say("\n".join(outcome.violations) or "no violations")
        return bool(outcome.violations)
    start, tally = time.monotonic(), Tally()
    for outcome in outcomes(range(chosen.first, chosen.first + chosen.seeds), chosen.jobs):
        tally.add(outcome)
        if outcome.violations:
            _say(f"seed {outcome.seed}: replay with: {replay_command(outcome.seed)}")
            _say("\n".join(f"  {text[:300]}" for text in outcome.violations[:6]))
    _say(tally.text(time.monotonic() - start))
    return bool(tally.failing)


if __name__ == "__main__":
    sys.exit(main())
