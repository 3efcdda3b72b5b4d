"""The releases that machines carry in their metadata."""

from __future__ import annotations

import base64
import json
import random
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fly_machines.models import (
    FlyContainerConfig,
    FlyFile,
    FlyMachineConfig,
    FlyMachineMount,
    ImageRef,
    Machine,
)
from score_flyio.base.ulid import new_ulid, time_of
from score_flyio.deploy.compare import differences
from score_flyio.deploy.metadata import HISTORY
from score_flyio.deploy.releases.in_metadata import (
    KEPT,
    LONGEST,
    config_in,
    pack,
    past_releases,
    present_release,
    unpack,
    with_history,
    without_history,
)
from score_flyio.state.deployments import Release

DIGEST = "sha256:" + "a" * 64
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)
configs = st.none() | st.dictionaries(st.text(max_size=10), values, max_size=4)
releases = st.builds(
    Release,
    version=st.integers(1, 10**9),
    at=st.none() | st.integers(0, 2_000_000_000).map(float),
    image=st.text(max_size=60),
    configs=configs.map(lambda config: {"app": config}),
)


def machine(version: int = 1, *, image: str = "nginx:1", **metadata: str) -> Machine:
    marks = {"fly_release_version": str(version), **metadata}
    return Machine(
        id="m1",
        instance_id=new_ulid(1_700_000_000 + version, random.Random(1)),
        config=FlyMachineConfig(image=image, env={"A": str(version)}, metadata=marks),
        image_ref=ImageRef(digest=DIGEST),
    )


def unpacked(text: str) -> tuple[Release, ...]:
    return unpack(text, "app")


def carried(config: FlyMachineConfig) -> tuple[Release, ...]:
    return past_releases(Machine(config=config))


def history(config: FlyMachineConfig) -> str:
    return (config.metadata or {})[HISTORY]


@given(st.lists(releases, unique_by=lambda release: release.version, max_size=KEPT))
def test_what_fits_is_read_back(given_releases: list[Release]) -> None:
    expected = tuple(sorted(given_releases, key=lambda release: release.version))
    assert unpacked(pack(given_releases)) == expected


@given(st.lists(releases, max_size=40))
def test_the_newest_are_kept_once_and_in_order(given_releases: list[Release]) -> None:
    kept = unpacked(pack(given_releases))
    versions = sorted({release.version for release in given_releases})
    assert [release.version for release in kept] == versions[-KEPT:]


@given(st.integers(0, 5), st.lists(st.integers(0, 12_000), min_size=1, max_size=KEPT))
def test_no_value_is_too_long(seed: int, sizes: list[int]) -> None:
    rng = random.Random(seed)  # what cannot be packed
    given_releases = [
        Release(
            version=number,
            image=f"nginx@{DIGEST}",
            configs={"app": {"files": base64.b64encode(rng.randbytes(size)).decode()}},
        )
        for number, size in enumerate(sizes, start=1)
    ]
    text = pack(given_releases)
    assert len(text) <= LONGEST
    kept = unpacked(text)
    assert [r.version for r in kept] == [r.version for r in given_releases]
    with_config = [config_in(r) is not None for r in kept]
    assert with_config == sorted(with_config)  # the oldest are the first to go
    assert [r for r in kept if config_in(r)] == given_releases[len(kept) - sum(with_config) :]


def test_names_of_images_without_end_go_too() -> None:
    name = base64.b64encode(random.Random(1).randbytes(5000)).decode()
    given_releases = [Release(version=v, image=name[v:] + str(v)) for v in (1, 2)]
    endless = Release(version=3, image=random.Random(2).randbytes(9000).hex())
    assert [r.version for r in unpacked(pack(given_releases))] == [1, 2]
    assert pack([endless]) == ""


@given(st.text(max_size=200) | st.text(alphabet="ABCabc123-_=", max_size=80).map("1.".__add__))
def test_any_other_text_is_no_history(text: str) -> None:
    assert unpacked(text) == ()


def packed(rows: Any) -> str:
    return "1." + base64.urlsafe_b64encode(zlib.compress(json.dumps(rows).encode())).decode()


@pytest.mark.parametrize(
    "rows",
    [
        {},
        None,
        [1],
        [[1, 2, "image"]],
        [["1", 2, "image", None]],
        [[0, 2, "image", None]],
        [[1, -1, "image", None]],
        [[1, 10**12, "image", None]],
        [[1, 2, None, None]],
        [[1, 2, "image", []]],
        [[1, 2, "image", None], "more"],
        "x" * (2 << 20),
    ],
)
def test_other_documents_are_no_history(rows: Any) -> None:
    assert unpacked(packed(rows)) == ()


def test_a_cut_value_is_no_history() -> None:
    text = pack([Release(version=1, image="nginx")])
    for end in range(len(text)):
        assert unpacked(text[:end]) == ()


def test_a_machine_hands_its_release_on() -> None:
    first = machine(1)
    config = with_history(FlyMachineConfig(image="nginx:2"), first)
    (release,) = carried(config)
    assert release == Release(
        version=1,
        at=1_700_000_001.0,
        image=f"nginx@{DIGEST}",
        configs={
            "app": {
                "image": f"nginx@{DIGEST}",
                "env": {"A": "1"},
                "metadata": {"fly_release_version": "1"},
            }
        },
    )
    second = machine(2, image="nginx:2", **{HISTORY: history(config)})
    assert [r.version for r in carried(with_history(FlyMachineConfig(), second))] == [1, 2]


def test_configs_do_not_grow() -> None:
    config = FlyMachineConfig(image="nginx:1")
    sizes = []
    for version in range(1, 40):
        found = (config.metadata or {}).get(HISTORY, "")
        config = with_history(config, machine(version, **({HISTORY: found} if found else {})))
        sizes.append(len(history(config)))
    assert [r.version for r in carried(config)] == [35, 36, 37, 38, 39]
    assert max(sizes) < 600


def test_what_is_one_machines_alone_stays_behind() -> None:
    found = machine(3, score_flyio_secrets="x", score_flyio_launch_id="y", fly_canary="true")
    assert found.config is not None
    found.config.standbys = ["m2"]
    found.config.env = {"FLY_STANDBY_FOR": "m2"}
    found.config.mounts = [FlyMachineMount(name="data", path="/data", volume="vol_1")]
    found.config.metadata = {**(found.config.metadata or {}), "team": "a"}
    release = present_release(found)
    assert release is not None
    assert config_in(release) == {
        "image": f"nginx@{DIGEST}",
        "mounts": [{"name": "data", "path": "/data"}],
        "metadata": {"fly_release_version": "3", "team": "a"},
    }
    assert found.config.standbys == ["m2"]


def test_the_digest_stands_wherever_the_image_does() -> None:
    found = machine(1, image="shop:1@sha256:" + "b" * 64)
    assert found.config is not None
    found.config.containers = [
        FlyContainerConfig(
            name="app",
            image=found.config.image,
            files=[FlyFile(guest_path="/c", image_config=found.config.image)],
        ),
        FlyContainerConfig(name="sidecar", image="envoy:1"),
    ]
    release = present_release(found)
    assert release is not None
    config = config_in(release)
    assert config is not None
    pinned = "shop@sha256:" + "b" * 64  # what the config says counts
    app, sidecar = config["containers"]
    assert (release.image, config["image"], app["image"]) == (pinned, pinned, pinned)
    assert app["files"] == [{"guest_path": "/c", "image_config": pinned}]
    assert sidecar["image"] == "envoy:1"


@pytest.mark.parametrize("version", ["", "0", "-1", "one", "²", "9" * 5000])
def test_machines_of_no_release(version: str) -> None:
    odd = Machine(config=FlyMachineConfig(metadata={"fly_release_version": version}))
    assert present_release(odd) is None
    assert HISTORY not in (with_history(FlyMachineConfig(), odd).metadata or {})


def test_a_machine_on_a_lost_host_shows_no_config() -> None:
    lost = machine(1)
    lost.config, lost.incomplete_config = None, lost.config
    release = present_release(lost)
    assert release is not None
    assert (release.version, release.image, config_in(release)) == (1, f"nginx@{DIGEST}", None)


@pytest.mark.parametrize(
    ("instance", "updated", "at"),
    [
        ("not-a-ulid", "2026-01-02T03:04:05Z", 1767323045.0),
        ("Z" * 26, "2026-01-02T03:04:05Z", 1767323045.0),
        ("7" + "Z" * 25, None, None),
        (None, "soon", None),
        (None, None, None),
    ],
)
def test_when_a_machine_got_its_release(
    instance: str | None, updated: str | None, at: float | None
) -> None:
    found = machine(1)
    found.instance_id, found.updated_at = instance, updated
    release = present_release(found)
    assert release is not None
    assert release.at == at


@given(st.integers(0, 253_402_300_799_999), st.integers())
def test_ulids_tell_the_time(milliseconds: int, seed: int) -> None:
    assert time_of(new_ulid(milliseconds / 1000, random.Random(seed))) == pytest.approx(
        milliseconds / 1000, abs=0.002
    )


def test_carrying_releases_is_no_difference() -> None:
    before = machine(1).config
    assert before is not None
    after = with_history(before, machine(1))
    assert history(after)
    assert differences(after, before) == differences(before, after) == ()
    assert without_history(after).metadata == before.metadata
