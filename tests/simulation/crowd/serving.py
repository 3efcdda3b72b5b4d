"""How many machines of a group serve while a command of ours is alone with the app."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field

from tests.simulation.commands import Deploy
from tests.simulation.crowd.members import Before, members, serves, to_run, volume_of
from tests.simulation.crowd.schedule import Round
from tests.simulation.platform import WatchedWorld, group_of

if TYPE_CHECKING:
    from tests.simulation.crowd.run import CrowdRun


@define
class Watch:
    """How many machines of each group serve during a command of ours that is alone."""

    run: CrowdRun
    promised: dict[str, int]
    least: dict[str, int] = field(factory=dict)

    @classmethod
    def begin(cls, run: CrowdRun, each: Round) -> Watch:
        """What is there now must not be taken away further than promised."""
        watch = cls(run, {})
        if each.alone and not run.events.down:
            watch.promised = watch._promises(each)
        watch.least = dict(watch.promised)
        world = run.emulator.world
        assert isinstance(world, WatchedWorld)
        if watch.promised:
            world.on_enter = watch._look
        return watch

    def end(self) -> list[str]:
        """The promises that were broken."""
        world = self.run.emulator.world
        assert isinstance(world, WatchedWorld)
        world.on_enter = lambda _at: None
        return [
            f"only {self.least[group]} machines of group {group} served, {count} were promised"
            for group, count in self.promised.items()
            if self.least[group] < count
        ]

    def _look(self, at: float) -> None:
        serving = self._serving(at)
        for group in self.promised:
            self.least[group] = min(self.least[group], serving[group])

    def _serving(self, at: float) -> Counter[str]:
        return Counter(
            group_of(m.config)
            for m in members(self.run.emulator.world)
            if to_run(m) and not m.cordoned and serves(m, at)
        )

    def _promises(self, each: Round) -> dict[str, int]:
        (ours,) = each.ours
        stages = self.run.crowd.app.stages
        if not isinstance(ours.command, Deploy):
            return {}
        stage = stages[ours.command.stage]
        if stage.bad or any(other.bad or other.autostop != "off" for other in stages):
            return {}
        strategy = ours.options.strategy or stage.strategy
        if strategy == "immediate":
            return {}
        self.run.emulator.advance()
        before, now = Before.of(self.run), self.run.clock.time()
        if not before.tidy:
            return {}
        serving = self._serving(now)
        found = {}
        at_work = (
            m
            for m in members(self.run.emulator.world)
            if to_run(m) and not m.cordoned and m.state not in {"stopped", "suspended"}
        )
        for group, size in Counter(group_of(m.config) for m in at_work).items():
            wanted = stage.group(group)
            if wanted is None or any(
                volume_of(m) != wanted.volume
                for m in members(self.run.emulator.world)
                if group_of(m.config) == group
            ):
                continue
            share = 0 if strategy == "bluegreen" else max(1, math.ceil(size * 0.33))
            found[group] = min(serving[group], size - share)
        return found
