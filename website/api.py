"""The page of the public API: every public name with its signature, members and docstring."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import attrs

import fly_emulator
import score_flyio
import score_flyio.errors
import score_flyio.score
import score_flyio.testing
from website.markdown import code, docstring, plain, table
from website.source import texts_of_fields

MODULES: tuple[ModuleType, ...] = (score_flyio, score_flyio.score, score_flyio.errors, fly_emulator)


def names(module: ModuleType) -> list[str]:
    """Its public names."""
    return sorted(getattr(module, "__all__", ()))


def page() -> str:
    """All that programs may rely on."""
    lines = [
        "# Python API",
        (
            "What is here stays as it is within a major version; the changelog tells of additions. "
            "All of it is typed. `score_flyio.events` has a [page of its own](events.md), and "
            "`score_flyio.testing` is in [testing](../testing.md)."
        ),
    ]
    for module in MODULES:
        lines.append(f"## {module.__name__}")
        for name in names(module):
            lines += _thing(name, getattr(module, name))
    return "\n\n".join(filter(None, lines)) + "\n"


def _thing(name: str, thing: Any) -> Iterator[str]:
    if isinstance(thing, str):
        yield f"### {name}\n\nA text."
        return
    yield f"### {name}"
    if not isinstance(thing, type):
        yield _signature(name, thing)
        yield _prose(docstring(thing))
        return
    if not attrs.has(thing) and not issubclass(thing, BaseException):
        yield _signature(name, thing)
    yield _prose(docstring(thing))
    if attrs.has(thing):
        yield _fields(thing)
    for method, function in vars(thing).items():
        if not method.startswith("_") and callable(getattr(thing, method, None)):
            yield _method(method, function)


def _signature(name: str, thing: Any) -> str:
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    return f"```python\n{name}{_shortened(signature)}\n```"


def _shortened(signature: inspect.Signature) -> str:
    """Without quotes of types, and with `...` for values that have no text of their own."""
    own = [
        each.replace(default=...) if " at 0x" in repr(each.default) else each
        for each in signature.parameters.values()
    ]
    text = str(signature.replace(parameters=own))
    return text.replace("'", "").replace("NOTHING", "...").replace("Ellipsis", "...")


def _method(name: str, function: Any) -> str:
    inner = function.__func__ if isinstance(function, classmethod | staticmethod) else function
    if not callable(inner) or isinstance(inner, type):
        return ""
    word = "async def" if inspect.iscoroutinefunction(inner) else "def"
    signature = _shortened(inspect.signature(inner))
    return f"```python\n{word} {name}{signature}\n```\n\n{_prose(docstring(inner))}"


def _fields(cls: type[attrs.AttrsInstance]) -> str:
    texts = texts_of_fields(cls)
    shown = [f for f in attrs.fields(cls) if not f.name.startswith("_")]
    rows = [[code(f.name), code(str(f.type)), plain(texts.get(f.name, ""))] for f in shown]
    return table(["Field", "Type", ""], rows) if rows else ""


def _prose(text: str) -> str:
    """A docstring in Google's form: sections as lists."""
    parts = []
    for paragraph in text.split("\n\n"):
        head, _, rest = paragraph.partition("\n")
        if head in {"Args:", "Raises:", "Returns:"}:
            items = inspect.cleandoc(rest).replace("\n    ", " ").splitlines()
            parts.append("\n".join([head, "", *(f"- {plain(item)}" for item in items)]))
        elif paragraph.startswith("    "):
            parts.append(f"```text\n{inspect.cleandoc(paragraph)}\n```")
        elif paragraph.startswith("| "):
            parts.append(paragraph)
        else:
            parts.append(plain(paragraph))
    return "\n\n".join(parts)
