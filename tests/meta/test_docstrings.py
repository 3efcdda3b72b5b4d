"""What the package exports is documented to the last member."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from types import FunctionType, ModuleType

import pytest

import fly_emulator
import score_flyio
from fly_emulator import control
from score_flyio import errors, events, testing

MODULES = (score_flyio, errors, events, testing, fly_emulator, control)


def names_of(module: ModuleType) -> list[str]:
    """What the module offers: by its own list, or what is defined in it."""
    own = [n for n, x in vars(module).items() if getattr(x, "__module__", "") == module.__name__]
    return list(vars(module).get("__all__", [name for name in own if not name.startswith("_")]))


EXPORTED = [getattr(module, name) for module in MODULES for name in names_of(module)]
CLASSES = sorted(
    {
        base
        for value in EXPORTED
        if isinstance(value, type)
        for base in value.__mro__
        if base.__module__.partition(".")[0] in {"score_flyio", "fly_emulator"}
    },
    key=lambda found: (found.__module__, found.__qualname__),
)
"""What is exported, and what that is made of."""
FUNCTIONS = sorted(
    {value for value in EXPORTED if inspect.isfunction(value)}, key=lambda found: found.__qualname__
)


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


def unnamed_errors(tree: ast.AST) -> Iterator[str]:
    """The errors that public functions raise in their own lines, and say nothing about.

    What an override raises may stand at the method that it overrides.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        told = ast.get_docstring(node)
        if told is None or node.name.startswith("_"):
            continue
        for each in ast.walk(node):
            if isinstance(each, ast.Raise) and isinstance(each.exc, ast.Call):
                error = ast.unparse(each.exc.func).rpartition(".")[2]
                if error[0].isupper() and error not in told:
                    yield f"{node.name}: {error}"


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


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda found: found.__qualname__)
def test_every_public_function_is_documented(function: FunctionType) -> None:
    assert inspect.getdoc(function)


@pytest.mark.parametrize("owner", [*CLASSES, *FUNCTIONS], ids=lambda found: found.__qualname__)
def test_errors_that_are_raised_are_named(owner: type | FunctionType) -> None:
    assert list(unnamed_errors(ast.parse(textwrap.dedent(inspect.getsource(owner))))) == []
