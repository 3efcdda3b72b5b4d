"""Changes to code that mutmut does not make itself: quantifiers, ends and bare conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias, cast

import libcst as cst
from mutmut.mutation import mutators

Operator: TypeAlias = tuple[type[cst.CSTNode], Callable[[Any], Iterable[cst.CSTNode]]]

_OPPOSITES: Final = {"all": "any", "any": "all", "min": "max", "max": "min"}
_CHANGED_BY_MUTMUT: Final = (cst.BooleanOperation, cst.Comparison, cst.UnaryOperation)
"""Conditions whose operators are changed already."""


def add_operators() -> None:
    """Make mutmut apply them beside its own."""
    known = cast("list[Operator]", mutators.mutation_operators)
    known += [(cst.Call, _opposite), (cst.If, _negated), (cst.CompIf, _negated)]


def _opposite(node: cst.Call) -> Iterator[cst.Call]:
    if isinstance(node.func, cst.Name) and node.func.value in _OPPOSITES:
        yield node.with_changes(func=cst.Name(_OPPOSITES[node.func.value]))


def _negated(node: cst.If | cst.CompIf) -> Iterator[cst.If | cst.CompIf]:
    if isinstance(node.test, _CHANGED_BY_MUTMUT):
        return
    test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    yield node.with_changes(test=cst.UnaryOperation(operator=cst.Not(), expression=test))
