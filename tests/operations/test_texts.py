"""Texts that are read back: secrets lines, the state document, flags as flyctl spells them."""

from __future__ import annotations

import asyncclick as click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.base.secret import Secret
from score_flyio.cli.go_flags import as_click_reads, max_unavailable, seconds
from score_flyio.deploy.releases.images import with_digest
from score_flyio.engine.secrets_file import parse, render
from score_flyio.errors import ConfigError, UsageError
from score_flyio.state.deployments import DeploymentRecord, Release
from score_flyio.state.deployments_form import dump_document, load_document
from score_flyio.state.model import ProjectState, WorkloadRecord

NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(st.sampled_from("ab\"\\ \n'=#\t\r-"), max_size=12)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_the_secrets_file_says_is_read_back(values: dict[str, str]) -> None:
    try:
        text = render({name: Secret(value) for name, value in values.items()})
    except ConfigError:
        return
    found = dict(parse(text))
    assert {
        name: None if value is None else value.reveal() for name, value in found.items()
    } == values


def test_wrong_lines_are_all_told_without_their_text() -> None:
    with pytest.raises(UsageError) as caught:
        parse('A=1\nhidden\n\n# fine\n1 B=hidden\nC="""hidden\n')
    assert [problem.line for problem in caught.value.problems] == [2, 5, 6]
    assert "hidden" not in str(caught.value)


@given(
    texts=st.lists(st.text(max_size=20), max_size=3),
    image=st.text(st.sampled_from("a-\n:"), max_size=8),
)
def test_a_state_is_read_back_as_one_document(texts: list[str], image: str) -> None:
    state = ProjectState.new("x-")
    state.workloads["w"] = WorkloadRecord(
        spec={"texts": texts, "marks": "---\n---\n"}, file="w.yaml"
    )
    release = Release(version=1, at=1.5, image=image, configs={"app": {"cmd": "---\na"}})
    state.deployments["x-w"] = DeploymentRecord(workload="w", releases=(release,))
    again = load_document(dump_document(state), "kept.yaml")
    assert again == state


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("nginx", "nginx@sha256:1"),
        ("nginx:1.2", "nginx@sha256:1"),
        ("host:5000/a/b", "host:5000/a/b@sha256:1"),
        ("host:5000/a/b:tag", "host:5000/a/b@sha256:1"),
        ("a/b@sha256:0", "a/b@sha256:0"),
    ],
)
def test_images_with_their_digests(image: str, pinned: str) -> None:
    assert with_digest(image, "sha256:1") == pinned


@pytest.mark.parametrize(
    ("text", "expected"), [("5m", 300), ("1m30s", 90), ("90", 90), ("1.5", 1.5), ("250ms", 0.25)]
)
def test_times(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "-1", "-5m", "inf", "nan", "5 m"])
def test_wrong_times(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        seconds(text)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("3", 3), ("0.33", 0.33), ("2.0", 2)])
def test_max_unavailable(text: str, number: float) -> None:
    assert max_unavailable(text) == number


@pytest.mark.parametrize("text", ["0", "1.5", "-1", "x", "nan", "inf", "33%"])
def test_wrong_max_unavailable(text: str) -> None:
    with pytest.raises(ValueError, match="neither a count"):
        max_unavailable(text)


@pytest.mark.parametrize(
    ("given_args", "expected"),
    [
        (["--ha=false"], ["--no-ha"]),
        (["--ha=true", "x"], ["--ha", "x"]),
        (["--ha=F", "--detach=1", "--detach=0"], ["--no-ha", "--detach"]),
        (["--name=false", "--", "--ha=false"], ["--name=false", "--", "--ha=false"]),
        (["-n=x", "--name", "--ha=false", "-n"], ["-n", "x", "--name", "--ha=false", "-n"]),
        (["--no-ha", "-", "--other=1"], ["--no-ha", "-", "--other=1"]),
    ],
)
def test_switches_with_values(given_args: list[str], expected: list[str]) -> None:
    params: list[click.Parameter] = [
        click.Option(["--ha/--no-ha"]),
        click.Option(["--detach"], is_flag=True),
        click.Option(["-n", "--name"]),
    ]
    assert as_click_reads(given_args, params) == expected
