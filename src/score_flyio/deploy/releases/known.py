"""The releases of an app, put together from all that know of them. Pure.

The project state knows each release that a run of this project made; the machines carry the last
ones in their metadata, whoever deploys; the platform lists the configs that a machine had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.metadata import RELEASE_ID, group_of, last_release
from score_flyio.deploy.releases.images import exact, with_digest
from score_flyio.deploy.releases.in_metadata import (
    carried,
    config_in,
    past_releases,
    present_release,
)
from score_flyio.fly.codec import ShapeError, structure_answer, unstructure
from score_flyio.images.reference import DEFAULT_TAG, ImageReference
from score_flyio.state.deployments import Config, DeploymentRecord, Member, Release, Source


def next_number(machines: Iterable[models.Machine], remembered: Iterable[Release]) -> int:
    """The number of the next release of an app.

    None is given twice: the state may know of releases whose machines are gone.
    """
    return max(last_release(machines), *(release.version for release in remembered), 0) + 1


def of_state(record: DeploymentRecord) -> tuple[Release, ...]:
    """What the project state knows."""
    return tuple(evolve(release, sources=("state",)) for release in record.releases)


def outlived(record: DeploymentRecord, machines: Iterable[models.Machine]) -> bool:
    """Whether what is remembered is of an app of the same name that was there before.

    The releases whose numbers both have are others then, all of them. Some are where two runs took
    a number at the same time.
    """
    known, there = ids_of(record.releases), ids_of(of_machines(machines))
    common = known.keys() & there.keys()
    return bool(common) and not any(known[number] & there[number] for number in common)


def ids_of(releases: Iterable[Release]) -> dict[int, set[str]]:
    """The ids of releases by number, as far as configs tell them."""
    found: dict[int, set[str]] = defaultdict(set)
    for release in releases:
        for config in release.configs.values():
            if text := ((config or {}).get("metadata") or {}).get(RELEASE_ID):
                found[release.version].add(text)
    return found


def of_machines(machines: Iterable[models.Machine]) -> tuple[Release, ...]:
    """What the machines run, and what they carry in their metadata.

    Of several machines of a group, the one counts that got the release first: a later one may have
    been changed by hand, or have found another image under the same tag.
    """
    return _of_groups(chain.from_iterable(map(carried, machines)), "machines")


def of_versions(lists: Iterable[Sequence[models.MachineVersion]]) -> tuple[Release, ...]:
    """What the platform lists of machines, in whatever order.

    Each version carries the releases before it. One that was followed by an earlier release was
    undone, and does not count.
    """
    found: list[Release] = []
    for versions in lists:
        newest: int | None = None
        for version in sorted(versions, key=lambda v: v.version or "", reverse=True):  # ULIDs
            machine = models.Machine(instance_id=version.version, config=version.user_config)
            release = present_release(machine)
            if release is None or (newest is not None and release.version > newest):
                continue
            newest = release.version
            found += carried(machine)
    return _of_groups(found, "versions")


def merged(*known: Iterable[Release]) -> tuple[Release, ...]:
    """All releases, oldest first; what an earlier argument says counts before a later one.

    An image without a digest gets the one that another knows.
    """
    found: dict[int, list[Release]] = defaultdict(list)
    for releases in known:
        for release in releases:
            found[release.version].append(release)
    return tuple(_one(found[version]) for version in sorted(found))


def config_of(
    releases: Sequence[Release], group: str, version: int
) -> models.FlyMachineConfig | None:
    """What a group had with a release: the config of the last one until then that changed it.

    Raises LookupError where that release is known and its config is not.
    """
    for release in reversed(releases):
        if release.version <= version and group in release.configs:
            config = release.configs[group]
            if config is None:
                raise LookupError(release.version)
            return structure_answer(config, models.FlyMachineConfig)
    return None


def members_at(releases: Iterable[Release], version: int) -> Mapping[str, Member]:
    """The machines of the app when it had a release, as the next change of its groups found them.

    Empty: its groups are the same now, as far as anyone knows.
    """
    return next((r.members for r in releases if r.version > version and r.members), {})


def group_at(machine: models.Machine, version: int) -> str:
    """The group that a machine was in with a release, as far as it carries the releases before."""
    past = [release for release in past_releases(machine) if release.version <= version]
    if not past or last_release([machine]) <= version:
        return group_of(machine)
    return next(iter(past[-1].configs), group_of(machine))


def to_remember(releases: Iterable[Release]) -> tuple[Release, ...]:
    """What the project state can remember of them: those that are known in full."""
    return tuple(r for r in releases if r.at is not None and all(r.configs.values()))


def _of_groups(found: Iterable[Release], source: Source) -> tuple[Release, ...]:
    """Releases by number, of which each is known of one group or another."""
    known: dict[int, dict[str, list[Release]]] = defaultdict(lambda: defaultdict(list))
    for release in found:
        for group in release.configs:
            known[release.version][group].append(release)
    return tuple(_whole(groups, source) for _, groups in sorted(known.items()))


def _whole(groups: Mapping[str, Sequence[Release]], source: Source) -> Release:
    first = {group: min(found, key=_age) for group, found in sorted(groups.items())}
    whole = min(first.values(), key=_age)
    configs = {group: _usable(config_in(release)) for group, release in first.items()}
    return evolve(whole, configs=configs, sources=(source,))


def _age(release: Release) -> tuple[bool, bool, bool, float]:
    """Of what machines of one group say: those that tell most come first, then the earliest."""
    vague = "@" not in release.image
    return config_in(release) is None, vague, release.at is None, release.at or 0.0


def _usable(config: Config | None) -> Config | None:
    """The config, if it is one: metadata may be written by anyone."""
    try:
        structure_answer(config or {}, models.FlyMachineConfig)
    except ShapeError:
        return None
    return config


def _one(same: Sequence[Release]) -> Release:
    """One release as several know it."""
    groups = sorted({group for release in same for group in release.configs})
    image = next((release.image for release in same if release.image), "")
    return Release(
        version=same[0].version,
        at=next((release.at for release in same if release.at is not None), None),
        image=image if "@" in image else with_digest(image, _digest(image, _images(same))),
        configs={group: _config(same, group) for group in groups},
        members=next((release.members for release in same if release.members), {}),
        all_groups=next((release.all_groups for release in same if release.all_groups), ()),
        sources=tuple(dict.fromkeys(source for release in same for source in release.sources)),
    )


def _config(same: Sequence[Release], group: str) -> Config | None:
    known = [config for release in same if (config := release.configs.get(group))]
    if not known:
        return None
    first = structure_answer(known[0], models.FlyMachineConfig)
    image = first.image or ""
    own = [str(config.get("image") or "") for config in known]
    digest = _digest(image, own) or _digest(image, _images(same))
    found: Config = unstructure(exact(first, digest))
    return found


def _images(same: Sequence[Release]) -> list[str]:
    """All images that are named in what is known of a release."""
    configs = [config for release in same for config in release.configs.values() if config]
    return [r.image for r in same] + [str(config.get("image") or "") for config in configs]


def _digest(image: str, images: Iterable[str]) -> str:
    """The digest of an image, if one of the images has it.

    Of images by digest alone nobody knows the tag: they count where no other tag is named.
    """
    name = ImageReference.split(image)
    same = [other for other in map(ImageReference.split, images) if other.name == name.name]
    tags = {other.tag or DEFAULT_TAG for other in same if other.tag or not other.digest}
    only = tags <= {name.tag or DEFAULT_TAG}
    return next(
        (
            other.digest
            for other in same
            if other.digest and (other.tag == name.tag if other.tag else only)
        ),
        "",
    )
