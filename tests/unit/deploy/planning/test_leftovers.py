"""What interrupted deploys leave, and what people leave."""

from __future__ import annotations

from datetime import datetime

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import (
    FORMER_GROUP,
    GREEN_LAUNCH,
    GROUP,
    RELEASE_ID,
    SAFE_TO_DESTROY,
    STANDS_FOR,
    TAG,
)
from score_flyio.deploy.planning.leftovers import sort_out
from score_flyio.fly.present import LAUNCH_KEY, SENT_KEY


def machine(name: str, *, standbys: list[str] | None = None, **metadata: str) -> models.Machine:
    config = models.FlyMachineConfig(metadata=dict(metadata), standbys=standbys)
    state = "stopped" if standbys else "started"
    return models.Machine(id=name, state=state, region="iad", config=config)


def test_a_standby_is_kept_beside_its_machine() -> None:
    found = sort_out("worker", [machine("a"), machine("b", standbys=["a"])])
    assert [m.id for m in found.machines] == ["a", "b"]
    assert found.gone == ()


def test_a_group_of_nothing_but_orphaned_standbys_begins_anew() -> None:
    found = sort_out("worker", [machine("b", standbys=["a"])])
    assert found.machines == ()
    assert [step.target.machine for step in found.gone] == ["b"]
    assert "stood by for is gone" in found.gone[0].reason


@pytest.mark.parametrize("state", ["started", "stopped"])
@pytest.mark.parametrize("data", [True, False, None])
def test_the_last_standby_goes_only_where_it_rests_and_surely_has_no_data(
    state: str, data: bool | None
) -> None:
    """A lost host shows no mounts."""
    mounts = [models.FlyMachineMount(name="data", path="/data")]
    left = machine("b", standbys=["a"])
    config = evolve(left.config or models.FlyMachineConfig(), mounts=mounts if data else None)
    left = evolve(left, state=state, config=config)
    if data is None:
        left = evolve(left, config=None, incomplete_config=config)
    found = sort_out("worker", [left])
    assert bool(found.gone) is (state == "stopped" and data is False)


def test_an_orphaned_standby_beside_a_running_machine_stays() -> None:
    found = sort_out("worker", [machine("b", standbys=["a"]), machine("c")])
    assert [m.id for m in found.machines] == ["b", "c"]


def test_a_canary_goes_but_never_as_the_last_machine() -> None:
    both = sort_out("app", [machine("a"), machine("c", fly_canary="true")])
    assert [step.target.machine for step in both.gone] == ["c"]
    alone = sort_out("app", [machine("c", fly_canary="true")])
    assert [m.id for m in alone.machines] == ["c"]


def test_each_machine_that_goes_is_told_why() -> None:
    canary = machine("c", fly_canary="true")
    orphan = machine("s", standbys=["gone"])
    found = sort_out("worker", [canary, orphan])
    assert found.machines == ()
    assert {step.target.machine: step.reason for step in found.gone} == {
        "c": "a canary that an earlier run left behind",
        "s": "what it stood by for is gone",
    }
    blue, green = machine("a"), machine("g", standbys=None, **{TAG: "R1", STANDS_FOR: "a"})
    (gone,) = sort_out("app", [blue, green]).gone
    assert gone.reason == "an earlier run did not put it into service"
    blue = machine("a", standbys=None, **{TAG: SAFE_TO_DESTROY})
    (gone,) = sort_out("app", [blue, green]).gone
    assert gone.reason == "an earlier run replaced it"


def test_a_green_machine_goes_though_somebody_destroyed_its_blue_one_before_it_served() -> None:
    """The blue one of another says that none served; once that is marked, all do."""
    greens = [
        machine("g", standbys=None, **{TAG: "R1", STANDS_FOR: "a"}),
        machine("h", standbys=None, **{TAG: "R1", STANDS_FOR: "b"}),
    ]
    blue = machine("b")
    found = sort_out("app", [blue, *greens])
    assert [m.id for m in found.machines] == ["b"]
    lost = evolve(blue, host_status="unreachable")
    assert [m.id for m in sort_out("app", [lost, *greens]).machines] == ["b", "g"]
    marked = machine("b", standbys=None, **{TAG: SAFE_TO_DESTROY})
    assert [m.id for m in sort_out("app", [marked, *greens]).machines] == ["g", "h"]
    other = machine("o", standbys=None, **{TAG: "R1", STANDS_FOR: "a", GROUP: "web"})
    copy = machine("c", standbys=None, **{TAG: "R1"})
    found = sort_out("app", [blue, greens[1], other, copy])
    assert [m.id for m in found.machines] == ["b", "o", "c"]


def test_a_green_machine_stays_whose_blue_one_was_marked_before_the_others_could_be() -> None:
    """Else its blue one would go as replaced, and nothing would be in its place."""
    found = sort_out(
        "app",
        [
            machine("a", standbys=None, **{TAG: SAFE_TO_DESTROY}),
            machine("b"),
            machine("g", standbys=None, **{TAG: "R1", STANDS_FOR: "a"}),
            machine("h", standbys=None, **{TAG: "R1", STANDS_FOR: "b"}),
        ],
    )
    assert [m.id for m in found.machines] == ["b", "g"]


def launched(place: str, created: str, **metadata: str) -> models.Machine:
    """Of a release of its own launch, unless told otherwise."""
    marks = {LAUNCH_KEY: place, RELEASE_ID: f"R{place[0]}", **metadata}
    return evolve(machine(place, standbys=None, **marks), created_at=f"2026-11-25T{created}Z")


def test_of_launches_that_met_the_later_one_goes() -> None:
    """Its run was killed before it could give way itself; the default group needs no mark."""
    later = [launched("B:1/2", "10:00:01"), launched("B:2/2", "10:00:05")]
    earlier = [launched("A:1/2", "10:00:00.5"), launched("A:2/2", "10:00:04")]
    found = sort_out("web", [*later, *earlier])
    assert [m.id for m in found.machines] == ["A:1/2", "A:2/2"]
    assert {step.target.machine: step.reason for step in found.gone} == {
        "B:1/2": "another run launched the group before",
        "B:2/2": "another run launched the group before",
    }


@pytest.mark.parametrize(
    ("place", "created"),
    [
        ("A:2/2", "10:00:20"),  # of the same launch
        ("B:1/2+green", "10:00:20"),  # took over from one of it since
        ("B:1/2", "12:00:00"),  # they cannot have met
        ("B:1/2", ""),  # nothing tells when
    ],
)
def test_what_did_not_meet_another_launch_stays(place: str, created: str) -> None:
    found = sort_out("app", [launched("A:1/2", "10:00:00"), launched(place, created)])
    assert found.gone == ()


def test_launches_that_were_deployed_together_since_both_stay() -> None:
    """Somebody keeps them, or one of their groups took the other one over."""
    for metadata in ({RELEASE_ID: "RA"}, {GROUP: "other"}, {FORMER_GROUP: "other"}):
        later = launched("B:1/1", "10:00:20", **metadata)
        found = sort_out("app", [launched("A:1/1", "10:00:00"), later])
        assert found.gone == (), metadata


def test_of_machines_of_one_creation_the_one_that_was_sent_last_stays() -> None:
    twin = evolve(launched("A:1/2", "10:00:00"), id="twin")
    kept = launched("A:1/2", "10:00:03", **{SENT_KEY: "2"})
    found = sort_out("app", [twin, kept])
    assert [(step.target.machine, step.reason) for step in found.gone] == [
        ("twin", "its creation was sent again")
    ]


def test_a_machine_of_which_nothing_tells_when_it_was_made_hides_no_launches_that_met() -> None:
    places = {"A:1/2": "10:00:00", "B:1/2": "10:00:20", "C:1/2": ""}
    found = sort_out("app", [launched(*place) for place in places.items()])
    assert [step.target.machine for step in found.gone] == ["B:1/2"]


def test_a_count_that_no_run_writes_tells_nothing() -> None:
    odd = launched("A:1/2", "10:00:03", **{SENT_KEY: "1000"})
    found = sort_out("app", [launched("A:1/2", "10:00:00"), evolve(odd, id="odd")])
    assert found.gone == ()


@pytest.mark.parametrize("sent", [{}, {SENT_KEY: "2"}, {SENT_KEY: "x"}])
def test_copies_that_somebody_made_of_a_machine_stay(sent: dict[str, str]) -> None:
    first = launched("A:1/2", "10:00:00", **sent)
    copies = [evolve(first, id=f"copy{number}") for number in range(2)]
    assert sort_out("app", [first, *copies]).gone == ()


def test_a_launch_began_with_its_first_machine() -> None:
    """Its second one came late; and the launches are told by time, not by name."""
    earlier = [launched("B:1/2", "10:00:00"), launched("B:2/2", "10:04:00")]
    later = launched("A:1/2", "10:02:00")
    found = sort_out("app", [later, *earlier])
    assert [step.target.machine for step in found.gone] == ["A:1/2"]


@pytest.mark.parametrize("created", ["10:00:00", "10:05:00"])
def test_at_the_same_moment_or_five_minutes_later_no_launch_gives_way(created: str) -> None:
    found = sort_out("app", [launched("A:1/2", "10:00:00"), launched("B:1/2", created)])
    assert found.gone == ()


@pytest.mark.parametrize(
    ("marks", "stand_ins"),
    [
        ({}, {"old": "new"}),
        ({FORMER_GROUP: "worker"}, {"old": "new"}),
        ({FORMER_GROUP: "worker", STANDS_FOR: "new"}, {"new": "old"}),
    ],
)
def test_a_machine_that_came_back_in_the_place_of_its_replacement_does_not_go(
    marks: dict[str, str], stand_ins: dict[str, str]
) -> None:
    old = machine("old", standbys=None, **marks)
    new = machine("new", standbys=None, **{STANDS_FOR: "old"})
    assert sort_out("app", [old, new]).stand_ins == stand_ins


def test_a_copy_of_a_replacement_in_another_group_takes_nothing_over_there() -> None:
    """What it was to replace went to that group itself, and has the data."""
    old = machine("old", standbys=None, **{GROUP: "db", FORMER_GROUP: "web"})
    copy = machine("copy", standbys=None, **{GROUP: "db", STANDS_FOR: "old.web"})
    found = sort_out("db", [old, copy])
    assert (len(found.machines), found.stand_ins) == (2, {})
    own = machine("own", standbys=None, **{GROUP: "db", STANDS_FOR: "old.db"})
    assert sort_out("db", [old, own]).stand_ins == {"old": "own"}


def test_a_machine_that_somebody_cloned_from_another_group_is_no_second_launch() -> None:
    """flyctl copies all metadata; the group that it came from was launched by itself."""
    first, second = launched("A.web:1/2", "10:00:00"), launched("A.web:2/2", "10:00:04")
    clone = launched("B.worker:1/2", "10:01:00")
    found = sort_out("web", [first, second, clone])
    assert (len(found.machines), found.gone) == (3, ())


# --- green machines of flyctl that were never used


def at(clock: str) -> str:
    """How flyctl tags what a deploy of that time of the day makes."""
    return str(int(datetime.fromisoformat(f"2026-11-25T{clock}Z").timestamp()))


def made(name: str, created: str, **metadata: str) -> models.Machine:
    return evolve(machine(name, standbys=None, **metadata), created_at=f"2026-11-25T{created}Z")


def green(name: str, created: str, *, tag: str = at("10:00:00")) -> models.Machine:
    """Flyctl made it, by a deploy of ten o'clock unless told otherwise."""
    return made(name, created, **{TAG: tag, GREEN_LAUNCH: f"L{name}"})


def unused(*machines: models.Machine) -> list[str | None]:
    """The machines that were not put into service."""
    gone = sort_out("app", machines).gone
    found = [step for step in gone if step.reason == "an earlier run did not put it into service"]
    return [step.target.machine for step in found]


@pytest.mark.parametrize("names", ["g", "gh"])
def test_greens_of_flyctl_go_where_all_that_they_were_to_replace_is_there(names: str) -> None:
    blues = [made("a", "09:00:00"), made("b", "09:00:01")]
    greens = [green(name, "10:00:02") for name in names]
    assert unused(*blues, *greens) == list(names)


def test_greens_of_flyctl_stay_once_a_blue_machine_was_marked_to_go() -> None:
    blues = [made("a", "09:00:00", **{TAG: SAFE_TO_DESTROY}), made("b", "09:00:00")]
    assert unused(*blues, green("g", "10:00:02")) == []
    copied = made("g", "10:00:02", **{TAG: at("10:00:00"), GREEN_LAUNCH: "Lg", STANDS_FOR: "a"})
    assert unused(*blues, copied) == []


def test_greens_of_flyctl_go_where_an_earlier_update_of_ours_marked_a_blue_machine() -> None:
    """Its own green machine serves, and flyctl copied that, too."""
    blue = made("a", "08:00:00", **{TAG: SAFE_TO_DESTROY, GREEN_LAUNCH: "La"})
    ours = made("b", "09:00:00", **{TAG: "01HF", GREEN_LAUNCH: "Lb", STANDS_FOR: "a"})
    copy = made("h", "10:00:03", **{TAG: at("10:00:00"), GREEN_LAUNCH: "Lh", STANDS_FOR: "a"})
    copies = [green("g", "10:00:02"), copy]
    found = sort_out("app", [blue, ours, *copies])
    assert [step.target.machine for step in found.gone] == ["a", "g", "h"]
    assert [m.id for m in found.machines] == ["b"]


def test_greens_of_an_earlier_update_of_flyctl_serve_since() -> None:
    serving = [green(name, "09:00:02", tag=at("09:00:00")) for name in "ab"]
    assert unused(*serving, green("g", "10:00:02"), green("h", "10:00:02")) == ["g", "h"]


@pytest.mark.parametrize("marks", [{TAG: at("10:00:00")}, {GREEN_LAUNCH: "Lg"}])
def test_what_has_one_mark_of_a_green_machine_alone_stays(marks: dict[str, str]) -> None:
    assert unused(made("a", "09:00:00"), made("g", "10:00:02", **marks)) == []


def test_a_tag_that_is_no_time_tells_no_deploy_of_flyctl() -> None:
    assert unused(made("a", "09:00:00"), green("g", "10:00:02", tag="R1")) == []


@pytest.mark.parametrize(("created", "gone"), [("10:04:59", ["g"]), ("10:05:00", [])])
def test_greens_of_flyctl_are_made_within_five_minutes_of_its_deploy(
    created: str, gone: list[str]
) -> None:
    """A copy that somebody made of one later has the same tag."""
    assert unused(made("a", "09:00:00"), green("g", created)) == gone


@pytest.mark.parametrize("cloned", ["10:00:40", "12:00:00"])
def test_greens_of_flyctl_go_and_what_somebody_cloned_of_one_since_stays(cloned: str) -> None:
    blues = [made("a", "09:00:00"), made("b", "09:00:00")]
    clone = made("c", cloned, **{TAG: at("10:00:00"), GREEN_LAUNCH: "Lg"})
    assert unused(*blues, clone, green("g", "10:00:02"), green("h", "10:00:03")) == ["g", "h"]


def test_greens_of_flyctl_stay_beside_one_that_it_made_much_later_with_their_tag() -> None:
    blues = [made("a", "09:00:00"), made("b", "09:00:00")]
    assert unused(*blues, green("g", "10:00:02"), green("h", "12:00:00")) == []


@pytest.mark.parametrize(
    "other",
    [
        made("a", "10:00:02"),
        made("a", "10:00:03"),
        made("a", ""),  # nothing tells when
        made("a", "09:00:00", fly_canary="true"),
        evolve(made("a", "09:00:00"), host_status="unreachable"),
    ],
)
def test_greens_of_flyctl_stay_beside_what_they_were_not_to_replace(other: models.Machine) -> None:
    assert unused(other, green("g", "10:00:02")) == []


def test_greens_of_flyctl_go_beside_one_that_is_the_copy_of_a_canary() -> None:
    """The canary of an earlier deploy was to be replaced, too; both go."""
    old, copied = made("a", "09:00:00"), made("b", "09:00:01", fly_canary="true")
    marks = {TAG: at("10:00:00"), GREEN_LAUNCH: "Lc", "fly_canary": "true"}
    copy = made("c", "10:00:02", **marks)
    found = sort_out("app", [old, copied, copy, green("g", "10:00:02")])
    assert [m.id for m in found.machines] == ["a"]


def test_greens_of_flyctl_stay_where_they_are_more_than_what_is_older_than_all_of_them() -> None:
    """Some of what they replaced is gone; what was made between them is none of it."""
    between = made("b", "10:00:10")
    assert (
        unused(made("a", "09:00:00"), between, green("g", "10:00:02"), green("h", "10:00:30")) == []
    )


def test_a_machine_is_older_than_greens_of_flyctl_however_old_it_is() -> None:
    old = evolve(made("a", ""), created_at="1970-01-01T00:00:01Z")
    assert unused(old, green("g", "10:00:02")) == ["g"]
