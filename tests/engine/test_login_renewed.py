"""A login of some minutes, in a deploy that takes longer."""

from __future__ import annotations

import random
from collections.abc import Callable

import anyio
import httpx
from attrs import define, evolve

from fly_emulator import Emulator
from fly_emulator.macaroons import new_macaroon
from score_flyio.base.clock import EventLoopClock
from score_flyio.engine.target import EMULATOR_URL, EmulatorTarget
from score_flyio.events import Event
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from score_flyio.fly.login import Login
from tests.engine.lab import QUICK, Lab, toml


@define(kw_only=True)
class LoggedIn(EmulatorTarget):
    """The emulator, with a token of one's own."""

    text: str
    clock: EventLoopClock

    def _client(
        self, emulator: Emulator, emit: Callable[[Event], None], rng: random.Random
    ) -> FlyClient:
        login = Login(
            Tokens.parse(self.text),
            clock=self.clock,
            web_url="https://api.fly.io",
            client=lambda: httpx.AsyncClient(transport=emulator.transport()),
        )
        carrier = emulator.transport
        return FlyClient(EMULATOR_URL, login, transport=carrier, rng=rng, emit=emit)


def logged_in(lab: Lab, *, own: str, life: float = 86_400) -> None:
    access = new_macaroon(b"access", ends=lab.clock.time() + life, ticket=b"ticket")
    discharge = new_macaroon(b"ticket", ends=lab.clock.time() + 600)
    text = f"{access},{discharge}{own}"
    lab.target = LoggedIn(emulator=lab.fly, text=text, clock=lab.clock)


SLOW = evolve(QUICK, wait_timeout=3600)


async def test_a_login_is_renewed_during_a_deploy_that_takes_longer() -> None:
    lab = Lab.build(boot=1500.0)
    logged_in(lab, own=",fo1_user")
    done = await lab.deploy(toml(), options=SLOW)
    assert done.code == 0, done.text
    assert len(done.of("Macfly_discharge")) >= 2
    assert not [call for call in done.calls if call.status == 401]


async def test_without_the_users_own_token_the_end_is_told() -> None:
    lab = Lab.build(boot=900.0)
    logged_in(lab, own="")
    done = await lab.deploy(toml(), options=SLOW)
    assert done.code
    assert done.report is not None
    assert done.report.apps[0].steps
    assert "has expired, and cannot be renewed" in done.text


async def test_a_login_that_has_ended_for_good_is_refused_before_anything_changes() -> None:
    lab = Lab.build()
    logged_in(lab, own="")
    await anyio.sleep(700)
    done = await lab.deploy(toml())
    assert done.code == 1
    assert "has expired, and cannot be renewed" in done.text
    assert done.changes == []


async def test_a_macaroon_that_ends_is_made_anew_by_the_users_own_token() -> None:
    lab = Lab.build(boot=1500.0)
    logged_in(lab, own=",fo1_user", life=600)
    done = await lab.deploy(toml(), options=SLOW)
    assert done.code == 0, done.text
    assert len(lab.fly.world.tokens) >= 2
    assert {made.profile for made in lab.fly.world.tokens} == {"deploy_organization"}
    assert {made.expires_at - made.created_at for made in lab.fly.world.tokens} == {600.0}
    assert not [call for call in done.calls if call.status == 401]


async def test_where_none_is_made_anew_the_users_own_token_goes_alone() -> None:
    lab = Lab.build(boot=1500.0)
    logged_in(lab, own=",fo1_user", life=600)
    done = await lab.deploy(toml(), options=SLOW, faults="GraphQL: 500")
    assert done.code == 0, done.text
    assert lab.fly.world.tokens == []
