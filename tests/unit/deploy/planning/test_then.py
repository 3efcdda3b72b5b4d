"""What an app had with an earlier release, beside the machines that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fly_machines import models
from score_flyio.deploy.metadata import BACK_TO, FORMER_GROUP, STANDS_FOR
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.planning.returning import Then
from score_flyio.state.deployments import Config, Member, Release
from tests.unit.deploy.planning.plans import machine

DATA: Config = {"image": "a:1", "mounts": [{"name": "data", "path": "/data"}]}
BARE: Config = {"image": "a:1"}
LOST_ITS_DATA = "others have the data of its group"


def there(
    name: str,
    group: str = "app",
    *,
    region: str = "iad",
    standby: bool = False,
    marks: Mapping[str, str] | None = None,
) -> models.Machine:
    config = models.FlyMachineConfig(
        image="a:2",
        metadata={"fly_process_group": group, **(marks or {})},
        standbys=["x"] if standby else None,
    )
    return machine(name, config, region=region)


def with_data(name: str, group: str, *, source: str = "data", **facts: Any) -> models.Machine:
    found = there(name, group, **facts)
    assert found.config is not None
    found.config.mounts = [models.FlyMachineMount(name=source, path="/data", volume=f"vol_{name}")]
    return found


def volume(name: str, /, **facts: Any) -> models.Volume:
    given: dict[str, Any] = {"id": name, "name": "data", "region": "iad", "host_status": "ok"}
    return models.Volume(**given | facts)


def members(**groups: str | Member) -> dict[str, Member]:
    """Groups, or whole members, by machine."""
    return {
        name: group if isinstance(group, Member) else Member(group=group, region="iad")
        for name, group in groups.items()
    }


def then(
    *machines: models.Machine,
    releases: list[Release],
    version: int = 1,
    volumes: tuple[models.Volume, ...] = (),
) -> Then:
    observed = ObservedApp(name="web", machines=machines, volumes=volumes)
    return Then.of(observed, releases, version)


def had(*machines: models.Machine, **more: Any) -> Then:
    """With release 1, whose machines release 2 found."""
    return then(*machines, releases=[Release(version=1), Release(version=2, **more)])


WORKER: dict[str, Config | None] = {"worker": BARE}
APP: dict[str, Config | None] = {"app": BARE}
LEFT_IN_2 = [
    Release(version=1, configs=APP | WORKER),
    Release(version=2, configs=APP, members=members(a="app", w="worker")),
    Release(version=3, members=members(a="app")),
]


@pytest.mark.parametrize(
    ("releases", "version", "gone"),
    [
        pytest.param([Release(version=1, configs=APP)], 1, False, id="nobody knows all groups"),
        pytest.param(
            [Release(version=1, configs=APP), Release(version=2, all_groups=("app",))],
            1,
            False,
            id="nobody knew all groups then",
        ),
        pytest.param([Release(version=1, all_groups=("app",))], 1, True, id="all groups"),
        pytest.param(
            [Release(version=1, all_groups=("app", "worker")), Release(version=2, configs=APP)],
            2,
            False,
            id="a group that a later release left alone",
        ),
        pytest.param(
            [Release(version=1, configs=WORKER), Release(version=2, all_groups=("app",))],
            2,
            True,
            id="a release that knows all groups counts alone",
        ),
        pytest.param(
            [Release(version=1, all_groups=("app",)), Release(version=2, configs=WORKER)],
            1,
            True,
            id="a group of a later release",
        ),
        pytest.param(
            LEFT_IN_2,
            1,
            False,
            id="before it left",
        ),
        pytest.param(
            LEFT_IN_2,
            2,
            True,
            id="after it left",
        ),
        pytest.param(
            [
                Release(version=1, configs=APP | WORKER),
                Release(version=2, members=members(a="app")),
            ],
            1,
            False,
            id="a group that was scaled to nothing",
        ),
    ],
)
def test_a_group_that_the_release_had_not_goes(
    releases: list[Release], version: int, *, gone: bool
) -> None:
    found = then(there("a"), there("n", "worker"), releases=releases, version=version)
    assert found.gone == ({"n": f"release {version} had no group worker"} if gone else {})
    assert [m.id for m in found.kept] == (["a"] if gone else ["a", "n"])


def test_machines_of_groups_that_left_are_lost_in_their_regions_and_standbys_beside_them() -> None:
    found = had(
        there("a"),
        members=members(
            a="app",
            w1="worker",
            w2="worker",
            w3=Member(group="worker", region="ams"),
            s=Member(group="worker", region="iad", standby=True),
        ),
    )
    assert found.lost == {("worker", "ams"): 1, ("worker", "iad"): 2}
    assert found.standbys == {("worker", "iad"): 1}


def test_machines_of_a_group_that_stayed_are_for_people_to_count() -> None:
    known = members(w1="worker", w2="worker", s=Member(group="worker", region="iad", standby=True))
    found = had(there("w1", "worker"), members=known)
    assert (found.lost, found.standbys) == ({}, {})


def test_a_standby_is_no_machine_of_its_group() -> None:
    known = members(a1="api", a2="api", a3="api", w="worker", v="worker")
    here = [there(name, "api") for name in ("a1", "a2", "v", "w")]
    found = had(*here, there("s", "api", standby=True), members=known)
    groups = {"a1": "api", "a2": "api", "s": "api", "v": "worker", "w": "worker"}
    assert found.groups == groups
    assert found.lost == {("api", "iad"): 1}


def test_groups_of_which_nothing_comes_back_are_named() -> None:
    release = Release(version=1, configs=APP | WORKER)
    assert then(there("a"), releases=[release]).empty == ("worker",)
    assert then(there("a"), there("w", "worker"), releases=[release]).empty == ()
    lost = had(there("a"), members=members(a="app", w="worker"))
    assert (lost.empty, lost.lost) == ((), {("worker", "iad"): 1})


@pytest.mark.parametrize(
    ("coming", "lost"),
    [
        pytest.param([there("w", "api")], {("api", "ams"): 1}, id="one leaves it"),
        pytest.param(
            [there("w", "worker", marks={FORMER_GROUP: "api"})],
            {("api", "ams"): 1},
            id="one left it in a run that was cut short",
        ),
        pytest.param(
            [there("w", "api"), there("v", "api")],
            {("api", "ams"): 1, ("api", "iad"): 1},
            id="two leave it",
        ),
        pytest.param(
            [there("w", "api"), there("v", "api"), there("u", "api")],
            {("api", "ams"): 1, ("api", "iad"): 1},
            id="more leave it than are missing",
        ),
        pytest.param([there("w", "worker")], {}, id="none leaves it"),
    ],
)
def test_as_many_are_made_as_leave_a_group_for_the_one_that_they_were_in(
    coming: list[models.Machine], lost: dict[tuple[str, str], int]
) -> None:
    known = members(
        a="api",
        b="api",
        c=Member(group="api", region="ams"),
        d=Member(group="api", region="lhr"),
        w="worker",
        v="worker",
        u="worker",
    )
    stays = [there("a", "api"), *(there(f"d{n}", "api", region="lhr") for n in range(3))]
    assert had(*stays, *coming, members=known).lost == lost


@pytest.mark.parametrize(
    ("machines", "standbys"),
    [
        pytest.param([], 1, id="the whole group left"),
        pytest.param([there("n", "worker", marks={BACK_TO: "1"})], 1, id="a run was cut short"),
        pytest.param([there("n", "worker", marks={BACK_TO: "2"})], 0, id="it went back to another"),
        pytest.param(
            [there("w", "worker", marks={BACK_TO: "1"})], 0, id="it stayed, and went back"
        ),
        pytest.param([there("w", "worker")], 0, id="it stayed"),
        pytest.param([there("s", "worker", standby=True)], 0, id="it is there"),
        pytest.param(
            [there("z", "worker", standby=True, marks={BACK_TO: "1"})], 0, id="it was made again"
        ),
        pytest.param(
            [there("z", "worker", region="ams", standby=True)], 1, id="one of another region is"
        ),
    ],
)
def test_standbys_come_back_with_their_whole_group(
    machines: list[models.Machine], standbys: int
) -> None:
    known = members(a="app", w="worker", s=Member(group="worker", region="iad", standby=True))
    found = had(there("a"), *machines, members=known)
    assert found.standbys == ({("worker", "iad"): 1} if standbys else {})


def test_a_standby_that_is_there_leaves_another_to_come_back() -> None:
    standby = Member(group="worker", region="iad", standby=True)
    found = had(
        there("s", "worker", standby=True), members=members(w="worker", s=standby, t=standby)
    )
    assert found.standbys == {("worker", "iad"): 1}


def mounted(*machines: models.Machine, volumes: tuple[models.Volume, ...] = ()) -> Then:
    """With a release in which `db` had its data, which machines of `web` have now."""
    configs: dict[str, Config | None] = {"cache": BARE, "db": DATA, "old": None}
    known = {m.id or "": Member(group="db", region=m.region or "") for m in machines}
    known |= {name: Member(group="cache", region="iad") for name in known if name[0] == "c"}
    known |= {name: Member(group="old", region="iad") for name in known if name[0] == "o"}
    releases = [Release(version=1, configs=configs), Release(version=2, members=known)]
    return then(*machines, releases=releases, volumes=volumes)


def test_a_machine_without_the_data_of_its_group_goes_for_one_that_comes_back_with_it() -> None:
    found = mounted(there("c", "cache"), there("o", "old"), there("a", "db"), with_data("w", "web"))
    assert found.places == {"w": "a"}
    assert found.gone == {"a": LOST_ITS_DATA}
    assert (found.lost, found.without) == ({}, {})


def test_the_machine_that_goes_is_the_one_that_stands_for_it_then_one_of_its_region() -> None:
    bare = [
        there("a", "db"),
        there("b", "db", region="ams"),
        there("d", "db", region="ams", marks={STANDS_FOR: "v"}),
    ]
    coming = [with_data("v", "web"), with_data("w", "web", region="ams")]
    assert mounted(*bare, *coming).places == {"v": "d", "w": "b"}
    assert mounted(there("d", "db"), there("b", "db"), coming[0]).places == {"v": "b"}


def test_more_come_back_than_there_are_to_go() -> None:
    found = mounted(there("a", "db"), with_data("v", "web"), with_data("w", "web"))
    assert found.places == {"v": "a"}


@pytest.mark.parametrize(
    "machines",
    [
        pytest.param([with_data("a", "db")], id="it has its data"),
        pytest.param(
            [there("a", "db"), there("n", "db", marks={STANDS_FOR: "a"})], id="one replaces it"
        ),
    ],
)
def test_what_has_its_data_or_is_replaced_already_stays(machines: list[models.Machine]) -> None:
    found = mounted(*machines, with_data("w", "web"))
    assert "a" not in found.gone


def test_a_volume_counts_although_the_config_of_its_machine_does_not_tell_of_it() -> None:
    attached = volume("vol", attached_machine_id="a")
    assert mounted(there("a", "db"), with_data("w", "web"), volumes=(attached,)).places == {}


def test_machines_without_data_are_made_again_on_volumes_that_were_left_behind() -> None:
    bare = [there("a", "db"), there("b", "db"), there("d", "db")]
    found = mounted(*bare, volumes=(volume("v1"), volume("v2")))
    assert found.without == {("db", "iad"): ("a", "b")}
    assert found.lost == {("db", "iad"): 2}
    assert found.gone == dict.fromkeys(("a", "b"), LOST_ITS_DATA)
    assert [m.id for m in found.kept] == ["d"]


@pytest.mark.parametrize(
    "facts",
    [
        {"region": "ams"},
        {"name": "other"},
        {"attached_machine_id": "x"},
        {"host_status": "unreachable"},
    ],
)
def test_a_volume_that_it_cannot_have_makes_no_machine_anew(facts: dict[str, str]) -> None:
    found = mounted(there("a", "db"), volumes=(volume("v1", **facts),))
    assert (found.without, found.gone, found.lost) == ({}, {}, {})


IAD = Member(group="db", region="iad")
AMS = Member(group="db", region="ams")
ONE, OTHER = with_data("v", "web"), with_data("w", "web")


@pytest.mark.parametrize(
    ("lacking", "machines", "back"),
    [
        pytest.param([IAD], [ONE], ["v"], id="one lacks it, one has it"),
        pytest.param([IAD], [ONE, OTHER], ["v"], id="more have it than lack it"),
        pytest.param([IAD, IAD], [ONE, OTHER], ["v", "w"], id="two lack it"),
        pytest.param([IAD, AMS], [ONE, OTHER], ["v", "w"], id="two lack it, in two regions"),
        pytest.param([IAD, IAD], [OTHER], ["w"], id="fewer have it than lack it"),
        pytest.param([IAD], [there("b", "web"), OTHER], ["w"], id="one has none"),
        pytest.param(
            [IAD],
            [with_data("o", "web", source="other"), OTHER],
            ["w"],
            id="one has other data",
        ),
    ],
)
def test_machines_that_nobody_remembers_go_back_to_the_group_that_lacks_their_data(
    lacking: list[Member], machines: list[models.Machine], back: list[str]
) -> None:
    """None goes back to `cache`, which lacks one, too, and had no data."""
    known = members(c="cache") | {f"d{n}": member for n, member in enumerate(lacking)}
    releases = [Release(version=1, configs={"cache": BARE, "db": DATA})]
    found = then(*machines, releases=[*releases, Release(version=2, members=known)])
    assert [m.id for m in found.kept] == back
    assert {name: found.groups[name] for name in back} == dict.fromkeys(back, "db")
    left = [m.id for m in machines if m.id not in back]
    assert found.gone == dict.fromkeys(left, "release 1 had no group web")
    assert (found.lost, found.empty) == ({("cache", "iad"): 1}, ())


def test_a_volume_takes_its_machine_back_although_the_config_does_not_tell_of_it() -> None:
    releases = [Release(version=1, configs={"db": DATA}), Release(version=2, members={"d": IAD})]
    attached = volume("vol", attached_machine_id="w")
    found = then(there("v", "web"), there("w", "web"), releases=releases, volumes=(attached,))
    assert (found.groups["w"], [m.id for m in found.kept]) == ("db", ["w"])


def test_a_group_of_which_nobody_remembers_machines_gets_all_that_have_its_data() -> None:
    release = Release(version=1, configs={"cache": BARE, "db": DATA}, all_groups=("cache", "db"))
    found = then(there("b", "web"), ONE, OTHER, releases=[release])
    assert found.groups == {"b": "web", "v": "db", "w": "db"}
    assert (list(found.gone), found.lost, found.empty) == (["b"], {}, ("cache",))
