from __future__ import annotations

import pytest

from score_flyio.base.place import Path, path_of, place_text
from score_flyio.errors import Problem


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ()),
        ("app", ("app",)),
        ("mounts[1].initial_size", ("mounts", 1, "initial_size")),
        ("containers.main.files[/etc/app.conf].mode", ("containers", "main", "files", "/etc/app.conf", "mode")),
        ("args[0][2]", ("args", 0, 2)),
        ("[a key].x", ("a key", "x")),
    ],
)  # fmt: skip
def test_a_place_is_written_and_read_again(text: str, path: Path) -> None:
    assert path_of(text) == path
    assert place_text(path) == text


def test_a_problem_tells_file_line_place_message_and_hint() -> None:
    problem = Problem(
        file="score.yaml",
        line=3,
        path=("containers", "main", "image"),
        message="is missing",
        hint="add it",
        code="schema_invalid",
    )
    assert str(problem) == "score.yaml:3: containers.main.image: is missing (add it)"
    assert problem.to_json() == {
        "file": "score.yaml",
        "line": 3,
        "place": "containers.main.image",
        "message": "is missing",
        "hint": "add it",
        "code": "schema_invalid",
    }
    assert str(Problem(message="all is lost")) == "all is lost"
    assert (
        Problem(message="", code="secret_variable", subject="TOKEN").key == "secret_variable:TOKEN"
    )
