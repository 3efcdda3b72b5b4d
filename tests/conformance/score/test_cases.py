"""The recorded command-line cases of the Go score-flyio, and where this tool differs on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.score import divergences
from tests.conformance.score.case import Case, Outcome, Player
from tests.conformance.score.rules import (
    EARLY,
    exit_code,
    expected_tomls,
    files_form,
    marked,
    no_machine_has,
    secrets_of,
    specs_form,
    state_form,
    stdout_form,
    toml_form,
)
from tests.conftest import corpus

ADDED_NOTICES = {"resource_in_use", "probe_host_ignored"}
"""What the Go tool does not warn of."""
OWN = Path(__file__).parent / "cases"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    folder = corpus(metafunc.config, OWN, "*/case.json")
    cases = [Case.read(path.parent) for path in sorted(folder.glob("*/case.json"))]
    metafunc.parametrize("case", cases, ids=[case.name for case in cases])


def test_case(
    case: Case,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    outcome = Player(tmp_path, monkeypatch, capfd).play(case)
    assert "Traceback" not in outcome.last.stderr
    if case.expected["exit_code"] == 0 and no_machine_has(case):
        divergences.refused("resource_quantity_invalid")(case, outcome, lambda _: None)
    elif case.divergence is None and case.name not in divergences.CHOSEN:
        check(case, outcome)
        mentions(case, outcome)
    else:
        divergences.check(case, outcome, lambda changed: check(changed, outcome))


def check(case: Case, outcome: Outcome) -> None:
    """Everything is as recorded."""
    expected = case.expected
    for step, recorded in zip(outcome.steps, expected["steps"], strict=True):
        category = recorded.get("error_category")
        assert step.category == category, step.stderr
        assert step.exit_code == exit_code(category)
        assert told(step.notices) == told(recorded.get("notices", []))
        assert stdout_form(step.argv, step.stdout) == stdout_form(
            step.argv, recorded.get("stdout", "")
        )
    got = {name: toml_form(toml) for name, toml in marked(outcome, outcome.tomls).items()}
    wanted = {name: toml_form(toml) for name, toml in expected_tomls(case, outcome).items()}
    assert got == wanted
    assert secrets_of(outcome) == expected["secrets"]
    if expected["error_category"] in EARLY and outcome.state == outcome.last.before:
        # Found before provisioning, and nothing was kept: as good as recorded, or better.
        return
    check_state(case, outcome)
    recorded = expected.get("files_out", {})
    files = marked(outcome, outcome.other_files)
    assert files_form(files, recorded) == files_form(recorded, recorded)
    requests = expected.get("http_requests", [])
    assert marked(outcome, outcome.requests) == requests


def told(notices: list[str]) -> set[str]:
    """The warnings that both tools have."""
    return {notice for notice in notices if notice.partition(":")[0] not in ADDED_NOTICES}


def check_state(case: Case, outcome: Outcome) -> None:
    """The state document is as recorded."""
    state: Any = outcome.state
    assert marked(outcome, state_form(state)) == state_form(case.expected["state"])
    specs = {name: w["spec"] for name, w in ((state or {}).get("workloads") or {}).items()}
    assert specs_form(specs) == specs_form(case.expected["workload_specs"])


def mentions(case: Case, outcome: Outcome) -> None:
    """The error names what it is about."""
    for word in case.spec.get("error_mentions", ()):
        assert word in outcome.last.stderr


@pytest.mark.parametrize("name", ["cmd-secrets", "params-cycle-two", "http-deprovision-204"])
def test_the_installed_command_does_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A few cases with a process for each step."""
    case = Case.read(OWN / name)
    outcome = Player(tmp_path, monkeypatch, capfd, processes=True).play(case)
    codes = [exit_code(step.get("error_category")) for step in case.expected["steps"]]
    if name in divergences.CHOSEN:
        divergences.check(case, outcome, lambda _: None)
    else:
        assert [step.exit_code for step in outcome.steps] == codes
        check_state(case, outcome)
