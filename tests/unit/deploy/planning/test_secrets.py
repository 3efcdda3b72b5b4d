"""Which secrets are set, and what is remembered of them."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.deploy.metadata import (
    ALL_SECRETS_SEEN,
    SECRETS_SEEN,
    STAGED,
    STAGED_REMOVAL,
    TOOL_VERSION,
)
from score_flyio.deploy.model import KnownApp, ObservedApp
from score_flyio.deploy.planning.secrets import (
    OWN_TOOL,
    REMOVED,
    SET_SECRETS,
    digests_hash,
    fingerprint,
    for_a_new_start,
    have_arrived,
    plan_secrets,
    remember,
    waiting_secrets,
)
from score_flyio.state.deployments import SecretRecord

WANTED = {name: Secret(f"value of {name}") for name in ("A", "B")}
DIGESTS = {"A": "d1", "B": "d2"}
KNOWN = KnownApp(salt="salt", secrets=remember(WANTED, "salt", DIGESTS))


def test_the_hashes_are_those_that_projects_and_machines_hold() -> None:
    value = hmac.new(b"salt", b"value of A", hashlib.sha256).hexdigest()
    assert fingerprint("salt", WANTED["A"]) == value
    both = hashlib.sha256(b"A=d1\nB=d2").hexdigest()[:32]
    assert digests_hash({"B": "d2", "A": "d1"}) == both


def test_what_is_remembered() -> None:
    assert KNOWN.secrets == {
        name: SecretRecord(digest=digest, fingerprint=fingerprint("salt", WANTED[name]))
        for name, digest in DIGESTS.items()
    }
    assert list(remember(WANTED, "salt", {"B": "d2", "C": "d3"})) == ["B"]


@pytest.mark.parametrize(
    ("known", "observed", "changes"),
    [
        (KNOWN, DIGESTS, {}),
        (KNOWN, {**DIGESTS, "C": "d3"}, {}),
        (KNOWN, {}, {"A": "new", "B": "new"}),
        (KNOWN, {"A": "d1"}, {"B": "new"}),
        (KNOWN, {"B": "d3"}, {"A": "new", "B": "changed"}),
        (KnownApp(salt="salt"), DIGESTS, {"A": "unknown", "B": "unknown"}),
        (KnownApp(salt="other", secrets=KNOWN.secrets), DIGESTS, {"A": "changed", "B": "changed"}),
    ],
)
def test_what_is_set(known: KnownApp, observed: dict[str, str], changes: dict[str, str]) -> None:
    plan = plan_secrets(WANTED, known, observed)
    assert plan.changes == changes
    assert plan.step == (SET_SECRETS if changes else None)
    assert plan.seen == (None if changes else digests_hash(DIGESTS))


def test_without_secrets_there_is_nothing_to_see() -> None:
    plan = plan_secrets({}, KNOWN, DIGESTS)
    assert (plan.changes, plan.seen, plan.step) == ({}, None, None)
    config = models.FlyMachineConfig(metadata={"own": "kept"})
    assert plan.stamp(config) == config


def test_machines_are_marked_with_what_they_see() -> None:
    marked = plan_secrets(WANTED, KNOWN, DIGESTS).stamp(models.FlyMachineConfig(image="i"))
    assert marked.image == "i"
    assert marked.metadata == {SECRETS_SEEN: digests_hash(DIGESTS)}


OURS = {TOOL_VERSION: f"{OWN_TOOL}1.0"}


def running(*events: tuple[str, int], state: str = "started", **marks: str) -> models.Machine:
    """A machine with events at those seconds."""
    return models.Machine(
        id="m1",
        state=state,
        config=models.FlyMachineConfig(metadata=marks),
        events=[models.MachineEvent(type=kind, timestamp=1000 * at) for kind, at in events],
    )


TIMES = {"A": 10.0, "B": 20.0}


@pytest.mark.parametrize(
    ("machine", "names"),
    [
        (running(("launch", 5)), ("A", "B")),
        (running(("launch", 5), ("update", 15)), ("B",)),
        (running(("update", 15), ("launch", 5)), ("B",)),
        (running(("launch", 20)), ()),  # what is set in that moment, it has
        (running(("start", 20)), ()),
        (running(("restart", 19)), ("B",)),
        (running(("update", 15), ("start", 22)), ("B",)),  # what is set while it boots, it lacks
        (running(("launch", 5), ("update", 15), ("start", 22)), ("B",)),
        (running(("start", 5), ("exit", 6), ("start", 85)), ()),
        (running(("update", 25), ("start", 26)), ()),
        (running(("launch", 5), ("update", 25), ("revert", 26)), ("A", "B")),
        (running(("launch", 15), ("update", 25), ("revert", 26)), ("B",)),
        (running(("launch", 5), ("update", 15), ("update", 25), ("revert", 26)), ("B",)),
        (running(("exit", 25), ("launch", 5)), ("A", "B")),
        (running(("launch", 5), ("exit", 25)), ("A", "B")),
        (running(("exit", 5)), ()),
        (running(), ()),
        (running(("launch", 5), state="stopped"), ()),
        (running(("launch", 5), **{ALL_SECRETS_SEEN: digests_hash(DIGESTS)}), ()),
        (running(("launch", 5), **{SECRETS_SEEN: digests_hash(DIGESTS)}), ()),
        (running(("launch", 5), **{SECRETS_SEEN: digests_hash(DIGESTS), STAGED: "true"}), ()),
        (
            running(("launch", 5), **{SECRETS_SEEN: digests_hash(DIGESTS), STAGED: STAGED_REMOVAL}),
            (REMOVED,),
        ),
        (running(("launch", 25), **{STAGED: "true"}), ()),  # set before that start
        (running(**{STAGED: "true"}), (REMOVED,)),  # nothing tells when it started
        (running(("launch", 25), **{STAGED: STAGED_REMOVAL}), (REMOVED,)),
        (running(("launch", 15), **{STAGED: "1"}), ("B",)),
    ],
)
def test_which_secrets_wait(machine: models.Machine, names: tuple[str, ...]) -> None:
    observed = ObservedApp(name="web", secrets=DIGESTS, secret_times=TIMES)
    assert waiting_secrets(machine, observed) == names
    unasked = ObservedApp(name="web", secrets=DIGESTS)
    assert waiting_secrets(machine, unasked) == ()


@pytest.mark.parametrize(
    ("machine", "arrived"),
    [
        (running(("update", 81)), True),
        (running(("update", 80)), False),  # a minute: what is set while it boots, it may lack
        (running(("update", 71)), False),
        (running(("update", 15)), False),
        (running(("update", 81), **{STAGED: "true"}), False),
        (running(**{ALL_SECRETS_SEEN: digests_hash(DIGESTS)}), True),
        (running(**{ALL_SECRETS_SEEN: digests_hash({"A": "d1"})}), False),
        (running(), False),
    ],
)
def test_which_machines_have_all_secrets(machine: models.Machine, arrived: bool) -> None:
    observed = ObservedApp(name="web", secrets=DIGESTS, secret_times=TIMES)
    assert have_arrived(machine, observed) is arrived
    assert not have_arrived(machine, evolve(observed, secret_times=None))


@pytest.mark.parametrize(("first", "arrived"), [(0.0, False), (0.5, True)])
def test_a_secret_of_no_known_time_may_not_have_arrived(first: float, arrived: bool) -> None:
    times = TIMES | {"A": first}
    observed = ObservedApp(name="web", secrets=DIGESTS, secret_times=times)
    assert have_arrived(running(("update", 81)), observed) is arrived


@pytest.mark.parametrize(
    "machine",
    [
        running(("launch", 1_700_000_000)),
        running(("update", 1_700_000_000), ("start", 1_700_000_030)),
    ],
)
def test_times_are_those_of_milliseconds(machine: models.Machine) -> None:
    observed = ObservedApp(name="web", secret_times={"A": 1_699_999_999.5, "B": 1_700_000_000.5})
    assert waiting_secrets(machine, observed) == ("B",)
    times = {"A": 1_700_000_000.0004, "B": 1_700_000_000.0015}  # events are cut to milliseconds
    assert waiting_secrets(machine, evolve(observed, secret_times=times)) == ("B",)


def test_what_is_set_a_millisecond_after_a_start_waits() -> None:
    observed = ObservedApp(name="web", secret_times={"A": 15.0 + 0.001})
    assert waiting_secrets(running(("launch", 15)), observed) == ("A",)


@pytest.mark.parametrize(
    ("handed_out", "asked", "stays"),
    [(DIGESTS, True, True), ({"A": "d1"}, True, False), (DIGESTS, False, False), ({}, True, False)],
)
def test_what_was_handed_out_is_said_of_a_new_start_where_it_is_just_that(
    handed_out: dict[str, str], asked: bool, stays: bool
) -> None:
    mark = {ALL_SECRETS_SEEN: digests_hash(handed_out)}
    config = models.FlyMachineConfig(metadata={**mark, STAGED: "true", "own": "kept"})
    observed = ObservedApp(name="web", secrets=DIGESTS, secret_times=TIMES if asked else None)
    made = for_a_new_start(config, observed)
    assert made.metadata == {**(mark if stays else {}), "own": "kept"}
