"""`secrets import` beside what flyctl was recorded to make of the same input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from score_flyio.engine.secrets_file import parse
from score_flyio.errors import UsageError

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("secrets-import.json").read_text(encoding="utf-8")
)
REFUSED = {"export", "quoted name", "empty name"}
"""flyctl sets variables of such names, which nobody can want."""
NOTHING = {"empty", "only comments"}
"""Refused by the command, not by the reading."""
READ = {"long line"}
"""flyctl stops there."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_read_as_flyctl_reads(case: dict[str, Any]) -> None:
    name, repeat = case["name"], case.get("input_repeat")
    text = case.get("input") or (
        repeat["prefix"] + repeat["char"] * repeat["count"] if repeat else ""
    )
    try:
        found = {key: value.reveal() for key, value in parse(text)}
    except UsageError:
        assert case["exit_code"] or name in REFUSED
        return
    assert name not in REFUSED
    if name not in NOTHING | READ:
        assert (case["exit_code"], found) == (0, case["secrets"])


def test_every_exception_is_a_case() -> None:
    assert {case["name"] for case in CASES} >= REFUSED | NOTHING | READ
