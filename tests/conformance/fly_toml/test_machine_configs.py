"""What every recorded fly.toml becomes: machine configs, requests, settings.

The image, the release and the ids are those that the recording pinned.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from fly_machines.models import CreateMachineRequest, FlyMachineConfig, Machine
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.mounts import first_deploy_volumes
from score_flyio.deploy.desired.render import finding_of, render
from score_flyio.deploy.desired.requests import (
    availability,
    launch_request,
    standby_request,
    update_input,
)
from score_flyio.deploy.desired.special import (
    group_machine_checks,
    machine_check_input,
    release_command_input,
)
from score_flyio.fly.codec import structure, unstructure
from score_flyio.flytoml import read_fly_toml
from score_flyio.flytoml.groups import flatten, process_groups
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import Release
from tests.conformance.fly_toml.compare import Case, canonical

IMAGE = "registry.fly.io/fixture:deployment-0001"
RELEASE = Release(id="release-fixture", version=7, tool_version="<flyctl-version>")
TESTED_IP = "fdaa:0:1:a7b::2"


@frozen
class Folder:
    """The files of a case."""

    path: Path

    def read(self, path: str) -> bytes:
        return (self.path / path).read_bytes()


def valid_spec(case: Case) -> AppSpec | None:
    document = read_fly_toml(case.text, file="fly.toml")
    assert document.valid == case.expected["valid"]
    return document.spec if document.valid else None


def outcome(value: Any) -> str:
    """A value as text that is equal for equal outcomes."""
    return canonical(_comparable(value))


def _comparable(value: Any) -> Any:
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {k: _comparable(v) for k, v in value.items() if k != "fly_flyctl_version"}
    headers = kept.get("headers")
    if isinstance(headers, list):
        kept["headers"] = sorted(headers, key=str)
    return kept


def plan(spec: AppSpec, group: str, files: Folder) -> CreateMachineRequest | None:
    mounts = flatten(spec, group).mounts
    try:
        found = launch_request(spec, group, image=IMAGE, release=RELEASE, files=files)
    except ConversionError:
        return None
    if mounts and found.config and found.config.mounts:
        found.config.mounts[0].volume = f"vol_{mounts[0].source}"
    return found


def test_rendered(case: Case) -> None:
    expected = case.expected
    spec = valid_spec(case)
    if spec is None:
        assert expected["machine_configs"] is None
        return
    rendered = render(spec, files=Folder(case.folder))[0].to_json()
    for member in (
        "process_groups",
        "default_process_group",
        "machine_configs",
        "conversion_errors",
        "release_command_machine",
        "release_command_error",
    ):
        assert outcome(rendered.get(member)) == outcome(expected.get(member)), member


def test_settings_and_console(case: Case) -> None:
    expected = case.expected
    spec = valid_spec(case)
    if spec is None:
        assert expected.get("deploy") is None
        return
    if expected["deploy"] is None:
        pytest.skip("a file of the case is missing on purpose")
    rendered = render(spec, files=Folder(case.folder))[0].to_json()
    found, wanted = rendered["deploy"], expected["deploy"]
    assert len(found.pop("build_strategies")) == len(wanted.pop("build_strategies"))
    assert outcome(found) == outcome(wanted)
    assert outcome(rendered["console_machine"]) == outcome(expected["console_machine"])


def test_launch(case: Case) -> None:
    expected = case.expected
    spec = valid_spec(case)
    if spec is None:
        assert "launch_inputs" not in expected
        return
    found: dict[str, Any] = {}
    for group in process_groups(spec):
        launch = plan(spec, group, Folder(case.folder))
        if launch is None:
            continue
        gets = availability(launch.config or FlyMachineConfig())
        found[group] = {"availability": gets, "first": unstructure(launch)}
        if gets == "standby":
            found[group]["standby"] = unstructure(standby_request(launch, "machine-fixture"))
    assert outcome(found) == outcome(expected["launch_inputs"])


def test_update(case: Case) -> None:
    expected = case.expected
    spec = valid_spec(case)
    if spec is None:
        assert "update_inputs" not in expected
        return
    recorded = expected.get("update_inputs") or {}
    assert set(recorded) == set(expected["launch_inputs"])
    for group, update in recorded.items():
        existing = structure(update["existing"], Machine)
        found = update_input(
            spec, group, existing, image=IMAGE, release=RELEASE, files=Folder(case.folder)
        )
        assert outcome(unstructure(existing)) == outcome(update["existing"]), "was changed"
        assert outcome(unstructure(found.request)) == outcome(update["input"])
        assert bool(found.replaced_because) == update["requires_replacement"]


def test_machine_checks(case: Case) -> None:
    expected = case.expected
    spec = valid_spec(case)
    if spec is None:
        assert "test_machines" not in expected
        return
    found: dict[str, Any] = {}
    for group in process_groups(spec):
        launch = plan(spec, group, Folder(case.folder))
        if launch is None:
            continue
        tested = Machine(config=launch.config, private_ip=TESTED_IP)
        requests, errors = [], []
        for check in group_machine_checks(spec, group):
            try:
                request = machine_check_input(spec, check, tested, release=RELEASE)
                requests.append(unstructure(request))
            except ConversionError as error:
                errors.append(finding_of(error).to_json())
        if requests or errors:
            found[group] = requests + errors
    assert outcome(found or None) == outcome(expected.get("test_machines"))


def test_release_command(case: Case) -> None:
    expected = case.expected
    spec = valid_spec(case)
    if spec is None:
        assert expected["release_command_machine"] is None
        return
    files = Folder(case.folder)
    if "release_command_error" in expected:
        with pytest.raises(ConversionError) as raised:
            release_command_input(spec, image=IMAGE, release=RELEASE, files=files)
        assert finding_of(raised.value).to_json() == expected["release_command_error"]
        return
    request = release_command_input(spec, image=IMAGE, release=RELEASE, files=files)
    found = None if request is None else unstructure(request)
    assert outcome(found) == outcome(expected.get("release_command_launch_input"))


def test_first_deploy_volumes(case: Case) -> None:
    expected = case.expected
    spec = valid_spec(case)
    if spec is None or "conversion_errors" in expected:
        assert "first_deploy_volumes" not in expected
        return
    found = [unstructure(volume) for volume in first_deploy_volumes(spec, image=IMAGE)]
    assert outcome(found or None) == outcome(expected.get("first_deploy_volumes"))
