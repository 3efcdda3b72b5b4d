"""What of a group counts for its machines: sizes that the options name, and checks wherever they stand."""

from __future__ import annotations

import pytest

from fly_machines import models
from score_flyio.deploy.options import GuestOptions
from score_flyio.deploy.step import AwaitHealthy
from tests.unit.deploy.planning.plans import SERVICE, changed, ids, launched, planned, step, wanted

RELEASE = "[deploy]\nrelease_command = 'migrate'\n"
SIZE = GuestOptions(size="shared-cpu-4x")
ONE = "create:app:1"


def test_a_canary_and_a_release_command_have_the_size_that_the_options_name() -> None:
    update = planned(wanted(image="nginx:2"), launched(wanted()), strategy="canary", guest=SIZE)
    assert step(update, "canary:app").request.config.guest.cpus == 4
    first = planned(wanted(RELEASE + SERVICE), guest=SIZE)
    assert step(first, "release").request.config.guest.cpus == 4


def test_a_release_command_has_the_size_of_the_default_group_whatever_its_name() -> None:
    serve = "[processes]\nserve = 'run'\n" + SERVICE
    observed = launched(wanted(serve))
    config = models.FlyMachineConfig(guest=models.FlyMachineGuest(cpus=8, memory_mb=2048))
    for name in ("create:serve:1", "create:serve:2"):
        observed = changed(observed, name, config=config)
    plan = planned(wanted(RELEASE + serve), observed, guest=SIZE)
    assert step(plan, "release").request.config.guest.cpus == 8


def test_a_release_command_does_not_run_where_machines_are_only_waited_for() -> None:
    observed = changed(launched(wanted(RELEASE + SERVICE)), ONE, state="starting")
    assert ids(planned(wanted(RELEASE + SERVICE), observed)) == [f"await:{ONE}"]
    assert "release" in ids(planned(wanted(RELEASE + SERVICE), observed, force=True))


HTTP = "[[http_service.checks]]\npath = '/'\n"
SERVICES = "[[services]]\ninternal_port = 8080\nprotocol = 'tcp'\n"


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        (SERVICE, False),
        (SERVICE + HTTP, True),
        (SERVICES, False),
        (SERVICES + "[[services.tcp_checks]]\ninterval = '5s'\n", True),
        (SERVICES + "[[services.http_checks]]\npath = '/'\n", True),
    ],
)
def test_checks_of_services_are_waited_for(text: str, *, waits: bool) -> None:
    found = [s for s in planned(wanted(text)).steps if isinstance(s, AwaitHealthy)]
    assert found
    assert all(wait.wait_for_checks is waits for wait in found)
