"""The secrets file, read back by the rules of `fly secrets import`, of older flyctl and of today's."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from score_flyio.base.secret import Secret
from score_flyio.engine.secrets_file import parse, render, render_all
from score_flyio.errors import ConfigError


def flyctl_reads(text: str) -> dict[str, str]:
    """As flyctl did before it knew comments behind values."""
    secrets: dict[str, str] = {}
    name = ""
    several: list[str] | None = None
    for ended in text.removesuffix("\n").split("\n"):
        line = ended.removesuffix("\r")
        if several is not None:
            if line.endswith('"""'):
                several.append(line.removesuffix('"""'))
                secrets[name] = "\n".join(several)
                several = None
            else:
                several.append(line)
        elif line.strip() and not line.startswith("#"):
            key, _, value = line.partition("=")
            name, value = key.strip(), value.lstrip(" ")
            if value.startswith('"""'):
                several = [value.removeprefix('"""')]
            elif value.startswith('"') and value.endswith('"'):
                assert len(value) > 1, "flyctl would crash"
                secrets[name] = value[1:-1]
            else:
                secrets[name] = value
    assert several is None
    return secrets


texts = st.text(st.sampled_from("ab \"'#=\\\r\n\t$\u00e9"), max_size=12)


@given(st.dictionaries(st.sampled_from(["A", "B_C", "Z9"]), texts))
@example({"A": ' x "quoted" #hash $dollar \\ back '})
@example({"A": '"in quotes"'})
@example({"A": "p#w1", "B_C": "postgres://u:p#w@h/db", "Z9": '{"a":"b#c"}'})
@example({"A": "'in single quotes'", "B_C": "it's", "Z9": "'"})
def test_flyctl_reads_back_what_is_written(values: dict[str, str]) -> None:
    try:
        text = render({name: Secret(value) for name, value in values.items()})
    except ConfigError as error:
        assert error.code == "secrets_file_unwritable"  # noqa: PT017 - some values are refused
        assert any('"' in value or "\n" in value for value in values.values())
        return
    assert flyctl_reads(text) == values
    assert {name: value.reveal() for name, value in parse(text)} == values


def test_names_are_sorted_and_ordinary_values_stand_as_they_are() -> None:
    secrets = {"B": Secret("x=1"), "A": Secret(""), "C": Secret("a\nb")}
    assert render(secrets) == 'A=\nB=x=1\nC="""a\nb"""\n'


@pytest.mark.parametrize("name", ["", "A=B", "A\nB", "#A", " A"])
def test_names_that_no_line_can_carry_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="its name cannot"):
        render({name: Secret("hunter2")})


@pytest.mark.parametrize(
    "value", ['"""x', '"', '""x"', 'a"""\nb', "x" * 70_000, ' a"b#c', 'a"#b\nc']
)
def test_values_that_flyctl_cannot_read_are_refused_without_showing_them(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        render({"A": Secret(value)})
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('"x#y" # c', '"x#y" # c'),
        ('"x#y"#"z"', 'x#y"#"z'),
        ("x\t # c", "x\t"),
        ('"x" # c # d', "x"),
        ('"""x""" # c', "x"),
        ('"""x" # c\ny # d"""', 'x"\ny # d'),
    ],
)
def test_the_first_number_sign_decides_what_a_comment_is(line: str, value: str) -> None:
    found = dict(parse(f"A={line}\nB=1\n"))
    assert {name: secret and secret.reveal() for name, secret in found.items()} == {
        "A": value,
        "B": "1",
    }


def test_several_apps_have_a_part_each() -> None:
    a, b = Secret("1"), Secret("2")
    assert (
        render_all({"y": {"K": a}, "x": {"K": a, "L": b}, "z": {}}) == "# x\nK=1\nL=2\n\n# y\nK=1\n"
    )
    assert render_all({"x": {"K": a}, "y": {}}) == "K=1\n"
    assert render_all({}) == ""
    with pytest.raises(ConfigError, match="different values for the apps x and y"):
        render_all({"x": {"K": a}, "y": {"K": b}})
