"""What the package exports is documented to the last member."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from types import ModuleType

import pytest

import score_flyio
from fly_emulator import Emulator
from score_flyio import errors, events, testing

MODULES = (score_flyio, errors, events, testing)


def names_of(module: ModuleType) -> list[str]:
    """What the module offers: by its own list, or what is defined in it."""
    own = [n for n, x in vars(module).items() if getattr(x, "__module__", "") == module.__name__]
    return list(vars(module).get("__all__", [name for name in own if not name.startswith("_")]))


CLASSES = sorted(
    {
        base
        for value in (Emulator, *(getattr(m, name) for m in MODULES for name in names_of(m)))
        if isinstance(value, type)
        for base in value.__mro__
        if base.__module__.partition(".")[0] in {"score_flyio", "fly_emulator"}
    },
    key=lambda found: (found.__module__, found.__qualname__),
)
"""What is exported, and what that is made of."""


def undocumented(owner: type) -> Iterator[str]:
    """The public methods, properties and attributes that nothing is said about."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(tree, ast.ClassDef)
    if not ast.get_docstring(tree):
        yield owner.__qualname__
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name, documented = node.name, bool(ast.get_docstring(node)) or is_setter(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, documented = node.target.id, is_text(following)
        else:
            continue
        inherited = any(name in vars(base) for base in owner.__mro__[1:] if base in CLASSES)
        if not name.startswith("_") and not documented and not inherited:
            yield f"{owner.__qualname__}.{name}"


def is_setter(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(each, ast.Attribute) for each in node.decorator_list)


def is_text(node: ast.stmt | None) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@pytest.mark.parametrize("owner", CLASSES, ids=lambda found: found.__qualname__)
def test_every_public_member_is_documented(owner: type) -> None:
    assert list(undocumented(owner)) == []
