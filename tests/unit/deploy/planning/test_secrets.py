"""Which secrets are set, and what is remembered of them."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.deploy.metadata import SECRETS_SEEN
from score_flyio.deploy.model import KnownApp
from score_flyio.deploy.planning.secrets import (
    SET_SECRETS,
    digests_hash,
    fingerprint,
    plan_secrets,
    remember,
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
