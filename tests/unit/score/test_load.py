from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.errors import InputError, Problem, ScoreFileError, UsageError
from score_flyio.score.load import LoadedWorkload, workload_from_document
from tests.unit.score.loading import load_score_file

MINIMAL = """\
apiVersion: score.dev/v1b1
metadata:
  name: shop
containers:
  main:
    image: .
"""


@pytest.fixture
def score(tmp_path: Path) -> Path:
    file = tmp_path / "score.yaml"
    file.write_text(MINIMAL)
    return file


def _failure(file: Path, **options: Any) -> InputError:
    with pytest.raises(ScoreFileError) as failure:
        load_score_file(file, **options)
    return failure.value


def test_minimal(score: Path) -> None:
    loaded = load_score_file(score)
    assert loaded.workload.name == "shop"
    assert loaded.workload.containers["main"].image == "."
    assert loaded.file == str(score)
    assert loaded.notices == ()


def test_image_replaces_only_the_dot(score: Path) -> None:
    score.write_text(MINIMAL + "  side:\n    image: nginx\n")
    loaded = load_score_file(score, image="registry/shop:1")
    images = [container.image for container in loaded.workload.containers.values()]
    assert images == ["registry/shop:1", "nginx"]
    assert loaded.document["containers"]["main"]["image"] == "registry/shop:1"


def test_an_only_container_with_an_image_of_its_own_keeps_it_and_that_is_told(score: Path) -> None:
    score.write_text(MINIMAL.replace("image: .", "image: nginx:6"))
    loaded = load_score_file(score, image="shop:1")
    assert loaded.workload.containers["main"].image == "nginx:6"
    (notice,) = loaded.notices
    assert notice.place == "containers.main.image"
    assert notice.message == "--image shop:1 replaces only an image `.`: fly.toml keeps nginx:6"
    assert notice.hint == "to replace it: --image main=shop:1"
    named = load_score_file(score, image="main=shop:1")
    assert named.workload.containers["main"].image == "shop:1"
    assert named.notices == ()


def test_file_then_properties_in_order(score: Path, tmp_path: Path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text("containers: {main: {image: a, args: [x]}}\n")
    properties = ["containers.main.image=b", "containers.main.args.-1=y", "containers.main.image=c"]
    properties.append("")  # "$MORE" of a script where it is not set
    loaded = load_score_file(score, overrides_file=over, override_properties=properties)
    main = loaded.workload.containers["main"]
    assert (main.image, main.args) == ("c", ("x", "y"))


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, "score_file_unreadable", "no such file"),
        (b"a: \xff", "score_file_undecodable", "UTF-8"),
        (b"\xff\xfea", "score_file_undecodable", "UTF-16"),
        (b"- a\n", "score_file_undecodable", "a list"),
        (b"a:\n\tb: 1\n", "score_file_undecodable", ":2:"),
        (b"a: 1\na: 2\n", "score_file_undecodable", ":2:"),
        (b"a: 1\nb: {[c]: d}\n", "score_file_undecodable", ":2:"),
        (b'a: "\\UFFFFFFFF"\n', "score_file_undecodable", ":1:"),
        (MINIMAL.encode() + b"---\na: 1\n", "score_file_undecodable", ":7:"),
        (b"# nothing\n", "schema_invalid", "apiVersion"),
        (MINIMAL.encode() + b"    variables: {1: x}\n", "schema_invalid", "variables.1: the key"),
    ],
)
def test_unusable_files(score: Path, content: bytes | None, code: str, words: str) -> None:
    score.unlink() if content is None else score.write_bytes(content)
    failure = _failure(score)
    assert failure.code == code
    assert str(score) in str(failure)
    assert words in str(failure)


def test_a_problem_of_a_renamed_key_has_the_line_where_it_stands(score: Path) -> None:
    text = MINIMAL + "    volumes:\n    - source: data\n      target: /d\n      read_only: true\n"
    score.write_text(text)
    origin = load_score_file(score).origin
    place = ("containers", "main", "volumes", "/d", "readOnly")
    assert origin.located(Problem(path=place, message="no")).line == 10


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_says_what_the_text_is(score: Path, encoding: str) -> None:
    mark = "" if encoding == "utf-8-sig" else "\ufeff"
    score.write_bytes((mark + MINIMAL + "    args: [é]\n").encode(encoding))
    assert load_score_file(score).workload.containers["main"].args == ("é",)


@pytest.mark.parametrize("content", [None, "[a]", "a: [1", "1: x", "a: 1\n---\nb: 1"])
def test_unusable_overrides(score: Path, tmp_path: Path, content: str | None) -> None:
    over = tmp_path / "over.yaml"
    if content is not None:
        over.write_text(content)
    failure = _failure(score, overrides_file=over)
    assert failure.code == "override_file_invalid"
    assert "over.yaml" in str(failure)


def test_all_problems_at_once_with_their_lines(score: Path) -> None:
    score.write_text(MINIMAL + "    imag: x\n    variables:\n      A: 1\n      B:\nother: 1\n")
    failure = _failure(score)
    places = {(problem.line, problem.place) for problem in failure.problems}
    assert places == {
        (5, "containers.main"),
        (9, "containers.main.variables.A"),
        (10, "containers.main.variables.B"),
        (1, None),
    }


def test_line_of_an_item_in_the_list_form(score: Path) -> None:
    files = "    files:\n    - {target: /a, content: x}\n    - target: /b\n      mode: rw\n      content: y\n"
    score.write_text(MINIMAL + files)
    (problem,) = _failure(score).problems
    assert (problem.line, problem.place) == (10, "containers.main.files[/b].mode")


def test_no_line_for_what_an_override_put_there(score: Path) -> None:
    (problem,) = _failure(score, override_properties=["metadata.name=UPPER"]).problems
    assert (problem.line, problem.place) == (None, "metadata.name")


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        ("    variables: {A: '${resources.no.x}'}\n", "placeholder_invalid", "variables.A"),
        ("    variables: {A: '${metadata.owner}'}\n", "placeholder_invalid", "metadata.owner"),
        ("    variables: {A: '${metadata. name}'}\n", "placeholder_invalid", "metadata. name"),
        ("    variables: {A: '${resources.db}'}\nresources: {db: {type: pg}}\n",
         "placeholder_invalid", "names no output"),
        ("    variables: {A: '${resources.db.host }'}\nresources: {db: {type: pg}}\n",
         "placeholder_invalid", "resources.db.host "),
        ("    variables: {A: '${env.HOME}'}\n", "placeholder_invalid", "env.HOME"),
        ("    files: {/a: {content: '${resources.no.x}'}}\n", "placeholder_invalid", "[/a].content"),
        ("    volumes: {/a: {source: '${x}'}}\n", "placeholder_invalid", "[/a].source"),
        ("resources: {aa: {type: xx, params: {p: '${resources.no.x}'}}}\n",
         "resource_reference_unknown", "resources.aa.params.p"),
        ("resources: {aa: {type: xx, params: {p: ['${env.X}']}}}\n",
         "params_substitution_failed", "resources.aa.params.p[0]"),
        ("    before: {main: {ready: started}}\n", "schema_invalid", "before itself"),
        ("  side: {image: $SCORE_IMAGE}\n", "image_invalid", "containers.side.image: '$SCORE_IMAGE'"),
        ("  side: {image: x y}\n", "image_invalid", "it has spaces in it"),
        ("  side: {image: 'nginx@sha256:abc'}\n", "image_invalid", "'sha256:abc' is not a digest"),
        ("    before: {side: {ready: healthy}}\n  side: {image: x}\n", "schema_invalid", "no probe"),
        ("    before: {side: {ready: started}}\n  side: {image: x, before: {main: {ready: started}}}\n",
         "schema_invalid", "main before side before main"),
    ],
)  # fmt: skip
def test_rules_across_fields(score: Path, lines: str, code: str, words: str) -> None:
    score.write_text(MINIMAL + lines)
    failure = _failure(score)
    assert failure.code == code
    assert words in str(failure)
    assert failure.problems[0].line is not None


SEVERAL = MINIMAL + "  side: {image: 'sidecar:1'}\n  last: {image: .}\n"


def test_an_image_for_a_container_that_is_named(score: Path) -> None:
    score.write_text(SEVERAL)
    containers = load_score_file(score, image="side=other:2").document["containers"]
    assert [containers[name]["image"] for name in ("side", "last")] == ["other:2", "."]
    containers = load_score_file(score, image="other:2").document["containers"]
    assert [containers[name]["image"] for name in ("side", "last")] == ["sidecar:1", "other:2"]


@pytest.mark.parametrize("image", ["nope=other:2", "other:2"])
def test_an_image_for_no_container(score: Path, image: str) -> None:
    score.write_text(SEVERAL.replace("  last: {image: .}\n", "").replace("image: .", "image: x"))
    with pytest.raises(UsageError, match=f"--image {image}") as raised:
        load_score_file(score, image=image)
    assert "NAME one of main, side" in str(raised.value.hint)


@pytest.mark.parametrize(
    "lines",
    [
        "    files: {/a: {content: '${no.x}', noExpand: true}}\n",
        "    files: {/a: {source: '${no.x}'}}\n",
        "    args: ['${no.x}']\n",
        "    variables: {A: '$${no.x}', B: '${metadata.name}'}\n",
    ],
)
def test_what_is_no_placeholder(score: Path, lines: str) -> None:
    score.write_text(MINIMAL + lines)
    load_score_file(score)


@pytest.mark.parametrize(
    "reference", ["metadata.a b", "metadata.a/b.c:d", "resources.db.x y", "resources.db.x/y@z"]
)
def test_keys_may_be_any_text(score: Path, reference: str) -> None:
    metadata = "metadata: {name: shop, a b: 1, a/b: {'c:d': 2}}"
    text = MINIMAL.replace("metadata:\n  name: shop", metadata)
    score.write_text(
        f"{text}    variables: {{A: '${{{reference}}}'}}\nresources: {{db: {{type: pg}}}}\n"
    )
    load_score_file(score)


def test_annotations_can_be_read(score: Path) -> None:
    text = MINIMAL.replace("name: shop", "name: shop\n  annotations: {example.com/team: red}")
    score.write_text(text + "    variables: {T: '${metadata.annotations.example\\.com/team}'}\n")
    load_score_file(score)


def test_deprecated_forms_are_upgraded_with_a_notice(score: Path) -> None:
    score.write_text(
        MINIMAL
        + "    files: [{target: /a, content: [x, y]}]\n"
        + "    volumes: [{source: data, target: /d, read_only: true}]\n"
    )
    loaded = load_score_file(score)
    main = loaded.workload.containers["main"]
    assert main.files[0].content == "x\ny"
    assert main.volumes[0].read_only
    assert [notice.key for notice in loaded.notices] == [
        "upgraded:containers.main.files.0.content",
        "upgraded:containers.main.volumes.0.read_only",
    ]
    again = workload_from_document(loaded.document, loaded.file)
    assert again.workload == loaded.workload
    assert again.notices == ()


@pytest.mark.parametrize("item", ["x", "{content: x}", "{target: /a, content: y}", "{target: 5}"])
def test_list_items_that_cannot_be_kept(score: Path, item: str) -> None:
    score.write_text(MINIMAL + f"    files: [{{target: /a, content: x}}, {item}]\n")
    (problem,) = _failure(score).problems
    assert problem.place is not None
    assert problem.place.startswith("containers.main.files[1]")
    assert problem.line == 7


def test_stored_document_that_no_longer_fits() -> None:
    with pytest.raises(ScoreFileError, match=r"old\.yaml.*apiVersion"):
        workload_from_document({"metadata": {"name": "shop"}}, "old.yaml")


_PIECES = st.sampled_from(
    [MINIMAL, "\n", "  ", "- ", ": ", "a", "containers", "{", "}", "[", "]", "&a ", "*a", "<<", "!!int ", "'", '"',
     "|", "---\n", "${metadata.name}", "$", "    variables: {A: '${x}'}\n", "service: {ports: {web: {port: 1}}}\n",
     "    files: [{target: /a, content: [1, null]}]\n", "    before: {main: {ready: started}}\n", "0x1", "\t", "#"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=8).map("".join).map(str.encode) | st.binary(max_size=40))
def test_no_file_breaks_the_reader(folder: Path, content: bytes) -> None:
    file = folder / "score.yaml"
    file.write_bytes(content)
    problems, loaded = _outcome(file)
    assert bool(problems) == (loaded is None)
    assert all(problem.file == str(file) for problem in problems)
    if loaded is not None:
        assert workload_from_document(loaded.document, "f").workload == loaded.workload


def _outcome(file: Path) -> tuple[tuple[Problem, ...], LoadedWorkload | None]:
    try:
        return (), load_score_file(file)
    except InputError as error:
        return error.problems, None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")
