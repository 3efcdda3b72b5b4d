"""Machines that are no members of a process group: release command, machine checks, console."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Final

from fly_machines.models import (
    CreateMachineRequest,
    FlyDNSConfig,
    FlyMachineConfig,
    FlyMachineGuest,
    FlyMachineInit,
    FlyMachineRestart,
    FlyStopConfig,
    Machine,
)
from score_flyio.deploy.desired.containers import NOTHING
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.files import merged_files
from score_flyio.deploy.desired.guest import RELEASE_COMMAND_SIZE, default_guest, guest_of, preset
from score_flyio.deploy.desired.machine_config import (
    add_release,
    environment,
    group_metadata,
    stop_config,
)
from score_flyio.deploy.metadata import CONSOLE_GROUP, RELEASE_GROUP, TEST_GROUP
from score_flyio.deploy.model import FileSource
from score_flyio.flytoml.groups import flatten
from score_flyio.flytoml.spec import AppSpec, DeploySection, MachineCheck
from score_flyio.flytoml.values import split_command
from score_flyio.state.deployments import Release

TESTED_ADDRESS: Final = "FLY_TEST_MACHINE_IP"
"""Tells a machine check where the machine is that it tests."""


def release_command_machine(spec: AppSpec, *, files: FileSource) -> FlyMachineConfig | None:
    """The config of the machine that runs the release command, without image.

    The guest is set where `release_command_vm` gives it. None when there is no command.
    """
    deploy = spec.deploy or DeploySection()
    words = split_command(deploy.release_command)
    if not words:
        return None
    config = _temporary(spec, RELEASE_GROUP, {"RELEASE_COMMAND": "1"})
    config.init = FlyMachineInit(
        cmd=list(words), entrypoint=_entrypoint(spec), swap_size_mb=spec.swap_size_mb
    )
    config.stop_config = stop_config(spec.kill_signal, spec.kill_timeout)
    config.files = merged_files(spec.files, files)
    if (vm := deploy.release_command_vm) is not None:
        place = "deploy.release_command_vm"
        config.guest = guest_of(vm, host_dedication_id=spec.host_dedication_id, place=place)
    return config


def release_command_input(
    spec: AppSpec,
    *,
    image: str,
    release: Release,
    files: FileSource,
    existing: Iterable[FlyMachineGuest] = (),
    guest: FlyMachineGuest | None = None,
) -> CreateMachineRequest | None:
    """The request that creates the release machine; it is started by a later call.

    Its size is `release_command_vm`, else the largest memory among `existing` guests of the default
    group's machines, else `guest` (the command line's), else Fly's default for release commands.
    None when there is no release command.
    """
    config = release_command_machine(spec, files=files)
    if config is None:
        return None
    if config.guest is None:
        largest = max(existing, key=lambda other: other.memory_mb or 0, default=None)
        config.guest = deepcopy(largest or guest) or preset(RELEASE_COMMAND_SIZE)
    request = _request(spec, config, image, release)
    request.skip_launch = True
    return request


def machine_check_input(
    spec: AppSpec,
    check: MachineCheck,
    under_test: Machine,
    *,
    release: Release,
    images: Mapping[str, str] = NOTHING,
    guest: FlyMachineGuest | None = None,
) -> CreateMachineRequest:
    """The request for a machine check, to be run against the machine `under_test`."""
    need_command(check)
    tested = under_test.config or FlyMachineConfig()
    told = {"FLY_TEST_COMMAND": "1", TESTED_ADDRESS: under_test.private_ip or ""}
    config = _temporary(spec, TEST_GROUP, {**(tested.env or {}), **told})
    tested_entrypoint = tested.init.entrypoint if tested.init else None
    config.init = FlyMachineInit(
        cmd=list(check.command),
        entrypoint=_entrypoint(spec) or list(check.entrypoint) or deepcopy(tested_entrypoint),
        swap_size_mb=spec.swap_size_mb,
    )
    config.stop_config = _test_stop_config(spec, check)
    config.guest = deepcopy(guest) or default_guest()
    image = check.image or tested.image or ""
    return _request(spec, config, images.get(image, image), release)


def need_command(check: MachineCheck, *, place: str = "machine_checks") -> None:
    """Raises ConversionError: the check has no command."""
    if not check.command:
        raise ConversionError(
            f"{place}.command",
            "missing",
            "a machine check has no command",
            hint='add a command, such as command = ["curl", "-f", "http://…"]',
        )


def group_machine_checks(spec: AppSpec, group: str) -> tuple[MachineCheck, ...]:
    """The machine checks of a group."""
    return tuple(flatten(spec, group).placed_machine_checks.values())


def console_machine(spec: AppSpec) -> FlyMachineConfig:
    """The config of a machine that waits for a console session, without image and guest."""
    config = _temporary(spec, CONSOLE_GROUP, {})
    config.init = FlyMachineInit(exec=["/bin/sleep", "inf"], swap_size_mb=spec.swap_size_mb)
    return config


def _test_stop_config(spec: AppSpec, check: MachineCheck) -> FlyStopConfig:
    signal, timeout = check.kill_signal, check.kill_timeout
    if not check.image:
        signal = spec.kill_signal if signal is None else signal
        timeout = spec.kill_timeout if timeout is None else timeout
    return stop_config(signal, timeout) or FlyStopConfig()


def _temporary(spec: AppSpec, group: str, more: Mapping[str, str]) -> FlyMachineConfig:
    return FlyMachineConfig(
        env=environment(spec, group, more),
        metadata=group_metadata(None, group),
        restart=FlyMachineRestart(policy="no"),
        auto_destroy=True,
        dns=FlyDNSConfig(skip_registration=True),
    )


def _request(
    spec: AppSpec, config: FlyMachineConfig, image: str, release: Release
) -> CreateMachineRequest:
    config.image = image
    if spec.host_dedication_id and config.guest:
        config.guest.host_dedication_id = spec.host_dedication_id
    add_release(config, release)
    return CreateMachineRequest(
        config=config,
        region=spec.primary_region or None,
        skip_secrets=False,
    )


def _entrypoint(spec: AppSpec) -> list[str] | None:
    return (list(spec.experimental.entrypoint) or None) if spec.experimental else None
