from __future__ import annotations

from typing import Any

import pytest
from attrs import frozen
from hypothesis import example, given
from hypothesis import strategies as st

from score_flyio.base.secret import Secret
from score_flyio.errors import PlaceholderError
from score_flyio.score.placeholders import (
    PENDING,
    Lookup,
    escape,
    parse,
    references_in,
    substitute_in,
    with_source,
)
from score_flyio.score.render import render
from score_flyio.score.resources import Outputs

LOOKUP = Lookup(
    {"name": "shop"},
    {
        "db": Outputs(
            {"host": "h", "password": "open", "list": [1], "tls": {"port": 636}},
            {"password": Secret("s3cret"), "tls": {"key": Secret("k"), "bits": 2048}},
        )
    },
)


@frozen
class Text:
    text: str
    secret: bool


def substitute(text: str, lookup: Lookup) -> Text:
    result = substitute_in(text, lookup)
    return Text(result.value, () in result.secret_paths)


@given(st.text(st.characters(exclude_characters="$")))
def test_text_without_dollar_stays(text: str) -> None:
    assert substitute(text, LOOKUP).text == text


@given(st.text(st.sampled_from("$${}.\\ab ")) | st.text())
@example("} ${ $ }")
@example("${a}${ $b }$")
def test_escaped_text_comes_back(text: str) -> None:
    assert not list(references_in(escape(text)))
    assert substitute(escape(text), LOOKUP).text == text


@given(st.lists(st.sampled_from(["$", "{", "}", "${metadata.name}", "$$", "x"])).map("".join))
def test_text_is_scanned_once_from_the_left(text: str) -> None:
    try:
        expected = _by_hand(text)
    except KeyError:
        with pytest.raises(PlaceholderError):
            substitute(text, LOOKUP)
    else:
        assert substitute(text, LOOKUP).text == expected


def _by_hand(text: str) -> str:
    """The rules of the table, character by character."""
    result = ""
    while text:
        close = text.find("}")
        if text.startswith("$${") and close > 0:
            result, text = result + text[1 : close + 1], text[close + 1 :]
        elif text.startswith("$$"):
            result, text = result + "$", text[2:]
        elif text.startswith("${") and close > 0:
            result += {"metadata.name": "shop"}[text[2:close]]
            text = text[close + 1 :]
        else:
            result, text = result + text[0], text[1:]
    return result


@pytest.mark.parametrize(
    ("text", "expected", "secret"),
    [
        ("${resources.db.host}", "h", False),
        ("${resources.db.password}", "s3cret", True),
        ("a ${resources.db.host} b ${resources.db.tls.key}", "a h b k", True),
        ("${resources.db.tls}", '{"bits":2048,"key":"k"}', True),
        ("${resources.db.tls.bits}", "2048", True),
        ("${resources.db.tls.port}", "636", False),
        ("$${resources.db.password}", "${resources.db.password}", False),
    ],
)
def test_secrets_are_tracked_for_each_text(text: str, expected: str, secret: bool) -> None:
    result = substitute(text, LOOKUP)
    assert (result.text, result.secret) == (expected, secret)
    assert not substitute("${metadata.name}", LOOKUP).secret


def test_what_neither_secrets_nor_values_have_is_told() -> None:
    with pytest.raises(PlaceholderError, match="port"):
        substitute("${resources.db.tls.no}", LOOKUP)


def test_secret_paths_of_a_structure() -> None:
    params = {"a": "${resources.db.host}", "b": [1, {"c": "x${resources.db.password}"}]}
    result = substitute_in(params, LOOKUP)
    assert result.value == {"a": "h", "b": [1, {"c": "xs3cret"}]}
    assert result.secret_paths == {("b", 1, "c")}
    assert "s3cret" not in repr(result)


def test_all_failures_of_a_structure_are_told_with_their_paths() -> None:
    with pytest.raises(PlaceholderError) as failure:
        substitute_in({"a": "${x} ${resources.no.y}", "/b": ["${metadata.z}"]}, LOOKUP)
    assert [problem.place for problem in failure.value.problems] == ["a", "a", "[/b][0]"]
    assert all(problem.hint for problem in failure.value.problems)
    assert failure.value.code == "placeholder_invalid"


def test_bare_resource_never_shows_its_secrets() -> None:
    with pytest.raises(PlaceholderError, match="names no output"):
        substitute("${resources.db}", LOOKUP)


def test_outputs_of_resources_to_come() -> None:
    lookup = Lookup({}, {}, {"db": None})
    assert substitute("postgres://${resources.db.host}/", lookup).text == f"postgres://{PENDING}/"
    with pytest.raises(PlaceholderError, match='no resource "other"'):
        substitute("${resources.other.host}", lookup)
    with pytest.raises(PlaceholderError, match='names no output of resource "db"'):
        substitute("${resources.db}", lookup)


def test_a_resource_of_which_some_is_to_come_names_all_its_outputs() -> None:
    lookup = Lookup({}, {"db": Outputs({"host": "h"}, {})}, {"db": ["port", "db"]})
    with pytest.raises(PlaceholderError) as failure:
        substitute_in("${resources.db}", lookup)
    (problem,) = failure.value.problems
    assert problem.hint == "name one of its outputs: ${resources.db.db}"


def test_which_resources_a_structure_needs() -> None:
    value = {"${resources.key.x}": ["${resources.b.x} ${resources.a}"], "c": "$${resources.c.x}"}
    assert {found.resource for _, found in references_in(value)} == {"a", "b"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (12345678901234567890, "12345678901234567890"),
        (2**53 + 1, "9007199254740993"),
        (1000000.0, "1000000"),
        (1e16, "10000000000000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.1, "0.1"),
        (0.000001, "0.000001"),
        (-1e-07, "-1e-7"),
        (1.25e-10, "1.25e-10"),
        (0.0, "0"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ({"b": "<a&b>", "a": [1.0, "é"]}, '{"a":[1,"é"],"b":"<a&b>"}'),
    ],
)
def test_rendering(value: Any, expected: str) -> None:
    assert render(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rendered_floats_read_back(value: float) -> None:
    assert float(render(value)) == value


@pytest.mark.parametrize(
    ("reference", "kind", "message"),
    [
        ("metadata", "metadata_key_required", "names no metadata key"),
        ("metadata.no", "unknown_key", 'there is no "no" (there is: empty, name, none)'),
        ("metadata.name.x", "not_a_map", '"name" is not a map, "x" is not in it'),
        ("metadata.none.x", "not_a_map", '"none" is not a map, "x" is not in it'),
        ("metadata.empty.x", "unknown_key", 'there is no "x" (there is: nothing)'),
        ("other.x", "unknown_root", "must start with metadata. or resources."),
        ("", "unknown_root", "must start with metadata. or resources."),
        ("resources", "resource_name_required", "names no resource"),
        ("resources.no.x", "unknown_resource", 'the workload has no resource "no"'),
        ("resources.db", "output_key_required", 'names no output of resource "db"'),
        ("resources.db.no", "unknown_key", 'there is no "no" (there is: host, none)'),
        ("resources.db.host.x", "not_a_map", '"host" is not a map, "x" is not in it'),
        ("resources.db.none.x", "unknown_key", '"none" is null, nothing is inside'),
        ("resources.db.gone.x", "unknown_key", '"gone" is null, nothing is inside'),
        ("resources.db.key.x.y", "not_a_map", '"key" is not a map, "x" is not in it'),
        ("resources.soon", "output_key_required", 'names no output of resource "soon"'),
    ],
)
def test_what_leads_nowhere_is_told(reference: str, kind: str, message: str) -> None:
    lookup = Lookup(
        {"name": "shop", "none": None, "empty": {}},
        {"db": Outputs({"none": None, "host": "h"}, {"key": Secret("k"), "gone": None})},
        {"soon": None},
    )
    with pytest.raises(PlaceholderError) as failure:
        substitute(f"a ${{{reference}}}", lookup)
    (found,) = failure.value.problems
    assert (found.kind, found.path, found.subject) == (kind, (), reference)
    (problem,) = failure.value.problems
    assert problem.message == f"placeholder ${{{reference}}}: {message}"
    assert (problem.code, problem.place) == ("placeholder_invalid", None)


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        (
            "HOME",
            (
                "$${HOME} stands for the text itself; "
                "${resources.NAME.HOME} of a resource of type environment is the variable"
            ),
        ),
        ("1:-x", "$${1:-x} stands for the text itself"),
        ("user.name", "$${user.name} stands for the text itself"),
        ("", "$${} stands for the text itself"),
        ("other.x", "$${other.x} stands for the text itself"),
        ("resource.db.host", "did you mean ${resources.db.host}?"),
        ("Metadata.name", "did you mean ${metadata.name}?"),
        (" resources.db.host ", "did you mean ${resources.db.host}?"),
        ("{ metadata.name ", "did you mean ${metadata.name}?"),
        ("resources.db.hots", "did you mean ${resources.db.host}?"),
        ("resources.db.HOST", "did you mean ${resources.db.host}?"),
        ("resources.dbs.host", "did you mean ${resources.db.host}?"),
        ("metadata.nane", "did you mean ${metadata.name}?"),
        (r"metadata.annotations.a\.c", r"did you mean ${metadata.annotations.a\.b}?"),
        ("resources.soon.pasword", "did you mean ${resources.soon.password}?"),
        ("resources.soon.zzz", "use one of these"),
        ("resources.db.zzz", "use one of these"),
        ("resources.db.host.x", "${resources.db.host} is all there is"),
        ("resources.bare.x", "its provisioner has to answer with it, among values or secrets"),
        ("resources.db.none.x", "${resources.db.none} is all there is"),
        ("metadata", "name a key of the metadata: ${metadata.name}"),
        ("resources", "name a resource and its output: ${resources.NAME.OUTPUT}"),
        ("resources.db", "name one of its outputs: ${resources.db.host}"),
        ("resources.any", "name one of its outputs: ${resources.any.OUTPUT}"),
        (
            "resources.cache.host",
            (
                "add cache to the resources of the workload; "
                "$${resources.cache.host} stands for the text itself"
            ),
        ),
    ],
)
def test_the_hint_is_what_was_probably_meant(reference: str, hint: str) -> None:
    lookup = Lookup(
        {"name": "shop", "annotations": {"a.b": "1"}},
        {"db": Outputs({"none": None, "host": "h"}), "bare": Outputs({})},
        {"soon": {"host", "password"}, "any": None},
    )
    with pytest.raises(PlaceholderError) as failure:
        substitute(f"a ${{{reference}}}", lookup)
    (problem,) = failure.value.problems
    assert problem.hint == hint


def test_null_is_a_value_at_the_end_of_a_reference() -> None:
    lookup = Lookup({"none": None}, {"db": Outputs({"none": None})})
    for reference in ("metadata.none", "resources.db.none"):
        assert substitute(f"${{{reference}}}", lookup).text == "null"


def test_outputs_that_are_known_are_read_of_resources_to_come() -> None:
    outputs = Outputs({"host": "h"}, {"password": Secret("s3cret")})
    lookup = Lookup({}, {"db": outputs}, {"db": None})
    known = substitute("${resources.db.host}", lookup)
    secret = substitute("${resources.db.password}", lookup)
    open_ = substitute("${resources.db.port}", lookup)
    assert (known.text, known.secret) == ("h", False)
    assert (secret.text, secret.secret) == ("s3cret", True)
    assert (open_.text, open_.secret) == (PENDING, False)
    assert PENDING == "(known after provisioning)"


def test_a_text_is_secret_wherever_in_it_the_secret_stands() -> None:
    secret, plain = "${resources.db.password}", "${resources.db.host}"
    assert substitute(secret + plain, LOOKUP).secret
    assert substitute(plain + secret, LOOKUP).secret


def test_pieces_and_references_of_a_text() -> None:
    tokens = parse(r"a$${b}${c\.d.e}$$f${}")
    shown = [token if isinstance(token, str) else token.parts for token in tokens]
    assert shown == ["a${b}", ("c.d", "e"), "$", "f", ("",)]
    assert parse("") == ()


@pytest.mark.parametrize(
    ("reference", "resource"),
    [
        ("resources.db.host", "db"),
        ("resources.db", "db"),
        ("resources", None),
        ("metadata.name", None),
        ("db.resources", None),
    ],
)
def test_which_resource_a_reference_reads(reference: str, resource: str | None) -> None:
    ((_, found),) = references_in(f"${{{reference}}}")
    assert (found.text, found.resource) == (reference, resource)


def test_where_the_references_of_a_structure_stand() -> None:
    value = {"a": ["x", "${m.a}${m.b}"], "b": {"c": "${m.c}"}, "d": 1, "${m.no}": None}
    found = [(path, reference.text) for path, reference in references_in(value)]
    assert found == [(("a", 1), "m.a"), (("a", 1), "m.b"), (("b", "c"), "m.c")]


def test_a_structure_keeps_what_is_no_text() -> None:
    value = {"a": [1, None, True, 2.5], "${metadata.name}": {"b": "${metadata.name}"}}
    result = substitute_in(value, LOOKUP)
    assert result.value == {"a": [1, None, True, 2.5], "${metadata.name}": {"b": "shop"}}
    assert result.secret_paths == frozenset()


@pytest.mark.parametrize("piece", ['${"', "${", "$${", "$$", "$"])
def test_long_texts_without_an_end_are_read_in_one_pass(piece: str) -> None:
    """60,000 of them took minutes; a limit of time for the test is all that is asked here."""
    text = piece * 60_000
    assert "".join(map(str, parse(text))) == text.replace("$$", "$")
    assert substitute(escape(text), Lookup(metadata={})).text == text


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("${resources.data}", "${resources.data.source}"),
        ("${resources.data.source}", "${resources.data.source}"),
        ("${resources.data.name}", "${resources.data.name}"),
        ("${metadata.name}", "${metadata.name}"),
        ("a-${resources.data}", "a-${resources.data}"),
        ("$${resources.data}", "$${resources.data}"),
        ("data", "data"),
        ("", ""),
    ],
)
def test_a_volume_that_names_a_resource_means_its_source(text: str, source: str) -> None:
    assert with_source(text) == source
