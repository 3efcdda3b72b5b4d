"""Plans are as they were written down: a change of any step shows in review."""

from __future__ import annotations

import pytest

from tests.unit.deploy.planning.whole import FOLDER, PLANS, shown


@pytest.mark.parametrize("title", PLANS)
def test_the_whole_plan(title: str) -> None:
    assert shown(PLANS[title]()) == (FOLDER / f"{title}.txt").read_text()


def test_no_file_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(PLANS)
