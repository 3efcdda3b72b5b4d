"""The generated package is what the document, its corrections and the templates make."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from openapi_spec_validator import validate

from fly_machines import OPERATIONS, VERSION, FlyMachinesApi, models
from openapi import generate
from openapi.operations import class_name, snake

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return generate.corrected_document()


def test_generated_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().out


def test_drift_is_reported_with_a_diff(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models.py").write_text("old = 1\n", encoding="utf-8")
    (tmp_path / "stray.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(generate, "OUTPUT", tmp_path)
    assert generate.report_drift({"models.py": "new = 1\n"})
    shown = capsys.readouterr().out
    assert "-old = 1" in shown
    assert "+new = 1" in shown
    assert "stray.py" in shown
    (tmp_path / "stray.py").unlink()
    assert not generate.report_drift({"models.py": "old = 1\n"})


def test_the_corrected_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_the_published_document_has_its_known_size() -> None:
    published = yaml.safe_load((ROOT / "openapi/fly-machines.yaml").read_text(encoding="utf-8"))
    operations = [op for item in published["paths"].values() for op in item.values()]
    assert (len(published["paths"]), len(operations)) == (53, 76)
    assert len(published["components"]["schemas"]) == 135


def test_each_correction_gives_its_evidence() -> None:
    overlay = yaml.safe_load((ROOT / "openapi/corrections.yaml").read_text(encoding="utf-8"))
    assert all(action["description"] for action in overlay["actions"])


def test_each_operation_has_one_constant_and_one_typed_coroutine(document: dict[str, Any]) -> None:
    expected = {
        (method.upper(), path, op["operationId"])
        for path, item in document["paths"].items()
        for method, op in item.items()
    }
    assert {(op.method, op.path, op.id) for op in OPERATIONS} == expected
    assert len(OPERATIONS) == len(expected)
    for operation in OPERATIONS:
        method = getattr(FlyMachinesApi, snake(operation.id))
        assert inspect.iscoroutinefunction(method)
        assert set(re.findall(r"{(\w+)}", operation.path)) == set(operation.path_parameters)
        assert "return" in inspect.get_annotations(method)


def test_each_property_of_a_schema_is_a_field_of_its_class(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema:
            fields = {field.name for field in attrs.fields(getattr(models, class_name(name)))}
            assert fields == {*schema["properties"], "extra"}, name


def test_objects_behave_as_those_of_attrs() -> None:
    guest = models.FlyMachineGuest(cpus=1, extra={"odd": 2})
    assert guest == models.FlyMachineGuest(cpus=1, extra={"odd": 2})
    assert guest != models.FlyMachineGuest(cpus=1)
    assert attrs.evolve(guest, cpus=2) == models.FlyMachineGuest(cpus=2, extra={"odd": 2})
    assert copy.deepcopy(guest) == pickle.loads(pickle.dumps(guest)) == guest
    config = models.FlyMachineConfig(guest=guest, env={"a": "b"}, services=[])
    copied = copy.deepcopy(config)
    assert copied == config
    assert copied.guest is not guest
    assert copied.env is not config.env
    assert attrs.asdict(guest) == {
        name: {"cpus": 1, "extra": {"odd": 2}}.get(name)
        for name in (field.name for field in attrs.fields(models.FlyMachineGuest))
    }
    assert repr(models.AcmeChallenge(name="a", extra={"b": 1})) == (
        "AcmeChallenge(name='a', target=None)"
    )
    assert models.AcmeChallenge().extra is not models.AcmeChallenge().extra
    with pytest.raises(TypeError, match="unhashable"):
        hash(guest)
    with pytest.raises(AttributeError):
        guest.cpu = 3  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="org_slug"):
        models.MainGetPlacementsRequest()  # type: ignore[call-arg]


def test_importing_the_models_makes_no_class_by_attrs() -> None:
    code = "import sys, fly_machines.models; print('attr' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "generated")},
    )
    assert done.stdout == "False\n"


def test_importing_the_package_loads_neither_models_nor_attrs() -> None:
    code = (
        "import sys, json; import fly_machines; "
        "print(json.dumps([m for m in sys.modules if m.split('.')[0] in ('attr', 'attrs') "
        "or m.startswith('fly_machines.')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "generated")},
    )
    assert json.loads(done.stdout) == []


def test_the_version_is_that_of_the_document(document: dict[str, Any]) -> None:
    assert document["info"]["version"] == VERSION


@pytest.mark.parametrize(
    ("wire", "python"),
    [
        ("App_IPAssignments_list", "app_ip_assignments_list"),
        ("Machines_create", "machines_create"),
        ("CurrentToken_show", "current_token_show"),
        ("Tokens_request_OIDC", "tokens_request_oidc"),
        ("fly-machine-lease-nonce", "fly_machine_lease_nonce"),
    ],
)
def test_names_become_snake_case(wire: str, python: str) -> None:
    assert snake(wire) == python
