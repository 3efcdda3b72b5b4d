"""What is done to the machines and volumes of groups, and what that depends on. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import field, frozen

from score_flyio.deploy.model import KnownApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.step import Step, UpdateMachine


@frozen(kw_only=True)
class PlanSettings:
    """What a plan depends on beside the app itself."""

    options: DeployOptions
    known: KnownApp
    new_id: Callable[[], str]
    """Gives a new unique text (ULID form) at each call."""
    tool_version: str


@frozen(kw_only=True)
class GroupPlan:
    """Steps on machines and volumes; the same for one group and for all together."""

    steps: tuple[Step, ...] = ()
    pools: Mapping[str, int] = field(factory=dict)
    leases: tuple[str, ...] = ()
    launches: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def uses_secrets(self) -> bool:
        """Whether any step waits for secrets to be set."""
        return any(getattr(step, "secrets_from", None) for step in self.steps)

    @property
    def certain(self) -> bool:
        """Whether a machine certainly changes, whatever setting secrets brings."""
        return any(
            not (isinstance(step, UpdateMachine) and step.only_if_secrets_differ)
            and getattr(step, "request", None) is not None
            for step in self.steps
        )


def join(plans: Iterable[GroupPlan]) -> GroupPlan:
    """The plans of several groups as one."""
    plans = tuple(plans)
    return GroupPlan(
        steps=tuple(step for plan in plans for step in plan.steps),
        pools={name: size for plan in plans for name, size in plan.pools.items()},
        leases=tuple(machine for plan in plans for machine in plan.leases),
        launches=tuple(launch for plan in plans for launch in plan.launches),
        unchanged=tuple(machine for plan in plans for machine in plan.unchanged),
        notes=tuple(note for plan in plans for note in plan.notes),
    )
