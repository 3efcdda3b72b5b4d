"""Process groups of an app, and the app reduced to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from score_flyio.base.record import evolve
from score_flyio.flytoml.spec import AppSpec, VmSpec

Section = TypeVar("Section")


def process_groups(spec: AppSpec) -> tuple[str, ...]:
    """Names of the groups in ascending byte order; `app` alone without `[processes]`."""
    return tuple(sorted(spec.processes)) or ("app",)


def default_group(spec: AppSpec) -> str:
    """The group of sections without `processes`: `app`, else the first."""
    groups = process_groups(spec)
    return "app" if "app" in groups else groups[0]


def matches(processes: Sequence[str], group: str, default: str) -> bool:
    """Whether a section with this `processes` list goes to `group`.

    An empty name stands for the default group, as an empty list does.
    """
    if group in processes:
        return True
    return group == default and (not processes or "" in processes)


def vm_of(spec: AppSpec, group: str) -> VmSpec | None:
    """The `[[vm]]` that serves a group: the last that lists it, else the first for all groups."""
    listing = [vm for vm in spec.vm if group in vm.processes]
    generic = [vm for vm in spec.vm if matches(vm.processes, group, default=group)]
    return listing[-1] if listing else next(iter(generic), None)


def flatten(spec: AppSpec, group: str) -> AppSpec:
    """The app reduced to one group, whose name stands in every `processes` list left."""
    default = default_group(spec)

    def own(section: Any) -> Any:
        return evolve(section, processes=(group,))

    def pick(sections: tuple[Section, ...]) -> tuple[Section, ...]:
        return tuple(own(s) for s in sections if matches(_listed(s), group, default))

    http = spec.http_service
    if http is not None:
        http = own(http) if matches(http.processes, group, default) else None
    vm = vm_of(spec, group)
    return evolve(
        spec,
        host_dedication_id=(vm.host_dedication_id if vm else "") or spec.host_dedication_id,
        processes={name: line for name, line in spec.processes.items() if name == group},
        mounts=pick(spec.mounts),
        http_service=http,
        services=pick(spec.services),
        checks={
            name: own(check)
            for name, check in spec.checks.items()
            if matches(check.processes, group, default)
        },
        files=pick(spec.files),
        restart=pick(spec.restart),
        vm=() if vm is None else (own(vm),),
        metrics=pick(spec.metrics),
    )


def _listed(section: Any) -> tuple[str, ...]:
    listed: tuple[str, ...] = section.processes
    return listed
