"""What `doctor` finds out about a token."""

from __future__ import annotations

import random
import time

import pytest

from fly_emulator import Principal
from fly_emulator.macaroons import new_macaroon
from score_flyio.engine.doctor import Diagnosis, examine, token
from score_flyio.engine.target import EmulatorTarget, FlyTarget
from score_flyio.fly.auth import Tokens
from tests.engine.lab import Lab


async def organization(lab: Lab) -> Diagnosis:
    target = EmulatorTarget(emulator=lab.fly, org=None)
    async with target.connect(emit=lambda _: None, rng=random.Random(1)) as client:
        found = await examine(client, target, {})
    return next(each for each in found if each.name == "organization")


@pytest.mark.parametrize("status", [401, 403])
async def test_a_token_that_may_not_ask_what_it_is_for_is_tried_on_another_call(
    status: int,
) -> None:
    lab = Lab.build(current_token=status)
    found = await organization(lab)
    assert (found.ok, "does not say" in found.message) == (True, True)
    assert "Apps_list" in {entry.operation for entry in lab.fly.journal.entries}


async def test_a_wrong_token_is_found_out() -> None:
    lab = Lab.build(current_token=401, tokens={"right": Principal()})
    assert not (await organization(lab)).ok


@pytest.mark.parametrize(
    ("seconds", "more", "told"),
    [
        (20.2 * 365 * 86_400, "", "valid for 20 years yet"),
        (3.1 * 86_400, "", "valid for 3 days yet"),
        (545, ",fo1_user", "valid for 9 minutes yet, then renewed"),
        (-5, "", "expired"),
        (-5, ",fo1_user", "expired, but renewed by your login"),
    ],
)
def test_the_time_left_of_a_token_is_shown(seconds: float, more: str, told: str) -> None:
    text = new_macaroon(b"key", ends=time.time() + seconds)
    found = token(FlyTarget(tokens=Tokens.parse(f"{text}{more}", source="FLY_API_TOKEN")))
    assert found.message == f"found in FLY_API_TOKEN, {told}"
