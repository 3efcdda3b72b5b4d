"""Templates: Jinja2 in a sandbox, whose output is read as YAML.

A template gets plain values and a few functions. It reaches no file, no module and no attribute of
Python objects, and nothing it does can change the values it got.
"""

from __future__ import annotations

import json
import re
import secrets
import shlex
import string
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any, Final, NoReturn

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.nodes import Concat
from jinja2.sandbox import ImmutableSandboxedEnvironment

from score_flyio.base.place import MOST_LEVELS, kind_of, place_text, too_deep
from score_flyio.base.record import field, frozen
from score_flyio.flytoml.names import as_volume_name
from score_flyio.resources.servers.names import quoted_identifier, quoted_literal
from score_flyio.score.resources import JsonObject
from score_flyio.yaml.reader import YamlError, read_yaml

LONGEST: Final = 1_000_000
"""Characters that a rendered template may have, and that one operation in it may make."""
MOST_SECONDS: Final = 5.0
"""For rendering one template."""
_MOST_BITS: Final = 1_000_000
"""Of whole numbers."""
_GROWING: Final = frozenset(("center", "expandtabs", "ljust", "rjust", "translate", "zfill"))
"""Methods of text that make as much of it as they are told to."""
_LETTERS: Final = string.ascii_letters + string.digits
_OF_EXPRESSIONS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class RenderError(ValueError):
    """A template that is wrong, or fails, or does not give a YAML map."""

    def __init__(self, message: str, *, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.line = line
        """Line within the template, from 1."""
        self.hint = hint


class _Generator(CodeGenerator):
    """Joins with `~` by a function that looks at the length."""

    def visit_Concat(self, node: Concat, frame: Frame) -> None:  # noqa: N802  # as Jinja calls it
        self.write("environment.concat(map(str, (")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write(")))")


def _joined(pieces: Iterable[str]) -> str:
    text: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST:
            raise RenderError(f"the template gives more than {LONGEST} characters")
        text.append(piece)
    return "".join(text)


class _Sandbox(ImmutableSandboxedEnvironment):
    """`a.b` reads a member of a map before an attribute, so that `Params.items` is a param."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    code_generator_class = _Generator
    concat = staticmethod(_joined)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        return _no_format if super().wrap_str_format(value) is not None else None

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str) and attr in _GROWING:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def call(self, context: Any, function: Any, /, *args: Any, **named: Any) -> Any:
        """Methods of text that may grow it are the filters of that name."""
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            return replaced(owner, *args)
        if isinstance(owner, str) and name == "join":
            return joined(args[0] if args else (), owner)
        return super().call(context, function, *args, **named)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse operations that would fill the memory."""
        if isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * right if operator == "**" else left.bit_length()
            if operator in {"*", "**"} and bits + right.bit_length() > _MOST_BITS:
                raise SecurityError(f"the result of {operator} is too large")
        if operator == "*":
            for sized, times in ((left, right), (right, left)):
                long = isinstance(sized, str | list | tuple) and isinstance(times, int)
                if long and len(sized) * times > LONGEST:
                    raise SecurityError("the result of * is too long")
        if operator == "+" and isinstance(left, str | list | tuple):
            _check_length(len(left) + (len(right) if isinstance(right, type(left)) else 0))
        if operator == "%" and isinstance(left, str):
            raise SecurityError("text formatting with % is not allowed: use ~ or the filters")
        return super().call_binop(context, operator, left, right)


def _no_format(*_: object, **__: object) -> NoReturn:
    raise SecurityError("text formatting is not allowed: use ~ or the filters")


def _check_length(length: int) -> None:
    if length > LONGEST:
        raise SecurityError(f"a text or list of more than {LONGEST} items")


def replaced(value: object, old: str, new: str, count: int = -1) -> str:
    """The filter `replace`, whose result is bounded."""
    text, old, new = str(value), str(old), str(new)
    found = text.count(old) if count < 0 else min(count, text.count(old))
    _check_length(len(text) + found * (len(new) - len(old)))
    return text.replace(old, new, count)


def joined(values: Iterable[object], by: str = "", attribute: str | None = None) -> str:
    """The filter `join`, whose result is bounded."""
    values = list(values)
    if attribute is not None:
        values = [v.get(attribute, "") if isinstance(v, Mapping) else "" for v in values]
    texts = [str(value) for value in values]
    _check_length(sum(map(len, texts)) + len(by) * len(texts))
    return str(by).join(texts)


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """End what runs inside after so many seconds, in the middle of a loop too.

    A thread cannot be stopped from outside, so that it looks at the time itself, at each line of
    a template and each call.
    """
    ends = monotonic() + seconds
    before = sys.gettrace()

    def look(frame: FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
        if monotonic() > ends:
            raise RenderError(f"the template takes longer than {seconds:g} s")
        return look if frame.f_code.co_filename == "<template>" else None

    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


def random_text(length: int = 20) -> str:
    """Random letters and digits, fit for passwords."""
    return "".join(secrets.choice(_LETTERS) for _ in range(min(int(length), 1000)))


def random_hex(digits: int = 20) -> str:
    """Random hexadecimal digits."""
    return secrets.token_hex(min(int(digits), 1000))[: int(digits)]


def _fail(message: object) -> NoReturn:
    raise TemplateError(str(message))


def _sandbox() -> _Sandbox:
    env = _Sandbox(undefined=StrictUndefined, autoescape=False, loader=None)
    # Jinja's own tojson escapes for HTML.
    env.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    env.filters["volume_name"] = lambda value: as_volume_name(str(value))
    env.filters["shell_word"] = lambda value: shlex.quote(str(value))
    env.filters["sql_identifier"] = lambda value: quoted_identifier(str(value))
    env.filters["sql_literal"] = lambda value: quoted_literal(str(value))
    env.filters["replace"] = replaced
    env.filters["join"] = joined
    for name in (
        "format",
        "xmlattr",
        "urlize",
        "pprint",
        "center",
        "indent",
        "batch",
        "slice",
        "wordwrap",
    ):
        env.filters.pop(name)
    for name in ("lipsum", "cycler", "joiner", "namespace"):
        env.globals.pop(name)
    env.globals |= {"fail": _fail, "random_text": random_text, "random_hex": random_hex}
    return env


def check(text: str) -> None:
    """Raises RenderError when the text is not a template."""
    try:
        _sandbox().parse(text)
    except TemplateSyntaxError as error:
        raise _wrong(error) from error


def _wrong(error: TemplateSyntaxError) -> RenderError:
    return RenderError(f"not a template: {error.message}", line=error.lineno)


@frozen
class Renderer:
    """Renders templates with the values and functions of one request."""

    values: Mapping[str, Any] = field(repr=False)
    functions: Mapping[str, Callable[..., Any]] = field(factory=dict)
    seconds: float = MOST_SECONDS

    def map(self, text: str, **more: Any) -> JsonObject:
        """The YAML map that the template gives, empty where that is nothing. Raises RenderError."""
        return _read(self.text(text, **more))

    def text(self, text: str, **more: Any) -> str:
        """What the template gives. Raises RenderError."""
        try:
            with _bounded(self.seconds):
                template = _sandbox().from_string(text, globals=dict(self.functions))
                return _joined(template.generate(**{**self.values, **more}))
        except TemplateSyntaxError as error:
            raise _wrong(error) from error
        except RenderError:
            raise
        except TemplateError as error:
            raise RenderError(error.message or type(error).__name__) from error
        except _OF_EXPRESSIONS as error:
            # The text of such an error may hold a value that went into it.
            raise RenderError(f"an expression fails ({type(error).__name__})") from error


_QUOTED: Final = re.compile(r"`.*`|'[^'<>]{2,}'|\"[^\"]{2,}\"", re.DOTALL)
_OF_YAML: Final = {
    "duplicate_key": "the same key stands there twice",
    "recursive_anchor": "an anchor contains itself",
    "unknown_anchor": "what begins with * is an alias",
}
"""What errors of some categories say here: their messages have names from the text."""


def _without_values(error: YamlError) -> str:
    """What is wrong with the YAML that a template gave: values in it may be secret."""
    return _OF_YAML.get(error.category) or _QUOTED.sub("…", error.message)


def _read(text: str) -> JsonObject:
    try:
        document = read_yaml(text)
    except YamlError as error:
        raise RenderError(
            f"its output is not YAML, in line {error.line}: {_without_values(error)}",
            hint="quote values with the filter tojson",
        ) from None
    value = {} if document.value is None else document.value
    if not isinstance(value, dict):
        raise RenderError(f"the template gives {kind_of(value)}, not a map")
    if document.odd_keys:
        around = place_text(document.odd_keys[0].path[:-1])
        where = f", in {around}" if around else ""
        raise RenderError(f"the template gives a map with a key that is not text{where}")
    if too_deep(value):
        raise RenderError(f"the template gives values nested deeper than {MOST_LEVELS} levels")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RenderError("the template gives a value that JSON cannot carry") from error
    return value
