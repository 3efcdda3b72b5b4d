"""The page of error codes: those of the classes, and those that single problems have."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from attrs import frozen

from score_flyio import errors
from score_flyio.errors import ScoreFlyError
from website.markdown import code, plain, summary, table
from website.source import calls, constants, member, trees, wording

_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@frozen
class Said:
    """What is said in one place of the code under a code."""

    code: str
    message: str
    hint: str


def classes() -> list[type[ScoreFlyError]]:
    """Every public class of errors, a base before what is made from it."""
    for name in dir(errors):
        getattr(errors, name)
    return list(_with_children(ScoreFlyError))


def said() -> list[Said]:
    """Every call that gives a code, with its message."""
    places = _parameters()
    known = constants()
    found = set()
    for call, names in calls():
        name = _name(call.func)
        order = places.get(name, [])
        for text in _codes(_argument(call, "code", order), known):
            message = wording(_argument(call, "message", order), names)
            hint = _hint(call, order, names)
            found.add(Said(text, message.split("\n")[0], hint))
    return sorted(found, key=lambda each: (each.code, each.message))


def codes() -> set[str]:
    """All codes there are."""
    return {cls.code for cls in classes()} | {each.code for each in said()} | _EDGE.keys()


_EDGE = {
    "interrupted": "The run was interrupted (exit code 130).",
    "os_error": "The operating system refused something, such as a file.",
    "unexpected": "A defect of score-flyio; `--debug` shows where.",
}
"""Those of exceptions that are not ours."""


def page() -> str:
    """Every code, what it means, and the exit code that it brings."""
    by_code = defaultdict(list)
    for each in said():
        if each.message.strip("…: "):
            by_code[each.code].append(each)
    lines = [
        "# Errors",
        (
            "Every error has a stable `code`: in `--json`, as `error.code` or as the code of one "
            "of `problems`, and in programs as `ScoreFlyError.code`. Messages may change."
        ),
        "## Classes",
        "What a run ends with. The exit code is that of the command line.",
        table(
            ["Code", "Exit code", "Class", "Meaning"],
            [
                [code(c.code), str(c.exit_code), code(c.__name__), plain(summary(c))]
                for c in classes()
            ],
        ),
        "## Others",
        table(["Code", "Meaning"], [[code(name), text] for name, text in _EDGE.items()]),
        "## Messages",
        (
            "What is said under each code, with `…` for names and values. An error in a file also "
            "has its line and the place in it."
        ),
    ]
    for name, places in sorted(by_code.items()):
        rows = [[plain(each.message), plain(each.hint)] for each in places]
        lines += [f"### {name}", table(["Message", "Hint"], rows)]
    others = sorted(codes() - by_code.keys() - {cls.code for cls in classes()} - _EDGE.keys())
    lines += ["## Further codes", "Their messages are those of whatever was found:"]
    lines.append(", ".join(map(code, others)) + ".")
    return "\n\n".join(lines) + "\n"


def _with_children(cls: type[ScoreFlyError]) -> Iterator[type[ScoreFlyError]]:
    yield cls
    for child in cls.__subclasses__():
        if child.__module__.startswith("score_flyio") and not child.__name__.startswith("_"):
            yield from _with_children(child)


def _parameters() -> dict[str, list[str]]:
    """The positional parameters of each function and class that takes a code, without `self`."""
    found: dict[str, list[str]] = {}
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                _note(found, node.name, node)
            elif isinstance(node, ast.ClassDef):
                for item in node.body:
                    if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                        _note(found, node.name, item)
    return found


def _note(found: dict[str, list[str]], name: str, function: ast.FunctionDef) -> None:
    names = [arg.arg for arg in function.args.args if arg.arg not in {"self", "cls"}]
    if "code" in names or (name[0].isupper() and "message" in names):
        found[name] = names


def _argument(call: ast.Call, name: str, order: list[str]) -> ast.expr | None:
    given: ast.expr | None = member(call, name)
    if given is None and name in order and order.index(name) < len(call.args):
        given = call.args[order.index(name)]
    if given is None and name == "message" and call.args and not order:
        given = call.args[0]
    return given


def _hint(call: ast.Call, order: list[str], names: Mapping[str, ast.expr]) -> str:
    given = _argument(call, "hint", order)
    text = "" if given is None else wording(given, names)
    return "" if text.strip("… ") == "" else text


def _codes(given: ast.expr | None, known: dict[str, set[str]]) -> set[str]:
    if given is None:
        return set()
    found = set()
    for node in ast.walk(given):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.Name):
            found |= known.get(node.id, set())
    return {text for text in found if _CODE.fullmatch(text)}


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
