"""All that a valid fly.toml has of which no machine can be made, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from fly_machines.models import FlyMachineConfig
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.checks import machine_checks
from score_flyio.deploy.desired.containers import with_sources
from score_flyio.deploy.desired.errors import ConversionError, attempt
from score_flyio.deploy.desired.files import merged_files
from score_flyio.deploy.desired.guest import guest_of, refuse_impossible
from score_flyio.deploy.desired.machine_config import machine_config
from score_flyio.deploy.desired.special import need_command, release_command_machine
from score_flyio.deploy.model import FileSource
from score_flyio.errors import Problem
from score_flyio.flytoml.groups import flatten, process_groups, vm_of
from score_flyio.flytoml.spec import AppSpec, VmSpec

_Conversions = Iterator[Callable[[], object]]


def conversion_problems(spec: AppSpec, files: FileSource) -> tuple[Problem, ...]:
    """What cannot be converted, as flyctl finds it: what no machine uses is left alone."""
    parts = _told(_parts(spec, files))
    known = set(map(_wording, parts))
    whole = [error for error in _told(_wholes(spec, files)) if _wording(error) not in known]
    return _each_once([*parts, *whole])


def undeployable_problems(spec: AppSpec, files: FileSource) -> tuple[Problem, ...]:
    """The same with what flyctl leaves to the platform, such as sizes that Fly does not have."""
    checks = _told(
        partial(need_command, check, place=place)
        for place, check in spec.placed_machine_checks.items()
    )
    sizes = _told(partial(_possible_size, vm, place=place) for place, vm in _sizes(spec))
    converted = conversion_problems(spec, files)
    known = set(map(str, converted))
    return (*converted, *(p for p in _each_once([*checks, *sizes]) if str(p) not in known))


def _parts(spec: AppSpec, files: FileSource) -> _Conversions:
    """The parts of the machine configs, each by itself, and so with the place of each."""
    for index in range(len(spec.files)):
        yield partial(merged_files, spec.files[index : index + 1], files, first=index)
    for group in process_groups(spec):
        flat = flatten(spec, group)
        yield partial(with_sources, FlyMachineConfig(), flat, files)
        for name, check in flat.checks.items():
            yield partial(machine_checks, evolve(flat, checks={name: check}))
    for place, vm in _sizes(spec):
        yield partial(guest_of, vm, place=place)


def _wholes(spec: AppSpec, files: FileSource) -> _Conversions:
    for group in process_groups(spec):
        yield partial(machine_config, spec, group, files=files)
    yield partial(release_command_machine, spec, files=files)


def _sizes(spec: AppSpec) -> Iterator[tuple[str, VmSpec]]:
    """Tables of sizes that machines have, with their places."""
    used = [vm_of(spec, group) for group in process_groups(spec)]
    for index, vm in enumerate(spec.vm):
        if any(vm is each for each in used):
            yield f"vm[{index}]", vm
    if spec.deploy is not None and spec.deploy.release_command_vm is not None:
        yield "deploy.release_command_vm", spec.deploy.release_command_vm


def _possible_size(vm: VmSpec, *, place: str) -> None:
    """Raises ConversionError: the size cannot be read, or Fly does not have it."""
    refuse_impossible(guest_of(vm, place=place), place=place)


def _wording(error: ConversionError) -> tuple[str, ...]:
    """What it says, wherever that is."""
    return (error.field, *(problem.message for problem in error.problems))


def _told(conversions: _Conversions) -> list[ConversionError]:
    errors = (attempt(convert)[1] for convert in conversions)
    return [error for error in errors if error is not None]


def _each_once(errors: list[ConversionError]) -> tuple[Problem, ...]:
    return tuple({str(p): p for error in errors for p in error.problems}.values())
