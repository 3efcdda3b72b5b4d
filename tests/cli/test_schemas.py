"""What `--events` writes keeps to the schema that is published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from score_flyio.events.schema import json_schema
from tests.cli.conftest import Cli
from tests.cli.platform import WEB, WORKER, Platform, platform, project, use

BROKEN = WORKER.replace("image:", "imege:")


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        yield running


def test_events_of_runs_fit(cli: Cli, served: Platform) -> None:
    validator = Draft202012Validator(json_schema())
    project(cli, {"web.yaml": WEB, "bad.yaml": BROKEN})
    seen = set()
    for number, files in enumerate((["web.yaml"], ["web.yaml", "bad.yaml"])):
        cli("deploy", *files, "--no-smoke-checks", "--events", f"{number}.jsonl")
        for line in Path(f"{number}.jsonl").read_text().splitlines():
            event = json.loads(line)
            assert [each.message for each in validator.iter_errors(event)] == []
            seen.add(event["kind"])
    assert {"run_started", "plan_ready", "step_finished", "run_finished"} <= seen


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "no_such_kind", "seq": 1, "at": 1.0},
        {"kind": "run_started", "seq": "1", "at": 1.0},
        {"kind": "step_finished", "seq": 1, "at": 1.0},
        {"kind": "lease_released", "seq": 1, "at": 1.0, "more": True},
    ],
)
def test_other_documents_do_not_fit(event: dict[str, object]) -> None:
    assert not Draft202012Validator(json_schema()).is_valid(event)


def test_every_kind_has_its_own_schema() -> None:
    Draft202012Validator.check_schema(json_schema())
    kinds = [each["properties"]["kind"]["const"] for each in json_schema()["oneOf"]]
    assert len(kinds) == len(set(kinds)) > 25
