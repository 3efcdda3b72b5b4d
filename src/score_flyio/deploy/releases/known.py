"""The releases of an app, put together from all that know of them. Pure.

The project state knows each release that a run of this project made; the machines carry the last
ones in their metadata, whoever deploys; the platform lists the configs that a machine had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from fly_machines import models
from score_flyio.deploy.metadata import group_of
from score_flyio.deploy.releases.images import ImageName
from score_flyio.deploy.releases.in_metadata import (
    PastRelease,
    past_releases,
    present_release,
)
from score_flyio.deploy.releases.pinning import exact
from score_flyio.fly.codec import ShapeError, structure, unstructure
from score_flyio.state.deployments import DeploymentRecord, ReleaseRecord

Source: TypeAlias = Literal["state", "machines", "versions"]
Config: TypeAlias = Mapping[str, Any]


@frozen(kw_only=True)
class KnownRelease:
    """A release, and where the knowledge of it comes from."""

    version: int
    at: float | None = None
    """Seconds since the epoch."""
    image: str = ""
    """With its digest, where that is known."""
    configs: Mapping[str, Config | None] = field(factory=dict)
    """By the process groups that it changed; None: what it made of the group is not known."""
    sources: tuple[Source, ...] = ()


def of_state(record: DeploymentRecord) -> tuple[KnownRelease, ...]:
    """What the project state knows."""
    return tuple(
        KnownRelease(
            version=release.version,
            at=release.at,
            image=release.image,
            configs=release.configs,
            sources=("state",),
        )
        for release in record.releases
    )


def of_machines(machines: Iterable[models.Machine]) -> tuple[KnownRelease, ...]:
    """What the machines run, and what they carry in their metadata.

    Of several machines of a group, the one counts that got the release first: a later one may have
    been changed by hand, or have found another image under the same tag.
    """
    found: dict[int, dict[str, list[PastRelease]]] = defaultdict(lambda: defaultdict(list))
    for machine in machines:
        present = present_release(machine)
        for release in (*past_releases(machine), *((present,) if present else ())):
            found[release.version][group_of(machine)].append(release)
    return tuple(_of_groups(groups, "machines") for _, groups in sorted(found.items()))


def of_versions(
    lists: Iterable[tuple[str, Sequence[models.MachineVersion]]],
) -> tuple[KnownRelease, ...]:
    """What the platform lists of machines, each with its group, in whatever order.

    Each version carries the releases before it. One that was followed by an earlier release was
    undone, and does not count.
    """
    found: dict[int, dict[str, list[PastRelease]]] = defaultdict(lambda: defaultdict(list))
    for group, versions in lists:
        newest: int | None = None
        for version in sorted(versions, key=lambda v: v.version or "", reverse=True):  # ULIDs
            machine = models.Machine(instance_id=version.version, config=version.user_config)
            release = present_release(machine)
            if release is None or (newest is not None and release.version > newest):
                continue
            newest = release.version
            for each in (*past_releases(machine), release):
                found[each.version][group].append(each)
    return tuple(_of_groups(groups, "versions") for _, groups in sorted(found.items()))


def merged(*known: Iterable[KnownRelease]) -> tuple[KnownRelease, ...]:
    """All releases, oldest first; what an earlier argument says counts before a later one.

    An image without a digest gets the one that another knows.
    """
    found: dict[int, list[KnownRelease]] = defaultdict(list)
    for releases in known:
        for release in releases:
            found[release.version].append(release)
    return tuple(_one(found[version]) for version in sorted(found))


def config_of(
    releases: Sequence[KnownRelease], group: str, version: int
) -> models.FlyMachineConfig | None:
    """What a group had with a release: the config of the last one until then that changed it.

    Raises LookupError where that release is known and its config is not.
    """
    for release in reversed(releases):
        if release.version <= version and group in release.configs:
            config = release.configs[group]
            if config is None:
                raise LookupError(release.version)
            return structure(dict(config), models.FlyMachineConfig)
    return None


def records(releases: Iterable[KnownRelease]) -> tuple[ReleaseRecord, ...]:
    """What the project state can remember of them: those that are known in full."""
    return tuple(
        ReleaseRecord(
            version=release.version,
            at=release.at,
            image=release.image,
            configs={group: dict(config or {}) for group, config in release.configs.items()},
        )
        for release in releases
        if release.at is not None and all(release.configs.values())
    )


def _of_groups(groups: Mapping[str, Sequence[PastRelease]], source: Source) -> KnownRelease:
    first = {group: min(found, key=_age) for group, found in sorted(groups.items())}
    configs = {group: _usable(release.config) for group, release in first.items()}
    whole = min(first.values(), key=_age)
    return KnownRelease(
        version=whole.version, at=whole.at, image=whole.image, configs=configs, sources=(source,)
    )


def _age(release: PastRelease) -> tuple[bool, bool, bool, float]:
    """Those that tell most come first, then the earliest."""
    vague = "@" not in release.image
    return release.config is None, vague, release.at is None, release.at or 0.0


def _usable(config: Config | None) -> Config | None:
    """The config, if it is one: metadata may be written by anyone."""
    try:
        structure(dict(config or {}), models.FlyMachineConfig)
    except ShapeError:
        return None
    return config


def _one(same: Sequence[KnownRelease]) -> KnownRelease:
    """One release as several know it."""
    groups = sorted({group for release in same for group in release.configs})
    return KnownRelease(
        version=same[0].version,
        at=next((release.at for release in same if release.at is not None), None),
        image=_with_known_digest([release.image for release in same]),
        configs={group: _config(same, group) for group in groups},
        sources=tuple(dict.fromkeys(source for release in same for source in release.sources)),
    )


def _config(same: Sequence[KnownRelease], group: str) -> Config | None:
    known = [config for release in same if (config := release.configs.get(group))]
    if not known:
        return None
    images = [str(config.get("image") or "") for config in known]
    images += [release.image for release in same]
    digest = _with_known_digest(images).partition("@")[2]
    first = structure(dict(known[0]), models.FlyMachineConfig)
    found: Config = unstructure(exact(first, digest))
    return found


def _with_known_digest(images: Sequence[str]) -> str:
    """The first image; by digest where a later one of the same name has it."""
    first = next(filter(None, images), "")
    if "@" in first:
        return first
    name = ImageName.parse(first)
    for image in images:
        other = ImageName.parse(image)
        if other.digest and (other.registry, other.repository) == (name.registry, name.repository):
            return image
    return first
