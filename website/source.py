"""What the source says that its objects do not: texts below fields, calls, variables."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (ROOT / "src" / "score_flyio", ROOT / "src" / "fly_emulator")


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the packages, parsed, by its path from `src`."""
    return {
        file.relative_to(ROOT / "src").as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for package in PACKAGES
        for file in sorted(package.rglob("*.py"))
    }


def texts_of_fields(cls: type) -> dict[str, str]:
    """The text that stands below each field of a class, or of a class that it is made from."""
    texts: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith(("score_flyio", "fly_emulator")):
            texts |= _texts(base)
    return texts


@cache
def _texts(cls: type) -> dict[str, str]:
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    texts = {}
    for field, after in zip(_body(node), [*_body(node)[1:], node], strict=True):
        match field, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                texts[name] = " ".join(text.split())
            case ast.FunctionDef(name=name), _ if isinstance(vars(cls).get(name), property):
                texts[name] = " ".join((ast.get_docstring(field) or "").split())
    return texts


def _body(node: ast.stmt) -> list[ast.stmt]:
    return node.body if isinstance(node, ast.ClassDef) else []


def constants() -> dict[str, set[str]]:
    """Names that modules give to texts or tuples of texts, and all that they stand for."""
    found: dict[str, set[str]] = {}
    for tree in trees().values():
        for node in tree.body:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), value=value):
                    found.setdefault(name, set()).update(_strings(value))
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found.setdefault(name, set()).update(_strings(value))
    return found


def _strings(value: ast.expr | None) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Tuple(elts=elements) | ast.Set(elts=elements) | ast.List(elts=elements):
            for element in elements:
                yield from _strings(element)
        case ast.Call(args=[first, *_]):
            yield from _strings(first)
        case ast.BinOp(left=left, right=right):
            yield from _strings(left)
            yield from _strings(right)


def wording(node: ast.expr | None, names: Mapping[str, ast.expr] = MappingProxyType({})) -> str:
    """A message as it stands in the code, with `…` for what is put in.

    `names` are those that the function around it gives to expressions.
    """
    match node:
        case ast.Name(id=name) if name in names:
            return wording(names[name])
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(
                wording(part) if isinstance(part, ast.Constant) else "…" for part in parts
            )
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return wording(left, names) + wording(right, names)
        case ast.IfExp(body=body):
            return wording(body, names)
        case ast.Call(func=ast.Attribute(attr="join"), args=[ast.GeneratorExp(elt=each)]):
            return wording(each, names)
    return "…"


def calls() -> Iterator[tuple[ast.Call, Mapping[str, ast.expr]]]:
    """Every call in a function, with the names that the function gives to expressions."""
    for tree in trees().values():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inside = list(ast.walk(function))
                names = {
                    node.targets[0].id: node.value
                    for node in inside
                    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
                }
                yield from ((node, names) for node in inside if isinstance(node, ast.Call))


def member(call: ast.Call, name: str) -> Any:
    """What a call gives for a keyword; None where it gives nothing."""
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
