"""What can be known from a file is known before anything is made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve

from score_flyio.deploy.options import GuestOptions
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.errors import ResourceError
from score_flyio.flytoml import read_fly_toml
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import QUICK, Databases, Lab, score, toml

HEAD = 'app = "web"\nprimary_region = "iad"\n'
IMAGE = '[build]\nimage = "nginx:1"\n'
HTTP = "[http_service]\ninternal_port = 8080\n"
SERVICE = '[[services]]\nprotocol = "tcp"\ninternal_port = 5000\n[[services.ports]]\nport = 5000\n'

FAULTS = {
    "vm[0].size": f'{HEAD}{IMAGE}{HTTP}[[vm]]\nsize = "shared-cpu-3x"\n',
    "vm[0].memory": f'{HEAD}{IMAGE}{HTTP}[[vm]]\nmemory = "1Gi"\n',
    "vm": f'{HEAD}{IMAGE}{HTTP}[[vm]]\nsize = "a10"\n',
    "files[0].local_path": f'{HEAD}{IMAGE}[[files]]\nguest_path = "/a"\nlocal_path = "none"\n',
    "files[0].guest_path": f'{HEAD}{IMAGE}[[files]]\nguest_path = "a"\nraw_value = "x"\n',
    "checks.a.port": f'{HEAD}{IMAGE}[checks.a]\ntype = "tcp"\n',
    "build.compose.file": f'{HEAD}{HTTP}[build.compose]\nfile = "none.yml"\n',
    "machine_config": f'{HEAD}machine_config = "none.json"\n{IMAGE}{HTTP}',
    "http_service.machine_checks[0].command": (
        f'{HEAD}{IMAGE}{HTTP}[[http_service.machine_checks]]\nimage = "curl:1"\n'
    ),
    "services[0].internal_port": HEAD + IMAGE + SERVICE.replace("internal_port = 5000\n", ""),
    "http_service.internal_port": f"{HEAD}{IMAGE}[http_service]\nforce_https = true\n",
    "services[0].protocol": HEAD + IMAGE + SERVICE.replace("tcp", "sctp"),
    "mounts[0].source": f'{HEAD}{IMAGE}[[mounts]]\nsource = "My-Data"\ndestination = "/d"\n',
    "app": f'app = "${{APP_NAME}}"\nprimary_region = "iad"\n{IMAGE}{HTTP}',
}


def app(text: str, tmp_path: Path) -> FlyTomlApp:
    document = read_fly_toml(text, file="fly.toml")
    assert document.spec is not None, document.problems
    name = document.spec.app
    return FlyTomlApp(app=name, document=document, spec=document.spec, directory=tmp_path)


@pytest.mark.parametrize("place", FAULTS)
async def test_a_deploy_makes_nothing_that_a_plan_refuses(place: str, tmp_path: Path) -> None:
    lab = Lab.build()
    wrong = app(FAULTS[place], tmp_path)
    done = await lab.deploy(wrong)
    assert (done.code, done.changes) == (2, [])
    if place != "vm":  # of a GPU the machine that would have it is told
        assert re.search(rf"fly\.toml(:\d+)?: {re.escape(place)}: ", done.text)
    async with lab.engine() as engine:
        plan = await engine.plan([wrong], QUICK)
    (failure,) = plan.failures.values()
    assert failure.exit_code == 2
    assert done.report is not None
    assert failure.message == done.report.failures[0].message


async def test_the_plan_comes_before_the_app_where_nothing_is_waited_for() -> None:
    lab = Lab.build()
    done = await lab.deploy(toml())
    kinds = [event.kind for event in done.events]
    assert kinds.index("plan_ready") < kinds.index("step_started")


async def test_an_app_that_waits_for_a_resource_is_refused_just_as_early() -> None:
    lab = Lab.build()
    options = evolve(QUICK, guest=GuestOptions(size="a10"))
    done = await lab.deploy(score(secret=True), options=options)
    assert (done.code, done.changes) == (2, [])


async def test_the_name_of_an_app_is_checked_for_a_workload_too() -> None:
    lab = Lab.build()
    lab.store = InMemoryStore(ProjectState.new("a-long-prefix-for-every-app-of-this-project-"))
    done = await lab.deploy(score("and-a-long-name-for-this-one"))
    assert (done.code, done.changes) == (2, [])


@define(eq=False)
class Broken(Databases):
    """A provisioner that cannot make anything."""

    async def provision(self, _request: Any) -> Any:
        raise ResourceError("no database today")


async def test_what_was_done_before_a_resource_failed_is_in_the_report() -> None:
    lab = Lab.build()
    lab.databases = Broken()
    done = await lab.deploy(score(secret=True))
    assert done.report is not None
    (app,) = done.report.to_json()["apps"]
    assert (done.code, app["outcome"]) == (1, "failed")
    assert app["steps"][0]["description"] == "create app web in organization personal"


async def test_the_report_of_an_app_that_could_not_be_planned_says_how_it_stands() -> None:
    lab = Lab.build()
    await lab.deploy(score(secret=True))
    lab.databases = Broken()
    done = await lab.deploy(score(secret=True, image="nginx:2"))
    assert done.report is not None
    (app,) = done.report.apps
    assert (app.outcome, app.release, app.machines) == ("failed", 1, {"started": 2})
    assert app.addresses
