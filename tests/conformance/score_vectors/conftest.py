"""Parametrises a test with the entries of the vector file that its marker names."""

from __future__ import annotations

import pytest

from tests.conformance.score_vectors.vectors import DATA, MARKS, entries, label
from tests.conftest import corpus


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "vectors(name): run with every entry of a vector file")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("vectors")
    if marker is None:
        return
    found = entries(corpus(metafunc.config, DATA, *MARKS), marker.args[0])
    ids = [label(entry, index) for index, entry in enumerate(found)]
    metafunc.parametrize("entry", found, ids=ids)
