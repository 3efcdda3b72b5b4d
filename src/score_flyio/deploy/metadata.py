"""The metadata by which machines are recognised: flyctl's keys, and ours beside them."""

from __future__ import annotations

from attrs import frozen

from fly_machines import models

PLATFORM = "fly_platform_version"
"""`v2` on every machine that flyctl sees as its own."""
GROUP = "fly_process_group"
OLD_GROUP = "process_group"
RELEASE_ID = "fly_release_id"
RELEASE_VERSION = "fly_release_version"
TOOL_VERSION = "fly_flyctl_version"
CANARY = "fly_canary"

LAUNCH = "score_flyio_launch_id"
"""Idempotency key of a create. `ID:NUMBER/OF` for machines of a launch of several."""

RELEASE_GROUP = "fly_app_release_command"
RESERVED_GROUPS = frozenset(
    {RELEASE_GROUP, "fly_app_test_machine_command", "fly_app_console", "release_command"}
)


def metadata(machine: models.Machine) -> dict[str, str]:
    """The machine's metadata; that of a partial config when its host does not answer."""
    config = machine.config or machine.incomplete_config
    return (config.metadata if config else None) or {}


def group_of(machine: models.Machine, default: str = "app") -> str:
    """The process group of a machine; the default one where it names none."""
    found = metadata(machine)
    return found.get(GROUP) or found.get(OLD_GROUP) or default


def living(machine: models.Machine) -> bool:
    return machine.state not in {"destroyed", "destroying"}


def is_own(machine: models.Machine) -> bool:
    """Whether the machine is part of the running app, by flyctl's rule."""
    return metadata(machine).get(PLATFORM) == "v2" and group_of(machine) not in RESERVED_GROUPS


def is_release_machine(machine: models.Machine) -> bool:
    found = metadata(machine)
    if found.get(PLATFORM) != "v2":
        return False
    return found.get(GROUP) == RELEASE_GROUP or found.get(OLD_GROUP) == "release_command"


@frozen
class Launch:
    """The place of a machine among those that were to be created together."""

    id: str
    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.id}:{self.number}/{self.of}"

    @classmethod
    def of_machine(cls, machine: models.Machine) -> Launch | None:
        """Reads it from the metadata; None where there is none."""
        head, colon, tail = metadata(machine).get(LAUNCH, "").partition(":")
        number, slash, count = tail.partition("/")
        if colon and slash and number.isdigit() and count.isdigit():
            return cls(head, int(number), int(count))
        return None
