"""The metadata by which machines are recognised: flyctl's keys, and ours beside them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, Final

from fly_machines import models
from score_flyio.base.record import evolve, field, fields, frozen, values
from score_flyio.fly.present import LAUNCH_KEY, metadata

PLATFORM = "fly_platform_version"
"""`v2` on every machine that flyctl sees as its own."""
GROUP = "fly_process_group"
OLD_GROUP = "process_group"
RELEASE_ID = "fly_release_id"
RELEASE_VERSION = "fly_release_version"
TOOL_VERSION = "fly_flyctl_version"
ALL_SECRETS_SEEN = "score_flyio_all_secrets"
"""The hash over the digests of all secrets of the app that were handed out to the machine last; it
goes when the machine starts anew for another reason, for nobody knows what it has seen then."""
BACK_TO = "score_flyio_back_to"
"""On machines of a release that goes back to an earlier one: the number of that one."""
SECRETS_SEEN = "score_flyio_secrets"
"""The hash over the digests of the workload's secrets that the machine was started with."""
CANARY = "fly_canary"
TAG = "fly_bluegreen_deployment_tag"
"""On green machines the release; flyctl writes it too."""
SAFE_TO_DESTROY = "safe_to_destroy"
"""Value of `TAG` on blue machines that may go."""
GREEN_LAUNCH = "fly_flyctl_bluegreen_launch_id"
OWN_PREFIX = "score_flyio_"
"""How the keys begin that are ours: what they say is about one machine, and never deployed."""
STANDS_FOR = f"{OWN_PREFIX}stands_for"
"""On green machines and replacements: the machine that each takes over from, and in which group."""
STAGED = f"{OWN_PREFIX}staged"
"""On machines of an app for which secrets were staged since they got their config."""
STAGED_REMOVAL = "removal"
"""Value of `STAGED` where some of them are to go: what is left tells nothing of them."""
TO_START = f"{OWN_PREFIX}to_start"
"""On machines whose version is to run: one at rest that nobody stopped was not started yet."""
ADDRESSES = f"{OWN_PREFIX}addresses"
"""On machines of a launch in an app that was deployed before: its addresses are decided."""
COUNTED = f"{OWN_PREFIX}counted"
"""On machines of a group whose count is for people to say: see `planning.counts`."""
FORMER_GROUP = f"{OWN_PREFIX}former_group"
"""On machines that another group took over with their volumes: the group that they came from."""
HISTORY = f"{OWN_PREFIX}history"
"""The releases before the present one: see `history`."""
PASSING_KEYS = frozenset({CANARY, TAG, GREEN_LAUNCH})
"""Keys of flyctl that mark a stage of a deploy."""
_OF_A_GREEN = frozenset({TAG, GREEN_LAUNCH, STANDS_FOR})

_DIGITS = 19
"""No release has a number of so many digits."""

RELEASE_GROUP = "fly_app_release_command"
TEST_GROUP = "fly_app_test_machine_command"
CONSOLE_GROUP = "fly_app_console"
RESERVED_GROUPS = frozenset({RELEASE_GROUP, TEST_GROUP, CONSOLE_GROUP, "release_command"})


def _mark(key: str) -> Any:
    """A mark, and the key that it has in metadata."""
    return field(default=None, metadata={"key": key})


@frozen(kw_only=True)
class Marks:
    """What the metadata of a machine tells of it; None: nothing."""

    release_id: str | None = _mark(RELEASE_ID)
    release_version: str | None = _mark(RELEASE_VERSION)
    tool_version: str | None = _mark(TOOL_VERSION)
    back_to: str | None = _mark(BACK_TO)
    secrets_seen: str | None = _mark(SECRETS_SEEN)
    all_secrets_seen: str | None = _mark(ALL_SECRETS_SEEN)
    canary: str | None = _mark(CANARY)
    tag: str | None = _mark(TAG)
    green_launch: str | None = _mark(GREEN_LAUNCH)
    stands_for: str | None = _mark(STANDS_FOR)
    staged: str | None = _mark(STAGED)
    to_start: str | None = _mark(TO_START)
    addresses: str | None = _mark(ADDRESSES)
    counted: str | None = _mark(COUNTED)
    former_group: str | None = _mark(FORMER_GROUP)
    history: str | None = _mark(HISTORY)

    @classmethod
    def of(cls, machine: models.Machine) -> Marks:
        """Those of a machine."""
        found = metadata(machine)
        texts: dict[str, Any] = {_NAMES[key]: text for key, text in found.items() if key in _NAMES}
        if STANDS_FOR in found:
            texts["stands_for"] = _stood_for(found[STANDS_FOR], machine)
        return cls(**texts)

    def stamp(self, config: models.FlyMachineConfig) -> models.FlyMachineConfig:
        """The config with these marks, over those that it has."""
        new = {_KEYS[name]: text for name, text in values(self).items() if text is not None}
        return evolve(config, metadata={**(config.metadata or {}), **new})


_KEYS: Final[Mapping[str, str]] = {each.name: each.metadata["key"] for each in fields(Marks)}
_NAMES: Final = {key: name for name, key in _KEYS.items()}


def without_marks(config: models.FlyMachineConfig, keys: Container[str]) -> models.FlyMachineConfig:
    """The config without what its metadata says under these keys."""
    found = config.metadata or {}
    return evolve(config, metadata={k: v for k, v in found.items() if k not in keys} or None)


def in_place_of(config: models.FlyMachineConfig, place: str | None) -> models.FlyMachineConfig:
    """The config of a machine that takes the place of another, which goes once this one is well.

    With the tag of a bluegreen update of long ago it would pass for a green one that never served.
    """
    group = group_of(models.Machine(config=config), "")
    name = f"{place}.{group}" if place and group else place
    return Marks(stands_for=name).stamp(without_marks(config, _OF_A_GREEN))


def _stood_for(text: str, machine: models.Machine) -> str | None:
    """The machine that another takes over from in its group; None: it was cloned into another one.

    A machine that once made way, and went to that group, would be destroyed there.
    """
    name, _, group = text.partition(".")
    return name if group in {"", group_of(machine, group)} else None


def from_group(
    config: models.FlyMachineConfig, former: str, place: str | None
) -> models.FlyMachineConfig:
    """The config of a machine that comes from another group, in the place of some machine there.

    That one goes, and not this one, should the run be cut short.
    """
    return Marks(former_group=former).stamp(in_place_of(config, place))


def group_of(machine: models.Machine, default: str = "app") -> str:
    """The process group of a machine; the default one where it names none."""
    found = metadata(machine)
    return found.get(GROUP) or found.get(OLD_GROUP) or default


def by_group(
    machines: Iterable[models.Machine], *, default: str = "app"
) -> dict[str, tuple[models.Machine, ...]]:
    """Machines by process group, each sorted by id."""
    members: dict[str, list[models.Machine]] = {}
    for machine in sorted(machines, key=lambda m: m.id or ""):
        members.setdefault(group_of(machine, default), []).append(machine)
    return {group: tuple(found) for group, found in members.items()}


def as_seen(machine: models.Machine) -> str:
    """What of a machine a plan depends on: with another text it has to be made anew."""
    return f"{machine.instance_id} {metadata(machine).get(TAG, '')}".rstrip()


def release_number(found: Mapping[str, str]) -> int:
    """The number of the release in a machine's metadata; 0 where there is none to be read."""
    text = found.get(RELEASE_VERSION, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0


def last_release(machines: Iterable[models.Machine]) -> int:
    """The highest number of a release that any of the machines carries; 0 where none does."""
    return max((release_number(metadata(machine)) for machine in machines), default=0)


def is_own(machine: models.Machine) -> bool:
    """Whether the machine is part of the running app, by flyctl's rule."""
    return metadata(machine).get(PLATFORM) == "v2" and group_of(machine) not in RESERVED_GROUPS


def is_stray(machine: models.Machine) -> bool:
    """Whether no deploy made the machine, and no command of flyctl that goes away again."""
    return not is_own(machine) and group_of(machine) not in RESERVED_GROUPS


def is_release_machine(machine: models.Machine) -> bool:
    """Whether the machine runs release commands: it is no part of the running app."""
    found = metadata(machine)
    named = found.get(GROUP) == RELEASE_GROUP or found.get(OLD_GROUP) == "release_command"
    return named and found.get(PLATFORM) == "v2"


@frozen
class Launch:
    """The place of a machine among those that were to be created together.

    In metadata it is the launch key: `ID.GROUP:NUMBER/OF`, with `+KEY` behind it for a machine that
    took over the place of another.
    """

    id: str
    number: int
    of: int
    again: str = ""
    """Tells the machine from the one whose place it took over."""
    group: str = ""
    """The group that was launched: a machine that somebody cloned into another one has no part in
    the launch. Empty where nothing tells: older versions did not."""

    def __str__(self) -> str:
        head = f"{self.id}.{self.group}" if self.group else self.id
        place = f"{head}:{self.number}/{self.of}"
        return f"{place}+{self.again}" if self.again else place

    @classmethod
    def of_machine(cls, machine: models.Machine) -> Launch | None:
        """Reads it from the metadata; None where there is none."""
        place, _, again = metadata(machine).get(LAUNCH_KEY, "").partition("+")
        head, colon, tail = place.partition(":")
        number, slash, count = tail.partition("/")
        if colon and slash and number.isdigit() and count.isdigit():
            name, _, group = head.partition(".")
            return cls(name, int(number), int(count), again, group)
        return None

    def is_of(self, group: str) -> bool:
        """Whether it may have been a launch of that group."""
        return self.group in {"", group}


def take_over(machine: models.Machine | None, key: str) -> str:
    """The idempotency key of a machine that takes over from another, with its place."""
    launch = None if machine is None else Launch.of_machine(machine)
    return key if launch is None else str(evolve(launch, again=key))
