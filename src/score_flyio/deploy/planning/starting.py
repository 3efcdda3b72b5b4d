"""Which machines at rest a deploy starts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fly_machines import models
from score_flyio.deploy.condition import rests
from score_flyio.deploy.metadata import group_of
from score_flyio.deploy.planning.model import GroupContext
from score_flyio.deploy.planning.standbys import Standbys
from score_flyio.flytoml.groups import default_group, flatten


def to_start(
    context: GroupContext, machines: Sequence[models.Machine], standbys: Standbys
) -> frozenset[str]:
    """Ids of machines at rest that are to run."""
    serving = [machine for machine in machines if machine.id not in standbys.targets]
    wanted = frozenset(machine.id or "" for machine in _wanted(context, serving))
    return wanted | standbys.starting | _for_one_that_runs(context, machines, standbys.stand_ins)


def _wanted(context: GroupContext, machines: Sequence[models.Machine]) -> Sequence[models.Machine]:
    """With `--start` all that rest.

    Else as many as `min_machines_running` lacks in the primary region: the proxy keeps so many from
    being stopped, and starts none.
    """
    resting = [machine for machine in machines if rests(machine)]
    if context.options.start:
        return resting
    spec = flatten(context.desired.spec, context.group)
    region = spec.primary_region
    services = (*spec.services, *((spec.http_service,) if spec.http_service else ()))
    wanted = max((service.min_machines_running or 0 for service in services), default=0)
    running = sum(1 for m in machines if m.region == region and not rests(m))
    return [m for m in resting if m.region == region][: max(0, wanted - running)]


def _for_one_that_runs(
    context: GroupContext, machines: Sequence[models.Machine], heirs: Mapping[str, str]
) -> frozenset[str]:
    """Those that come from another group, each for one that runs.

    `heirs` has the new one by that which goes.
    """
    default = default_group(context.desired.spec)
    running = {heirs.get(machine.id or "") for machine in machines if not rests(machine)}
    return frozenset(
        machine.id or ""
        for machine in machines
        if machine.id in running and rests(machine) and group_of(machine, default) != context.group
    )
