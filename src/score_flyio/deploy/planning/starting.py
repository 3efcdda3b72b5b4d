"""Which machines at rest a deploy starts. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from fly_machines import models
from score_flyio.deploy.condition import rests
from score_flyio.deploy.metadata import group_of
from score_flyio.deploy.planning.model import GroupContext
from score_flyio.flytoml.groups import default_group, flatten


def to_start(
    context: GroupContext, machines: Sequence[models.Machine], alone: Container[str | None] = ()
) -> frozenset[str]:
    """Ids of machines at rest that are to run: with `--start` all but standbys.

    Else as many as `min_machines_running` lacks in the primary region: the proxy keeps so many from
    being stopped, and starts none. Standbys that are `alone` in their group run anyway.
    """
    left = {machine.id or "" for machine in machines if machine.id in alone and rests(machine)}
    resting = [m for m in machines if rests(m) and not (m.config and m.config.standbys)]
    if not context.options.start:
        spec = flatten(context.desired.spec, context.group)
        region = spec.primary_region
        services = (*spec.services, *((spec.http_service,) if spec.http_service else ()))
        wanted = max((service.min_machines_running or 0 for service in services), default=0)
        resting = [m for m in resting if m.region == region]
        running = sum(1 for m in machines if m.region == region and not rests(m))
        resting = resting[: max(0, wanted - running)]
    return frozenset(left | {machine.id or "" for machine in resting})


def taking_a_running_place(
    context: GroupContext, machines: Sequence[models.Machine], heirs: Mapping[str, str]
) -> frozenset[str]:
    """Ids of machines at rest that come from another group, each for one that runs.

    `heirs` has the new one by that which goes.
    """
    default = default_group(context.desired.spec)
    running = {heirs.get(machine.id or "") for machine in machines if not rests(machine)}
    return frozenset(
        machine.id or ""
        for machine in machines
        if machine.id in running and rests(machine) and group_of(machine, default) != context.group
    )
