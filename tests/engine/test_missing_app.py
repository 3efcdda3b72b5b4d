"""Operations on an app that does not exist, whatever the platform answers of what lies below it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fly_emulator import parse_faults
from score_flyio.base.secret import Secret
from score_flyio.engine.engine import Engine
from score_flyio.engine.operations.apps import AppRef
from score_flyio.engine.operations.scale import ScaleRequest
from score_flyio.engine.project import Project
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import NotInitialised, UsageError
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import QUICK, Lab, toml

Operation = Callable[[Engine], Awaitable[Any]]
REFUSED: dict[str, Operation] = {
    "sizes": lambda e: e.sizes("web"),
    "scale": lambda e: e.scale("web", ScaleRequest(counts={"app": 2}, options=QUICK)),
    "logs": lambda e: e.logs("web"),
    "secrets": lambda e: e.secrets("web"),
    "set secrets": lambda e: e.change_secrets("web", {"A": Secret("b")}, options=QUICK),
    "addresses": lambda e: e.addresses("web"),
    "release an address": lambda e: e.release_address("web", "1.2.3.4"),
    "certificates": lambda e: e.certificates("web"),
    "certificate": lambda e: e.certificate("web", "shop.example.com"),
    "check a certificate": lambda e: e.certificate("web", "shop.example.com", check=True),
    "add a certificate": lambda e: e.add_certificate("web", "shop.example.com"),
    "remove a certificate": lambda e: e.remove_certificate("web", "shop.example.com"),
    "rollback": lambda e: e.rollback("web", options=QUICK),
}


@pytest.mark.parametrize("status", [404, 400, 401, 403])
@pytest.mark.parametrize("operation", REFUSED)
async def test_it_is_told_that_there_is_no_such_app(status: int, operation: str) -> None:
    lab = Lab.build(below_missing_app=status)
    async with lab.engine() as engine:
        with pytest.raises(UsageError, match="app web: there is no such app"):
            await REFUSED[operation](engine)


@pytest.mark.parametrize("status", [404, 400, 401, 403])
async def test_status_takes_it_as_it_is(status: int) -> None:
    lab = Lab.build(below_missing_app=status)
    async with lab.engine() as engine:
        (found,) = (await engine.status("web")).apps
        assert (found.exists, found.error) == (False, None)


@pytest.mark.parametrize("status", [404, 400, 401, 403])
async def test_destroy_takes_it_as_it_is_where_it_is_known(status: int) -> None:
    lab = Lab.build(below_missing_app=status)
    async with lab.engine() as engine:
        with pytest.raises(UsageError, match="app web: there is no such app"):
            await engine.destroy("web")
        known = AppRef(app="web", named_by_file=True)
        assert (await engine.destroy(known)).works == ()


async def test_a_program_without_a_project_is_not_told_of_options_of_commands() -> None:
    project = Project(Path("/nowhere"), InMemoryStore())
    async with Engine(project, target=EmulatorTarget()) as engine:
        with pytest.raises(NotInitialised) as raised:
            await engine.status()
    assert "--app NAME" not in str(raised.value.hint)


async def test_a_misspelt_name_is_told_the_one_that_is_meant(lab: Lab) -> None:
    await lab.deploy(toml(app="shop"))
    async with lab.engine() as engine:
        for wrong in (lambda: engine.sizes("shpo"), lambda: engine.destroy("shpo")):
            with pytest.raises(UsageError) as raised:
                await wrong()
            assert str(raised.value.hint).startswith("did you mean shop? ")
        lab.fly.faults = parse_faults("Apps_list:500", 0)
        with pytest.raises(UsageError, match="app shpo: there is no such app"):
            await engine.destroy("shpo")


async def test_a_destruction_that_was_cut_short_goes_on_without_the_app(lab: Lab) -> None:
    """A run may be killed after the app is gone and before the state says so."""
    await lab.deploy(toml())
    async with lab.engine() as engine:
        await engine.session.client.api.apps_delete("web", force=True)
        assert [ref.app for ref in (await engine.destroy("web")).missing] == ["web"]
        with pytest.raises(UsageError, match="app web: there is no such app"):
            await engine.destroy("web")
