"""The rules that a decoded fly.toml has to keep, as flyctl enforces them before a deployment.

What `validate` does not check is not checked by flyctl either: region, port and signal names,
protocols, handlers, CPU and memory combinations, and whether machine configs can be made at all.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Final

from score_flyio.errors import InputError, Problem
from score_flyio.flytoml.findings import misfit
from score_flyio.flytoml.groups import default_group, matches, process_groups
from score_flyio.flytoml.limits import beyond_limits
from score_flyio.flytoml.names import STRATEGY_NAMES
from score_flyio.flytoml.spec import AppSpec, BuildSection, Mount
from score_flyio.flytoml.values import Duration, split_command, volume_gb
from score_flyio.images.reference import ImageReference

_POLICIES: Final = ("always", "never", "on-failure")
_COMPRESSIONS: Final = ("gzip", "zstd")
_SECOND: Final = Duration.of_seconds(1)
_TWO_SECONDS: Final = Duration.of_seconds(2)
_MINUTE: Final = Duration.of_seconds(60)


def validate(spec: AppSpec) -> tuple[Problem, ...]:
    """Every broken rule of the whole file."""
    rules = (_deploy, _commands, _checks, _groups_of_services, _restarts, _build, _mounts)
    return tuple(finding for rule in rules for finding in rule(spec))


def undeployable(spec: AppSpec) -> tuple[Problem, ...]:
    """What flyctl accepts in a file, and no deploy can do."""
    return (*_further_mounts(spec), *_statics(spec), *beyond_limits(spec))


def warnings_of(spec: AppSpec) -> tuple[Problem, ...]:
    """What is accepted with a remark."""
    return (*_build_sources(spec), *_services_without_ports(spec), *_service_checks(spec))


def _one_of(
    known: Sequence[str], place: str, what: str, given: str | None, code: str = "unsupported_value"
) -> Iterator[Problem]:
    if given not in known:
        message = f"unknown {what} {given!r}" if given else f"the {what} is missing"
        yield misfit(place, code, message, f"use one of {', '.join(known)}")


def _deploy(spec: AppSpec) -> Iterator[Problem]:
    strategy = spec.deploy.strategy if spec.deploy else ""
    if strategy:
        yield from _one_of(STRATEGY_NAMES, "deploy.strategy", "strategy", strategy)
    if strategy == "canary" and spec.mounts:
        message = "canary needs a spare machine, which cannot have a volume"
        hint = "use rolling or immediate, or remove the mounts"
        yield misfit("deploy.strategy", "canary_with_mounts", message, hint)


def _commands(spec: AppSpec) -> Iterator[Problem]:
    lines = {f"processes.{group}": line for group, line in sorted(spec.processes.items())}
    lines["console_command"] = spec.console_command
    lines["deploy.release_command"] = spec.deploy.release_command if spec.deploy else ""
    for place, line in lines.items():
        try:
            split_command(line)
        except ValueError as error:
            message = f"the command {line!r} cannot be split into words: {error}"
            hint = "close the quotes and finish the backslash"
            yield misfit(place, "unparsable_command", message, hint)


def _checks(spec: AppSpec) -> Iterator[Problem]:
    for name, check in sorted(spec.checks.items()):
        place = f"checks.{name}"
        code = "missing_or_unsupported_value"
        yield from _one_of(("tcp", "http"), f"{place}.type", "type", check.type, code)
        if check.interval is not None and check.interval < _TWO_SECONDS:
            message = f"{check.interval} is too short"
            yield misfit(f"{place}.interval", "below_minimum", message, "use 2s or more")
        if check.timeout is not None and check.timeout > _MINUTE:
            message = f"{check.timeout} is too long"
            yield misfit(f"{place}.timeout", "above_maximum", message, "use 60s or less")


def _groups_of_services(spec: AppSpec) -> Iterator[Problem]:
    groups = process_groups(spec)
    for section, service in spec.placed_services.items():
        processes = service.processes
        if spec.processes and not processes:
            message = "the file has [processes], but this service names none"
            hint = f'name the groups it belongs to, such as processes = ["{groups[0]}"]'
            yield misfit(f"{section}.processes", "missing_process_group", message, hint)
        yield from _unknown_groups(f"{section}.processes", processes, groups)


def _unknown_groups(
    place: str, processes: Sequence[str], groups: Sequence[str]
) -> Iterator[Problem]:
    unknown = [name for name in processes if name not in groups]
    if unknown:
        message = f"no process group is named {', '.join(map(repr, unknown))}"
        hint = f"use one of {', '.join(groups)}"
        yield misfit(place, "unknown_process_group", message, hint)


def _restarts(spec: AppSpec) -> Iterator[Problem]:
    for index, restart in enumerate(spec.restart):
        place = f"restart[{index}]"
        yield from _one_of(_POLICIES, f"{place}.policy", "policy", restart.policy)
        yield from _unknown_groups(f"{place}.processes", restart.processes, process_groups(spec))


def _build(spec: AppSpec) -> Iterator[Problem]:
    build = spec.build or BuildSection()
    if build.image:
        try:
            ImageReference.parse(build.image)
        except InputError as error:
            yield misfit("build.image", error.code, error.message, error.hint or "")
    if build.compression:
        yield from _one_of(_COMPRESSIONS, "build.compression", "compression", build.compression)
    if build.compression_level is not None and not 0 <= build.compression_level <= 9:
        message = f"{build.compression_level} is not a compression level"
        yield misfit("build.compression_level", "out_of_range", message, "use a number from 0 to 9")


def _further_mounts(spec: AppSpec) -> Iterator[Problem]:
    default = default_group(spec)
    for group in process_groups(spec):
        places = [
            f"mounts[{index}]"
            for index, mount in enumerate(spec.mounts)
            if matches(mount.processes, group, default)
        ]
        if len(places) > 1:
            message = f"process group {group!r} has {len(places)} mounts"
            hint = "a machine can have one volume: keep one mount per group"
            yield misfit(places[1], "multiple_mounts_in_group", message, hint)


def _statics(spec: AppSpec) -> Iterator[Problem]:
    for index, static in enumerate(spec.statics):
        if not static.tigris_bucket and not static.guest_path.startswith("/"):
            path = static.guest_path
            message = f"{path!r} is a folder of this computer, which only flyctl uploads"
            hint = "name a folder of the image, which starts with /, or a tigris_bucket"
            yield misfit(f"statics[{index}].guest_path", "statics_not_uploaded", message, hint)


def _mounts(spec: AppSpec) -> Iterator[Problem]:
    for index, mount in enumerate(spec.mounts):
        place = f"mounts[{index}]"
        yield from _size(mount.initial_size, f"{place}.initial_size")
        days = mount.snapshot_retention
        if days is not None and not 1 <= days <= 60:
            message = f"snapshots cannot be kept for {days} days"
            hint = "use a number from 1 to 60"
            yield misfit(f"{place}.snapshot_retention", "out_of_range", message, hint)
        yield from _auto_extend(mount, place)


def _auto_extend(mount: Mount, place: str) -> Iterator[Problem]:
    threshold = mount.auto_extend_size_threshold
    given = mount.auto_extend_size_increment
    increment = yield from _size(given, f"{place}.auto_extend_size_increment")
    limit = yield from _size(mount.auto_extend_size_limit, f"{place}.auto_extend_size_limit")
    if not (threshold or increment or limit):
        return
    if not 50 <= threshold <= 99:
        message = f"a volume cannot be extended at {threshold} percent"
        hint = "use a number from 50 to 99"
        yield misfit(f"{place}.auto_extend_size_threshold", "out_of_range", message, hint)
    if not 1 <= increment <= 100:
        message = f"a volume cannot be extended by {increment} GB"
        hint = "use a size from 1gb to 100gb"
        yield misfit(f"{place}.auto_extend_size_increment", "out_of_range", message, hint)
    if limit and not 1 <= limit <= 500:
        message = f"a volume cannot be extended to {limit} GB"
        hint = "use a size up to 500gb, or leave it out"
        yield misfit(f"{place}.auto_extend_size_limit", "out_of_range", message, hint)
    if threshold and not increment and not limit:
        message = "a threshold alone extends nothing"
        hint = "add auto_extend_size_increment and auto_extend_size_limit"
        yield misfit(f"{place}.auto_extend_size_threshold", "incomplete_auto_extend", message, hint)


def _size(text: str, place: str) -> Generator[Problem, None, int]:
    """Yields what is wrong with a size, and returns its GB."""
    size = 0
    try:
        size = volume_gb(text) if text else 0
    except ValueError as error:
        yield misfit(place, "invalid_size", str(error), "write a size such as 10gb")
    else:
        if text and size < 1:
            yield misfit(place, "below_minimum", f"{text!r} is below 1 GB", "use 1gb or more")
    return size


def _build_sources(spec: AppSpec) -> Iterator[Problem]:
    build = spec.build or BuildSection()
    sources = {
        "image": build.image,
        "a buildpack": build.builder or build.buildpacks,
        "a Dockerfile": build.dockerfile or build.build_target,
        "builtin": build.builtin,
    }
    given = [name for name, value in sources.items() if value]
    if len(given) > 1:
        message = f"several kinds of build are given: {', '.join(given)}"
        yield misfit("build", "multiple_build_strategies", message, f"keep one; {given[0]} is used")


def _services_without_ports(spec: AppSpec) -> Iterator[Problem]:
    for index, service in enumerate(spec.services):
        if not service.ports:
            message = "the service has no ports, so nothing reaches it"
            hint = "add a [[services.ports]]"
            yield misfit(f"services[{index}].ports", "no_ports", message, hint)


def _service_checks(spec: AppSpec) -> Iterator[Problem]:
    for place, check in spec.service_checks.items():
        yield from _limits(f"{place}.interval", check.interval)
        yield from _limits(f"{place}.timeout", check.timeout)
        if check.grace_period != Duration(0):
            yield from _limits(f"{place}.grace_period", check.grace_period)


def _limits(place: str, span: Duration | None) -> Iterator[Problem]:
    if span is None:
        return
    if span < _SECOND:
        message = f"the platform makes {span} one second"
        yield misfit(place, "raised_to_minimum", message, "use 1s or more")
    if span > _MINUTE:
        message = f"the platform makes {span} one minute"
        yield misfit(place, "lowered_to_maximum", message, "use 1m or less")
