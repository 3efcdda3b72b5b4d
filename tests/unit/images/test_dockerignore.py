from __future__ import annotations

import json
from pathlib import Path

import pytest
from docker.utils.build import PatternMatcher  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from score_flyio.errors import InputError
from score_flyio.images.dockerignore import IgnoreRules, pattern_of, read_rules

MOBY: list[tuple[str, list[str], list[str]]] = json.loads(
    Path(__file__).with_name("ignored_by_moby.json").read_text("utf-8")
)


def rules(*lines: str) -> IgnoreRules:
    return read_rules("\n".join(lines), file=".dockerignore")


@pytest.mark.parametrize(
    ("lines", "out", "kept"),
    [
        (
            ["node_modules"],
            ["node_modules", "node_modules/a/b"],
            ["a/node_modules", "node_modules2"],
        ),
        (["**/node_modules"], ["node_modules", "a/b/node_modules/c"], ["a/node_modules2"]),
        (["*.md"], ["a.md"], ["a/b.md", "a.mdx"]),
        (["**/*.md"], ["a.md", "a/b/c.md"], ["a/b/md"]),
        (["a/**"], ["a/b", "a/b/c"], ["a", "b/a/c"]),
        (["**.md"], ["a.md", ".md", "a/b.md", "a.md/b"], ["a.mdx"]),
        (["**x/y"], ["ax/y", "a/x/y"], ["x/ya"]),
        (["**.m?"], [".md", "a/.md"], ["a.md"]),
        (["**", "!**.md"], ["a"], ["a.md", "a/b.md"]),
        (["a/**/b"], ["a/b", "a/x/b", "a/x/y/b/z"], ["a/x"]),
        (["*", "!src"], ["a", "b/c"], ["src", "src/a/b"]),
        (["*.md", "!README.md", "README-*.md"], ["a.md", "README-x.md"], ["README.md"]),
        (["README-*.md", "!README*.md"], [], ["README-x.md"]),
        (["temp?"], ["temp1", "temp1/a"], ["temp", "temp12"]),
        (["a[0-9]b"], ["a1b"], ["axb", "a[0-9]b"]),
        (["a[^0-9]b"], ["axb"], ["a1b"]),
        ([r"a[x\]]b"], ["axb", "a]b"], ["a-b"]),
        ([r"a\*b"], ["a*b"], ["axb"]),
        ([r"\!a"], ["!a"], ["a"]),
        (["/a/"], ["a", "a/b"], ["b/a"]),
        (["//a"], ["a"], []),
        (["./a/../b"], ["b"], ["a"]),
        (["  a  "], ["a"], []),
        (["! a", "a"], ["a"], []),
        (["a", "!  a"], [], ["a"]),
        (["# a", " #b", ""], ["#b"], ["a", "# a"]),
        ([".", "..", "/"], [], ["a", "a/b"]),
        (["a.b"], ["a.b"], ["axb"]),
        (["a+(b"], ["a+(b"], ["aab"]),
        (["\ufeffa"], ["a"], []),
        (["a\x0bb\x0cc\x85d\u2028e"], ["a\x0bb\x0cc\x85d\u2028e"], ["a", "b", "c", "d", "e"]),
        (["a\r", "b\r"], ["a", "b"], ["c"]),
        (["# a\u2028b", "/ c"], ["c"], ["b", "a"]),
        (["a/*/c"], ["a/b/c/d"], ["a/b/b/c"]),
        (["line\ttab", "é"], ["line\ttab", "é/x"], ["e"]),
    ],
)
def test_patterns(lines: list[str], out: list[str], kept: list[str]) -> None:
    found = rules(*lines)
    assert [path for path in [*out, *kept] if found.leaves_out(path)] == out


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a[", "the [ has no ]"),
        ("a[]", "nothing between"),
        ("a[b\\]", "the [ has no ]"),
        ("a[z-a]", "the range z-a goes down"),
        ("a[-b]", "- cannot end a range"),
        ("a[b-]", "] cannot end a range"),
        ("a\\", "nothing after the \\"),
        ("!", "nothing after the !"),
    ],
)
def test_patterns_that_cannot_be_read(line: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        read_rules(f"# fine\nok\n{line}\n", file="x/.dockerignore")
    (problem,) = raised.value.problems
    assert (problem.file, problem.line) == ("x/.dockerignore", 3)
    assert says in problem.message
    assert repr(line) in problem.message


@pytest.mark.parametrize("path", ["Dockerfile", "sub/a*b", "#a", "!a", "[a]", "a\\b"])
def test_a_pattern_of_one_path(path: str) -> None:
    found = rules(pattern_of(path))
    assert [p for p in (path, f"{path}x", "sub/ab", "a") if found.leaves_out(p)] == [path]


@pytest.mark.parametrize(
    ("line", "looked_into", "passed"),
    [
        ("!a/b/c", ["a", "a/b", "a/b/c", "a/b/c/d"], ["b", "a/c", "ab"]),
        ("!a/*/c", ["a", "a/x", "a/x/c"], ["b", "a/x/d"]),
        ("!**/c", ["a", "a/b", "x/y/z"], []),
        ("!a/**/c", ["a", "a/x/y"], ["b"]),
        ("a", [], ["a", "b"]),
    ],
)
def test_folders_in_which_something_may_be_kept(
    line: str, looked_into: list[str], passed: list[str]
) -> None:
    found = rules("*", line)
    assert [f for f in [*looked_into, *passed] if found.leaves_out_all_of(f)] == passed


NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name not in {".", ".."})
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PLAIN = st.lists(st.text("ab.*?", min_size=1, max_size=3), min_size=1, max_size=3).filter(
    lambda parts: not any("**" in part or ".." in part for part in parts)
)
LINES = st.tuples(st.sampled_from(["", "!"]), PLAIN.map("/".join), st.sampled_from(["", "/"]))


@given(lines=st.lists(LINES.map("".join), max_size=5), path=PATHS)
def test_the_matcher_of_dockers_sdk_says_the_same(lines: list[str], path: str) -> None:
    lines = [line for line in lines if set(line) - set("!./")]
    assert rules(*lines).leaves_out(path) == PatternMatcher(list(lines)).matches(path)


DEEP = st.lists(st.sampled_from(["**", "a", "b", "*", "a*", "a?b"]), min_size=1, max_size=4)


@given(pattern=DEEP.map("/".join), path=PATHS)
def test_so_it_does_of_two_stars(pattern: str, path: str) -> None:
    """The SDK looks at one parent only, so each of them is given to it."""
    parts = path.split("/")
    parents = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    expected = any(PatternMatcher([pattern]).matches(parent) for parent in parents)
    assert rules(pattern).leaves_out(path) == expected


@pytest.mark.parametrize("number", range(len(MOBY)))
def test_so_does_the_matcher_of_buildkit(number: int) -> None:
    """Its answers were recorded, of moby/patternmatcher 0.6.1."""
    text, out, kept = MOBY[number]
    found = read_rules(text, file="f")
    assert [path for path in [*out, *kept] if found.leaves_out(path)] == out


@given(text=st.text(st.sampled_from("ab/*?[]^!\\-.# \n"), max_size=30), path=PATHS)
@example(text="!\\/?", path="a")
def test_no_text_breaks_it(text: str, path: str) -> None:
    try:
        found = read_rules(text, file="f")
    except InputError as error:
        assert all(problem.line for problem in error.problems)  # noqa: PT017
    else:
        found.leaves_out(path)
        found.leaves_out_all_of(path)


@given(text=st.text(st.sampled_from("ab/*?[]^!\\-.#\n"), max_size=30), path=PATHS)
@example(text="!/\n/./\n//a", path="a")
def test_what_is_written_for_builders_says_the_same(text: str, path: str) -> None:
    try:
        found = read_rules(text, file="f")
    except InputError:
        return
    again = read_rules(found.text, file="f")
    assert (again.text, again.leaves_out(path)) == (found.text, found.leaves_out(path))


@given(lines=st.lists(LINES.map("".join), max_size=4), path=PATHS)
def test_no_kept_path_is_in_a_folder_that_is_not_looked_into(lines: list[str], path: str) -> None:
    found = rules(*lines)
    parts = path.split("/")
    parents = ["/".join(parts[:count]) for count in range(1, len(parts))]
    if not found.leaves_out(path):
        assert not any(found.leaves_out(p) and found.leaves_out_all_of(p) for p in parents)
