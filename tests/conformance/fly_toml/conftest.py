"""Runs the recorded fly.toml cases: each test that takes `case` gets every case."""

from __future__ import annotations

import pytest

from tests.conformance.fly_toml.compare import CASES, cases_in
from tests.conftest import corpus


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = cases_in(corpus(metafunc.config, CASES, "*/fly.toml"))
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])
