"""Templates: Jinja2 in a sandbox, whose output is read as YAML.

A template gets plain values and a few functions. It reaches no file, no module and no attribute of
Python objects, and nothing it does can change the values it got.
"""

from __future__ import annotations

import json
import secrets
import shlex
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NoReturn

from attrs import field, frozen
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from score_flyio.base.place import MOST_LEVELS, kind_of, place_text, too_deep
from score_flyio.flytoml.names import as_volume_name
from score_flyio.resources.servers.verifiers import quoted_identifier, quoted_literal
from score_flyio.score.resources import JsonObject
from score_flyio.yaml.reader import YamlError, read_yaml

LONGEST: Final = 1_000_000
"""Characters that a rendered template may have, and that one operation in it may make."""
_LARGEST_POWER: Final = 4096
_LETTERS: Final = string.ascii_letters + string.digits
_OF_EXPRESSIONS: Final = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)


class RenderError(ValueError):
    """A template that is wrong, or fails, or does not give a YAML map."""

    def __init__(self, message: str, *, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.line = line
        """Line within the template, from 1."""
        self.hint = hint


class TemplateFails(TemplateError):
    """The template itself said `fail(…)`."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """`a.b` reads a member of a map before an attribute, so that `Params.items` is a param."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse operations that would fill the memory."""
        if operator == "**" and isinstance(right, int) and abs(right) > _LARGEST_POWER:
            raise SecurityError(f"powers above {_LARGEST_POWER} are not allowed")
        if operator == "*":
            for sized, times in ((left, right), (right, left)):
                long = isinstance(sized, str | list | tuple) and isinstance(times, int)
                if long and len(sized) * times > LONGEST:
                    raise SecurityError("the result of * is too long")
        if operator == "%" and isinstance(left, str):
            raise SecurityError("text formatting with % is not allowed: use ~ or the filters")
        return super().call_binop(context, operator, left, right)


def random_text(length: int = 20) -> str:
    """Random letters and digits, fit for passwords."""
    return "".join(secrets.choice(_LETTERS) for _ in range(min(int(length), 1000)))


def random_hex(digits: int = 20) -> str:
    """Random hexadecimal digits."""
    return secrets.token_hex(min(int(digits), 1000))[: int(digits)]


def _fail(message: object) -> NoReturn:
    raise TemplateFails(str(message))


def _sandbox() -> _Sandbox:
    env = _Sandbox(undefined=StrictUndefined, autoescape=False, loader=None)
    # Jinja's own tojson escapes for HTML.
    env.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    env.filters["volume_name"] = lambda value: as_volume_name(str(value))
    env.filters["shell_word"] = lambda value: shlex.quote(str(value))
    env.filters["sql_identifier"] = lambda value: quoted_identifier(str(value))
    env.filters["sql_literal"] = lambda value: quoted_literal(str(value))
    for name in ("format", "xmlattr", "urlize", "pprint", "center", "indent"):
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

    def map(self, text: str, **more: Any) -> JsonObject:
        """The YAML map that the template gives; nothing gives an empty one.

        Raises RenderError.
        """
        return _read(self.text(text, **more))

    def text(self, text: str, **more: Any) -> str:
        """What the template gives. Raises RenderError."""
        try:
            template = _sandbox().from_string(text, globals=dict(self.functions))
            return _joined(template.generate(**{**self.values, **more}))
        except TemplateSyntaxError as error:
            raise _wrong(error) from error
        except RenderError:
            raise
        except TemplateError as error:
            raise RenderError(error.message or type(error).__name__) from error
        except (*_OF_EXPRESSIONS, RecursionError, OverflowError) as error:
            # The text of such an error may hold a value that went into it.
            raise RenderError(f"an expression fails ({type(error).__name__})") from error


def _joined(pieces: Iterable[str]) -> str:
    text: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST:
            raise RenderError(f"the template gives more than {LONGEST} characters")
        text.append(piece)
    return "".join(text)


def _read(text: str) -> JsonObject:
    try:
        document = read_yaml(text)
    except YamlError as error:
        raise RenderError(
            f"its output is not YAML, in line {error.line}: {error.message}",
            hint="quote values with the filter tojson",
        ) from error
    value = {} if document.value is None else document.value
    if not isinstance(value, dict):
        raise RenderError(f"the template gives {kind_of(value)}, not a map")
    if document.odd_keys:
        place = place_text(document.odd_keys[0].path)
        raise RenderError(f"the template gives a map with a key that is not text: {place}")
    if too_deep(value):
        raise RenderError(f"the template gives values nested deeper than {MOST_LEVELS} levels")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RenderError("the template gives a value that JSON cannot carry") from error
    return value
