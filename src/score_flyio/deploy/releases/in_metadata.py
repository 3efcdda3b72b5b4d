"""Earlier releases in the metadata of the machines themselves, so that no lost state loses them.

The platform lists the configs that a machine had, but under names of images whose tags may have
moved, and of a machine that took over from another only its own. So each config that a machine gets
carries the releases before it: number, time, image with its digest, config. What metadata may hold
is not documented: few releases are kept, packed, and a config that takes too much room is left out.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.base.ulid import time_of
from score_flyio.deploy.metadata import (
    GROUP,
    HISTORY,
    OWN_PREFIX,
    PASSING_KEYS,
    Marks,
    group_of,
    release_number,
    without_marks,
)
from score_flyio.deploy.releases.images import digest_of, exact, with_digest
from score_flyio.fly.codec import unstructure
from score_flyio.fly.present import metadata, shown_config
from score_flyio.state.deployments import Config, Release

KEPT: Final = 5
"""Releases that a machine carries, beside its present one."""
LONGEST: Final = 8192
"""Characters of the metadata value."""
_LARGEST: Final = 1 << 20
"""Bytes that are unpacked at most: metadata may be written by anyone."""
_LATEST: Final = 253_402_300_800
"""Seconds until the year 10000: no later time can be shown."""
_FORM: Final = "1."
"""How values of this form begin."""
_STANDBY_FOR: Final = "FLY_STANDBY_FOR"


def with_history(
    config: models.FlyMachineConfig, machine: models.Machine
) -> models.FlyMachineConfig:
    """The next config of a machine, or of one that takes its place, with the releases before it."""
    return Marks(history=pack(carried(machine)) or None).stamp(without_history(config))


def without_history(config: models.FlyMachineConfig) -> models.FlyMachineConfig:
    """The config where the platform does not take the history."""
    return without_marks(config, {HISTORY})


def carried(machine: models.Machine) -> tuple[Release, ...]:
    """All releases that a machine tells of, oldest first."""
    present = present_release(machine)
    return (*past_releases(machine), *((present,) if present else ()))


def past_releases(machine: models.Machine) -> tuple[Release, ...]:
    """The releases that a machine carries, oldest first; none where there are none to be read."""
    return unpack(Marks.of(machine).history or "", group_of(machine))


def present_release(machine: models.Machine) -> Release | None:
    """The release that made the present config of a machine; None: it is of no release.

    What is one machine's alone is not part of it.
    """
    version = release_number(metadata(machine))
    if not version:
        return None
    digest = digest_of(machine)
    return Release(
        version=version,
        at=_since(machine),
        image=with_digest(shown_config(machine).image or "", digest),
        configs={
            group_of(machine): unstructure(lasting(machine.config, digest))
            if machine.config
            else None
        },
    )


def lasting(config: models.FlyMachineConfig, digest: str | None = None) -> models.FlyMachineConfig:
    """The config as the release has it: nothing that is one machine's alone, its image by digest.

    Images of other containers stay as they are called: nobody tells their digests.
    """
    own, mounts = {k for k in config.metadata or {} if k.startswith(OWN_PREFIX)}, config.mounts
    kept = evolve(
        without_marks(config, own | PASSING_KEYS),
        standbys=None,
        env={k: v for k, v in (config.env or {}).items() if k != _STANDBY_FOR} or None,
        mounts=mounts and [evolve(mount, volume=None) for mount in mounts],
    )
    return exact(kept, digest)


def config_in(release: Release) -> Config | None:
    """The config in a release of one group."""
    return next(iter(release.configs.values()), None)


def pack(releases: Iterable[Release]) -> str:
    """The newest releases of one group as a value of metadata; empty where there are none.

    What does not fit goes, from the oldest on: first configs, then whole releases.
    """
    newest = {release.version: release for release in releases}
    kept = [newest[version] for version in sorted(newest)][-KEPT:]
    for number in range(len(kept)):
        if len(text := _packed(kept)) <= LONGEST:
            return text
        kept[number] = evolve(kept[number], configs=dict.fromkeys(kept[number].groups))
    while kept:
        if len(text := _packed(kept)) <= LONGEST:
            return text
        del kept[0]
    return ""


def _packed(releases: list[Release]) -> str:
    rows = [
        [one.version, None if one.at is None else round(one.at), one.image, config_in(one)]
        for one in releases
    ]
    plain = json.dumps(rows, separators=(",", ":"), sort_keys=True)
    return _FORM + base64.urlsafe_b64encode(zlib.compress(plain.encode(), 9)).decode()


def unpack(text: str, group: str) -> tuple[Release, ...]:
    """The releases of a value made by `pack`, of a group where their configs name none.

    A config that was too large to be carried is None.
    """
    if not text.startswith(_FORM):
        return ()
    try:
        packed = base64.b64decode(text.removeprefix(_FORM), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(packed, _LARGEST)
        rows = json.loads(plain) if unpacker.eof else []
    except (ValueError, RecursionError, zlib.error):
        return ()
    if not (isinstance(rows, list) and all(map(_is_release, rows))):
        return ()
    return tuple(
        Release(version=version, at=at, image=image, configs={_group(config, group): config})
        for version, at, image, config in rows
    )


def _group(config: Any, default: str) -> str:
    """The group of a config: a machine may have come from another one."""
    found = (config or {}).get("metadata")
    group = found.get(GROUP) if isinstance(found, dict) else None
    return group if isinstance(group, str) and group else default


def _is_release(row: Any) -> bool:
    match row:
        case [int(version), int() | None as at, str(), dict() | None]:
            return version > 0 and (at is None or 0 <= at < _LATEST)
        case _:
            return False


def _since(machine: models.Machine) -> float | None:
    """When the machine got its present config: the id of a version is a ULID."""
    found = time_of(machine.instance_id or "")
    try:
        found = found or datetime.fromisoformat(machine.updated_at or "").timestamp()
    except ValueError:
        return None
    return found if found < _LATEST else None
