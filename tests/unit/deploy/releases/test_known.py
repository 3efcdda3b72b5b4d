"""What several know of the releases of an app, put together."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fly_machines.models import FlyMachineConfig, ImageRef, Machine, MachineVersion
from score_flyio.base.ulid import new_ulid
from score_flyio.deploy.metadata import HISTORY, last_release, release_number
from score_flyio.deploy.releases.in_metadata import pack
from score_flyio.deploy.releases.known import (
    config_of,
    merged,
    next_number,
    of_machines,
    of_state,
    of_versions,
    to_remember,
)
from score_flyio.state.deployments import DeploymentRecord, Release

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def ulid(at: float) -> str:
    return new_ulid(at, random.Random(1))


def config(version: int | None, *, group: str = "app", image: str = "nginx:1", **env: str) -> Any:
    metadata = {"fly_process_group": group}
    metadata |= {} if version is None else {"fly_release_version": str(version)}
    return FlyMachineConfig(image=image, env=env or None, metadata=metadata)


def machine(
    version: int | None,
    *past: Release,
    at: float = 100,
    digest: str = ONE,
    group: str = "app",
    **env: str,
) -> Machine:
    found = config(version, group=group, **env)
    if past:
        found.metadata[HISTORY] = pack(past)
    return Machine(instance_id=ulid(at), config=found, image_ref=ImageRef(digest=digest))


def past(version: int, *, at: float = 50, image: str = f"nginx@{ONE}", **env: str) -> Release:
    return Release(
        version=version, at=at, image=image, configs={"app": {"image": image, "env": env}}
    )


def versions(*numbers: int | None, image: str = "nginx:1") -> list[MachineVersion]:
    """Newest first; each is as many seconds old as its place says."""
    return [
        MachineVersion(version=ulid(1000 - place), user_config=config(number, image=image))
        for place, number in enumerate(numbers)
    ]


def state(*numbers: int, image: str = f"nginx@{ONE}") -> DeploymentRecord:
    configs = {"app": {"image": image, "env": {"FROM": "state"}}}
    return DeploymentRecord(
        releases=tuple(
            Release(version=v, at=float(v), image=image, configs=configs) for v in numbers
        )
    )


def numbers(releases: Any) -> list[int]:
    return [release.version for release in releases]


def environment(releases: Any, version: int, group: str = "app") -> dict[str, str] | None:
    found = config_of(releases, group, version)
    return found.env if found else None


def test_the_machine_that_got_a_release_first_counts() -> None:
    (release,) = of_machines(
        [
            machine(1, at=300, A="by hand"),
            machine(1, at=100, A="deployed"),
            machine(1, at=200, A="copied", digest=TWO),
        ]
    )
    assert (release.at, release.image) == (100, f"nginx@{ONE}")
    assert environment([release], 1) == {"A": "deployed"}


def test_what_a_machine_carries_of_each_group() -> None:
    found = of_machines(
        [
            machine(3, past(1, A="1"), past(2, A="2"), A="3"),
            machine(2, past(1, B="1"), group="worker", B="2"),
            machine(None, group="worker"),
        ]
    )
    assert [(r.version, sorted(r.configs)) for r in found] == [
        (1, ["app", "worker"]),
        (2, ["app", "worker"]),
        (3, ["app"]),
    ]
    assert environment(found, 2) == {"A": "2"}
    assert environment(found, 3, "worker") == {"B": "2"}
    assert environment(found, 3, "other") is None
    assert environment(found, 0) is None


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ((), []),
        ((3, 2, 1), [1, 2, 3]),
        ((3, 3, None, 2), [2, 3]),
        ((4, 2, 3, 2, 1), [1, 2, 4]),
        ((2, 3, 2), [2]),
    ],
)
def test_versions_that_were_undone_do_not_count(
    listed: tuple[int | None, ...], expected: list[int]
) -> None:
    found = versions(*listed)
    assert numbers(of_versions([found])) == expected
    assert numbers(of_versions([found[::-1]])) == expected


def test_versions_carry_releases_too() -> None:
    listed = versions(9, 8)
    assert listed[1].user_config is not None
    listed[1].user_config.metadata = {
        **(listed[1].user_config.metadata or {}),
        HISTORY: pack([past(3), past(7)]),
    }
    assert numbers(of_versions([listed])) == [3, 7, 8, 9]


@pytest.mark.parametrize(
    ("running", "remembered", "number"),
    [((), (), 1), ((2, 1), (), 3), ((), (1, 2), 3), ((2,), (1, 2, 3), 4), ((4,), (1, 2), 5)],
)
def test_no_number_is_given_twice(
    running: tuple[int, ...], remembered: tuple[int, ...], number: int
) -> None:
    """Neither where all machines are gone, nor where a release left none behind."""
    assert next_number([machine(v) for v in running], state(*remembered).releases) == number


def test_the_state_counts_first() -> None:
    found = merged(
        of_state(state(1, 2)),
        of_machines([machine(3, past(2, A="machines"))]),
        of_versions([versions(3, 2)]),
    )
    assert [(r.version, r.sources) for r in found] == [
        (1, ("state",)),
        (2, ("state", "machines", "versions")),
        (3, ("machines", "versions")),
    ]
    assert environment(found, 2) == {"FROM": "state"}
    assert found[1].at == 2.0


def test_a_digest_is_taken_from_whoever_knows_it() -> None:
    found = merged(
        of_state(state(1, image="nginx:1")),
        of_machines([machine(2, past(1, image=f"nginx@{TWO}"))]),
        of_versions([versions(2, 1)]),
    )
    assert [release.image for release in found] == [f"nginx@{TWO}", f"nginx@{ONE}"]
    assert [config_of(found, "app", v).image for v in (1, 2)] == [  # type: ignore[union-attr]
        f"nginx@{TWO}",
        f"nginx@{ONE}",
    ]


def test_a_digest_of_another_image_is_none_of_this_one() -> None:
    found = merged(
        of_state(state(1, image="nginx:1")),
        of_machines([machine(2, past(1, image=f"redis@{TWO}"))]),
    )
    assert found[0].image == "nginx:1"


@pytest.mark.parametrize(
    ("other", "digest"),
    [
        (f"nginx:2@{TWO}", ""),
        (f"nginx:1@{TWO}", TWO),
        (f"nginx@{TWO}", TWO),
        (f"docker.io/library/nginx:1@{TWO}", TWO),
    ],
)
def test_a_digest_of_another_tag_is_none_of_this_one(other: str, digest: str) -> None:
    """Two groups of one release may run two tags of one repository."""
    worker = Release(version=1, at=1, image=other, configs={"worker": {"image": other}})
    (found,) = merged(of_state(state(1, image="nginx:1")), [worker])
    config = config_of([found], "app", 1)
    expected = f"nginx@{digest}" if digest else "nginx:1"
    assert config is not None
    assert (found.image, config.image) == (expected, expected)


def test_a_digest_without_a_tag_is_of_no_tag_where_a_release_has_two() -> None:
    worker = {"worker": {"image": "nginx:2"}}
    vague = [Release(version=1, image=f"nginx@{TWO}", configs=worker)]
    (found,) = merged(of_state(state(1, image="nginx:1")), vague)
    assert found.image == "nginx:1"
    assert found.configs["app"] == {"image": "nginx:1", "env": {"FROM": "state"}}
    own = Release(version=1, configs={"app": {"image": f"nginx@{ONE}"}})
    (found,) = merged(of_state(state(1, image="nginx:1")), vague, [own])
    assert (found.configs["app"] or {})["image"] == f"nginx@{ONE}"
    assert found.configs["worker"] == {"image": "nginx:2"}


def test_a_config_that_a_machine_lacks_comes_from_its_versions_with_the_digest() -> None:
    lacking = Release(version=1, at=1, image=f"nginx@{TWO}")
    machines = of_machines([machine(2, lacking)])
    with pytest.raises(LookupError, match="1"):
        config_of(merged(machines), "app", 1)
    found = config_of(merged(machines, of_versions([versions(2, 1)])), "app", 1)
    assert found is not None
    assert found.image == f"nginx@{TWO}"


def test_what_is_no_config_is_not_known() -> None:
    odd = Release(version=1, at=1, image="nginx", configs={"app": {"env": 1}})
    found = of_machines([machine(2, odd)])
    with pytest.raises(LookupError):
        config_of(found, "app", 1)
    assert numbers(to_remember(found)) == [2]


def test_the_state_takes_over_what_is_known_in_full() -> None:
    found = of_machines([machine(2, past(1, A="1"), group="worker", A="2")])
    first, second = to_remember(found)
    assert (first.version, first.at, first.image) == (1, 50.0, f"nginx@{ONE}")
    assert (first.configs["worker"] or {})["env"] == {"A": "1"}
    again = merged(of_state(DeploymentRecord(releases=(first, second))))
    assert [(r.version, r.at, r.image, r.configs) for r in again] == [
        (r.version, r.at, r.image, r.configs) for r in merged(found)
    ]


known = st.lists(
    st.builds(
        Release,
        version=st.integers(1, 6),
        at=st.none() | st.floats(0, 10),
        image=st.sampled_from(["", "nginx:1", f"nginx@{ONE}", f"nginx@{TWO}", f"redis@{TWO}"]),
        configs=st.dictionaries(
            st.sampled_from(["app", "worker"]),
            st.none() | st.just({"image": "nginx:1"}) | st.just({"image": f"nginx@{ONE}"}),
        ),
        sources=st.sampled_from([("state",), ("machines",), ("versions",)]),
    ),
    unique_by=lambda release: release.version,
)


@given(known, known, known)
def test_merging_forgets_nothing_and_changes_nothing(
    one: list[Release], two: list[Release], three: list[Release]
) -> None:
    found = merged(one, two, three)
    assert numbers(found) == sorted({r.version for r in (*one, *two, *three)})
    by_version = {release.version: release for release in found}
    for release in (*one, *two, *three):
        assert release.configs.keys() <= by_version[release.version].configs.keys()
    for release in one:
        assert release.at in {None, by_version[release.version].at}
        if "@" in release.image:
            assert by_version[release.version].image == release.image
    assert merged(found) == found


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("", 0), ("x", 0), ("²", 0), ("9" * 19, 0), ("-1", 0)]
)
def test_numbers_of_releases_are_read_whatever_stands_there(text: str, number: int) -> None:
    marks = {"fly_release_version": text}
    machine = Machine(id="a", config=FlyMachineConfig(metadata=marks))
    assert release_number(marks) == number
    assert last_release([Machine(id="b"), machine]) == number
