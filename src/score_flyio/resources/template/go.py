"""Go templates, as files for score-compose and score-k8s have them: told, with our own syntax.

The functions of those tools come from the library Sprig. What is common is translated, so that a
message can say what to write; nothing is run by a translation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from score_flyio.base.record import evolve, frozen

_STRING: Final = r'"(?:[^"\\]|\\.)*"|`[^`]*`'
_TOKEN: Final = re.compile(rf"{_STRING}|:=|[()|,]|[^\s()|,]+")
_FIELD: Final = re.compile(r"\$?(?:\.[A-Za-z_]\w*)+|\.|\$[A-Za-z_]\w*(?:\.\w+)*|\$")
_KEYWORDS: Final = frozenset({"if", "else", "end", "range", "with", "define", "template", "block"})
_NAMES: Final = re.compile(r"[A-Za-z]\w*")
_ONE_WORD: Final = re.compile(r"[\w.]+|\"(?:[^\"\\]|\\.)*\"|\([^()]*\)")
_NOT_HERE: Final = frozenset({"ComposeProjectName", "MountsDirectory", "NetworkName", "Namespace"})
"""What those tools tell their templates of Compose and Kubernetes."""

_BEHIND_A_NAME: Final = frozenset(
    {"|", "(", ")", ",", "if", "in", "is", "not", "and", "or", "else", "~", "+", "-", "*", "/"}
    | {"//", "%", "==", "!=", "<", ">", "<=", ">=", "**"}
)
"""What may follow the name of a value or filter in Jinja2."""

Words = Sequence[str]


@frozen
class _Block:
    """A block that an `end` ends."""

    end: str
    """What it is here."""
    dot: str | None = None
    """What `.` is within; None: what it is around the block."""


@frozen
class GoExpression:
    """An action of a Go template."""

    text: str
    """As it stands there."""
    line: int
    """From 1."""
    ours: str | None
    """The same here; None: it has no translation."""

    @property
    def hint(self) -> str:
        """What to write instead."""
        table = "see the table of both in docs/provisioners.md"
        return f"templates are Jinja2 here, not Go: {f'write {self.ours}' if self.ours else table}"


def go_expressions(text: str) -> list[GoExpression]:
    """The actions of a text that only Go understands, in their order."""
    found: list[GoExpression] = []
    blocks: list[_Block] = []
    for start, end in _actions(text):
        inside = text[start + 2 : end - 2].removeprefix("-").removesuffix("-")
        words = _TOKEN.findall(inside)
        if not words or not _is_go(words):
            continue
        try:
            ours = _statement(words, blocks)
        except LookupError:
            ours = None
        line = text.count("\n", 0, start) + 1
        found.append(GoExpression(text[start:end], line, ours))
    return found


def _actions(text: str) -> Iterator[tuple[int, int]]:
    """Where each begins and ends."""
    start = text.find("{{")
    while start >= 0 and (close := text.find("}}", start + 2)) >= 0:
        yield start, close + 2
        start = text.find("{{", close + 2)


def _is_go(words: Words) -> bool:
    first, second = words[0], words[1] if len(words) > 1 else ""
    if any(_FIELD.fullmatch(word) for word in words):
        return True
    if first == "not" or second == "(":
        return False
    if first in _KEYWORDS or first.startswith("/*"):
        return True
    # A name with arguments behind it, without parentheses; in a filter as well.
    calls = [(first, second)]
    calls += [(n, a) for bar, n, a in zip(words, words[1:], words[2:], strict=False) if bar == "|"]
    return any(
        _NAMES.fullmatch(name) and after and after not in _BEHIND_A_NAME for name, after in calls
    )


def _statement(words: Words, blocks: list[_Block]) -> str:
    """Raises LookupError for what has no translation."""
    first = words[0]
    if first == "end":
        return f"{{% {blocks.pop().end if blocks else 'endif'} %}}"
    if first in {"if", "with", "range", "define", "block"}:
        # Its end is counted also where it has no translation itself.
        names, over = _bound(_rooted(words[1:], blocks))
        blocks.append(_block(first, names[-1] if names else "item"))
        return _beginning(first, names, over)
    if first == "else" and blocks:
        blocks[-1] = evolve(blocks[-1], dot=None)
    words = _rooted(words, blocks)
    if first == "else":
        return f"{{% elif {_expression(words[2:])} %}}" if words[1:2] == ["if"] else "{% else %}"
    if len(words) > 2 and words[1] in {":=", "="}:
        return f"{{% set {words[0].removeprefix('$')} = {_expression(words[2:])} %}}"
    return f"{{{{ {_expression(words)} }}}}"


def _bound(words: Words) -> tuple[list[str], Words]:
    """The names that a block gives to something, and that."""
    if ":=" not in words:
        return [], words
    at = list(words).index(":=")
    return [word.removeprefix("$") for word in words[:at] if word != ","], words[at + 1 :]


def _block(first: str, dot: str) -> _Block:
    return {
        "with": _Block("endif", dot),
        "range": _Block("endfor", dot),
        "if": _Block("endif"),
    }.get(first, _Block("endmacro", ""))


def _rooted(words: Words, blocks: Sequence[_Block]) -> list[str]:
    """With the name of what `.` is in the blocks around them."""
    dot = next((block.dot for block in reversed(blocks) if block.dot is not None), None)
    if dot is None:
        return list(words)
    named = {word: f"${dot}{word if word != '.' else ''}" for word in words if word[0] == "."}
    return [named.get(word, word) for word in words]


def _beginning(first: str, names: list[str], over: Words) -> str:
    if first not in {"if", "range", "with"} or (first == "if" and names):
        raise LookupError(first)
    value, name = _expression(over), names[0] if names else "item"
    if first == "if":
        return f"{{% if {value} %}}"
    if first == "with":
        return f"{{% set {name} = {value} %}}{{% if {name} %}}"
    if len(names) == 2:
        return f"{{% for {name}, {names[1]} in {_tight(value)}.items() %}}"
    return f"{{% for {name} in {value} %}}"


def _expression(words: Words) -> str:
    """A pipeline: what comes before is the last argument of what comes after."""
    value = ""
    for part in _split(words):
        value = _call(part, value)
    return value


def _split(words: Words) -> list[list[str]]:
    """The parts of a pipeline; parentheses are kept together as one word."""
    parts: list[list[str]] = [[]]
    depth, inner = 0, list[str]()
    for word in words:
        if word == ")":
            depth -= 1
            if not depth:
                parts[-1].append(f"({_expression(inner)})")
                inner = []
                continue
        if depth:
            inner.append(word)
        elif word == "|":
            parts.append([])
        elif word != "(":
            parts[-1].append(word)
        if word == "(":
            depth += 1
    if depth or not all(parts):
        raise LookupError("unbalanced")
    return parts


def _call(words: Words, piped: str) -> str:
    name, arguments = words[0], [_value(word) for word in words[1:]]
    if piped:
        arguments.append(piped)
    if name in _FUNCTIONS:
        count, translate = _FUNCTIONS[name]
        if len(arguments) < count:
            raise LookupError(name)
        return translate(arguments)
    if arguments:
        raise LookupError(name)
    return _value(name)


def _value(word: str) -> str:
    if word.startswith("`"):
        return '"' + word[1:-1].replace("\\", "\\\\").replace('"', '\\"') + '"'
    if _FIELD.fullmatch(word):
        name = word.lstrip("$.")
        if not name or name.partition(".")[0] in _NOT_HERE:
            raise LookupError(word)
        return name
    if word.startswith(('"', "(")) or re.fullmatch(r"-?\d+(\.\d+)?", word):
        return word
    if word in {"true", "false"}:
        return word
    if word in _FUNCTIONS and not _FUNCTIONS[word][0]:
        return _FUNCTIONS[word][1]([])
    if word == "nil":
        return "none"
    raise LookupError(word)


def _tight(text: str) -> str:
    """An expression that a method or index can stand behind."""
    return text if _ONE_WORD.fullmatch(text) else f"({text})"


def _method(name: str) -> tuple[int, Callable[[list[str]], str]]:
    return 2, lambda a: f"{_tight(a[-1])}.{name}({', '.join(a[:-1])})"


def _filter(name: str) -> tuple[int, Callable[[list[str]], str]]:
    return 1, lambda a: f"{a[-1]} | {name}" + (f"({', '.join(a[:-1])})" if a[:-1] else "")


def _function(name: str) -> tuple[int, Callable[[list[str]], str]]:
    return 1, lambda a: f"{name}({a[0]})"


def _operator(sign: str) -> tuple[int, Callable[[list[str]], str]]:
    return 2, f" {sign} ".join


def _path(arguments: list[str]) -> str:
    """`dig "a" "b" DEFAULT MAP`."""
    *keys, last, default, place = arguments
    for key in keys:
        place = f"({place}[{key}] | default({{}}))"
    return f"{place}[{last}] | default({default})"


def _map(arguments: list[str]) -> str:
    pairs = zip(arguments[::2], arguments[1::2], strict=False)
    return f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}"


def _printf(arguments: list[str]) -> str:
    pieces = re.split(r"%[svdq]", arguments[0][1:-1])
    if len(pieces) != len(arguments):
        raise LookupError("printf")
    parts: list[str] = []
    for piece, value in zip(pieces, [*arguments[1:], ""], strict=True):
        parts += [f'"{piece}"' if piece else "", value]
    return " ~ ".join(filter(None, parts))


_SAME: Final = ("default", "first", "join", "last", "lower", "replace", "title", "trim", "upper")
_COMPARED: Final = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_FUNCTIONS: Final[Mapping[str, tuple[int, Callable[[list[str]], str]]]] = {
    **{name: _filter(name) for name in _SAME},
    **{name: _operator(sign) for name, sign in _COMPARED.items()},
    **dict.fromkeys(("quote", "squote", "toJson", "toRawJson", "mustToJson"), _filter("tojson")),
    "toYaml": _filter("tojson"),
    "toString": _filter("string"),
    "int": _filter("int"),
    "atoi": _filter("int"),
    "len": _filter("length"),
    "keys": _filter("list"),
    "indent": (2, lambda a: a[-1]),
    "nindent": (2, lambda a: a[-1]),
    "splitList": _method("split"),
    "trimPrefix": _method("removeprefix"),
    "trimSuffix": _method("removesuffix"),
    "hasPrefix": _method("startswith"),
    "hasSuffix": _method("endswith"),
    "contains": (2, lambda a: f"{a[0]} in {a[1]}"),
    "print": (1, " ~ ".join),
    "substr": (3, lambda a: f"{_tight(a[2])}[{a[0]}:{a[1]}]"),
    "trunc": (2, lambda a: f"{_tight(a[1])}[:{a[0]}]"),
    "list": (0, lambda a: f"[{', '.join(a)}]"),
    "dict": (0, _map),
    "dig": (3, _path),
    "get": (2, lambda a: f"{_tight(a[0])}[{a[1]}]"),
    "index": (2, lambda a: _tight(a[0]) + "".join(f"[{key}]" for key in a[1:])),
    **dict.fromkeys(("randAlpha", "randAlphaNum", "randAscii"), _function("random_text")),
    "env": _function("env"),
    "fail": _function("fail"),
    "printf": (1, _printf),
    "hasKey": (2, lambda a: f"{a[1]} in {a[0]}"),
    "has": (2, lambda a: f"{a[0]} in {a[1]}"),
    "not": (1, lambda a: f"not {a[0]}"),
    "empty": (1, lambda a: f"not {a[0]}"),
    "ternary": (3, lambda a: f"{a[0]} if {a[2]} else {a[1]}"),
    "and": _operator("and"),
    "or": _operator("or"),
    "add": _operator("+"),
}
"""How many arguments each needs at least, and the same here."""
