"""YAML text → plain values with line numbers, read as the other Score tools read it.

PyYAML splits the text into events; values, tags, merges, aliases and duplicate keys follow Go's
yaml.v3 here, because PyYAML's own rules differ (`on`, `12:30:45`, duplicate keys, `%YAML 1.2`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import yaml

from score_flyio.base.place import Path, kind_of
from score_flyio.base.record import field, frozen
from score_flyio.yaml.scalars import resolve_plain, resolve_tagged

_MAX_DEPTH: Final = 200
_MAX_EXPANDED: Final = 200_000
"""Values a document may have once its aliases are written out."""

_QUICK: Final[Any] = getattr(yaml, "CSafeLoader", None)
"""Much quicker than the reader below, with messages and tabs of its own."""
_ODD: Final = re.compile(r"[^\n -~]|\?|\\/|[|>][-+0-9]*#|[^\n]\Z|[^\"']:[][,{}]|(?m:^%)")
"""What libyaml reads in another way, or takes where the reader below does not."""
_LINE_ENDS: Final = "\0\r\n\x85\u2028\u2029"
_WORD_ENDS: Final = f"{_LINE_ENDS} \t"
_SEPARATOR: Final = re.compile(r"(---|\.\.\.)[\0 \t\r\n\x85\u2028\u2029]")

Children: TypeAlias = "dict[str, tuple[int, Node]] | list[Node] | None"


class YamlError(ValueError):
    """Text that is not acceptable YAML."""

    def __init__(self, category: str, message: str, line: int | None) -> None:
        super().__init__(message)
        self.category = category
        """`syntax`, `duplicate_key`, `unknown_anchor`, `recursive_anchor`, `too_large`."""
        self.message = message
        self.line = line


@frozen
class Node:
    """A value of the document with its line, and the nodes inside it."""

    line: int
    scalar: Any = None
    children: Children = None
    size: int = 1
    text: str = ""
    """A scalar as it is written."""
    plain: bool = False
    """Whether it is written without quotes and without a tag."""

    def value(self) -> Any:
        """A fresh copy of the plain value."""
        match self.children:
            case None:
                return self.scalar
            case list():
                return [child.value() for child in self.children]
            case _:
                return {key: child.value() for key, (_, child) in self.children.items()}


@frozen
class OddKey:
    """A key that is not text, such as `1:` or `true:`; the value carries it as written."""

    path: Path
    kind: str
    line: int


@frozen
class YamlDocument:
    """The first document of a YAML text."""

    root: Node
    odd_keys: tuple[OddKey, ...] = ()
    second_document: int | None = None
    """Line of a further, non-empty document."""
    value: Any = field(init=False)

    @value.default
    def _value(self) -> Any:
        return self.root.value()

    def line(self, path: Sequence[str | int]) -> int | None:
        """The line of a key or list item; None for a path that is not in the text."""
        node, line = self.root, self.root.line
        for part in path:
            match node.children:
                case dict() if part in node.children:
                    line, node = node.children[part]
                case list() if isinstance(part, int) and part < len(node.children):
                    node = node.children[part]
                    line = node.line
                case _:
                    return None
        return line


def read_yaml(text: str, *, exact: bool = False) -> YamlDocument:
    """Reads the first document of a text. An empty text gives null. Raises YamlError.

    In an `exact` text, which this tool wrote, whole numbers of more than 64 bits stay as they are;
    otherwise they become floats.
    """
    if _QUICK is not None and not ("\t" in text if exact else _ODD.search(text)):
        try:
            return _Reader(yaml.parse(text, Loader=_QUICK), exact=exact).read()
        except (yaml.YAMLError, ValueError):
            pass  # what is wrong is for the reader of all other texts to say
    try:
        return _Reader(yaml.parse(text, Loader=_Loader), exact=exact).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        detail = error.problem or error.context or "not YAML"
        raise YamlError("syntax", detail, mark.line + 1 if mark else None) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError("syntax", f"character {error.character!r} is not allowed", line) from error


class _Loader(yaml.SafeLoader):
    """Takes tabs, escapes, directives and colons as Go's reader does."""

    ESCAPE_REPLACEMENTS: Final = {  # type: ignore[misc] # the stubs call it final, too
        char: text for char, text in yaml.SafeLoader.ESCAPE_REPLACEMENTS.items() if char != "/"
    } | {"'": "'"}

    def scan_directive(self) -> Any:
        token = super().scan_directive()
        if token.name not in {"YAML", "TAG"}:
            message = f"there is no directive '%{token.name}'"
            raise yaml.scanner.ScannerError(None, None, message, token.start_mark)
        return token

    def scan_flow_scalar_non_spaces(self, double: Any, start_mark: Any) -> list[str]:
        try:
            found: list[str] = super().scan_flow_scalar_non_spaces(double, start_mark)
        except (ValueError, OverflowError) as error:
            message = "an escape for a character that there is not"
            raise yaml.scanner.ScannerError(None, None, message, self.get_mark()) from error
        return found

    def scan_plain(self) -> Any:
        """A colon right before an indicator is text: `{a:[1]}` lacks a space."""
        token = super().scan_plain()
        if self.flow_level and self.peek() == ":" and self.peek(1) in ",[]{}":
            token.value += " " * (self.index - token.end_mark.index) + ":"
            self.forward()
            token.end_mark = self.get_mark()
        return token

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str] | None:
        del start_mark
        blanks = self._blanks(0)
        if self.peek() not in _LINE_ENDS[1:]:
            return [blanks] if blanks else []
        scan_line_break: Callable[[], str] = self.scan_line_break
        first = scan_line_break()
        self.allow_simple_key = True
        more: list[str] = []
        while not _SEPARATOR.match(self.prefix(4)):
            self._blanks(indent)
            if self.peek() not in _LINE_ENDS[1:]:
                return [*([first] if first != "\n" else [] if more else [" "]), *more]
            more.append(scan_line_break())
        return None

    def _blanks(self, least: int) -> str:
        """Spaces, and tabs from a column on, which are read."""
        length = 0
        while self.peek(length) == " " or (
            self.peek(length) == "\t" and self.column + length >= least
        ):
            length += 1
        blanks = str(self.prefix(length))
        self.forward(length)
        return blanks

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def scan_tag(self) -> Any:
        self._space_behind()
        return super().scan_tag()

    def scan_block_scalar_indicators(self, start_mark: Any) -> Any:
        self._space_behind()
        return super().scan_block_scalar_indicators(start_mark)

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> None:
        self._blanks(0)
        super().scan_block_scalar_ignored_line(start_mark)

    def scan_block_scalar_indentation(self) -> Any:
        found = super().scan_block_scalar_indentation()
        if self.peek() == "\t":
            message = "a tab where a text is indented; use spaces in front of its first line"
            raise yaml.scanner.ScannerError(None, None, message, self.get_mark())
        return found

    def _space_behind(self) -> None:
        """A tab behind the word that begins here counts as a space."""
        length = 0
        while self.peek(length) not in _WORD_ENDS:
            length += 1
        if self.peek(length) == "\t":
            at = self.pointer + length
            self.buffer = f"{self.buffer[:at]} {self.buffer[at + 1 :]}"


class _Reader:
    def __init__(self, events: Iterator[Any], *, exact: bool) -> None:
        self._exact = exact
        self._events = events
        self._anchors: dict[str, Node | None] = {}
        self._odd_keys: list[OddKey] = []

    def read(self) -> YamlDocument:
        next(self._events)
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            return YamlDocument(Node(1))
        if start.version not in (None, (1, 1)):
            raise YamlError("syntax", "a %YAML directive other than 1.1", _line(start))
        root = self._node(next(self._events), ())
        next(self._events)
        return YamlDocument(root, tuple(self._odd_keys), self._second_document())

    def _second_document(self) -> int | None:
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            return None
        content = next(self._events)
        empty = isinstance(content, yaml.ScalarEvent) and content.value == "" and not content.style
        return None if empty else _line(start)

    def _node(self, event: Any, path: Path) -> Node:
        if len(path) > _MAX_DEPTH:
            raise YamlError("too_large", f"nested deeper than {_MAX_DEPTH} levels", _line(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.SequenceStartEvent):
            node = self._list(event, path)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._map(event, path)
        else:
            node = self._scalar(event)
        if node.size > _MAX_EXPANDED and self._anchors:
            raise YamlError("too_large", "aliases make the document too large", node.line)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise YamlError("unknown_anchor", f"no anchor &{event.anchor}", _line(event))
        node = self._anchors[event.anchor]
        if node is None:
            message = f"&{event.anchor} contains itself"
            raise YamlError("recursive_anchor", message, _line(event))
        return node

    def _scalar(self, event: Any) -> Node:
        text = event.value
        if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
            raise YamlError("syntax", "half of a surrogate pair in an escape", _line(event))
        if event.tag not in (None, "!"):
            try:
                return Node(_line(event), resolve_tagged(event.tag, text), text=text)
            except ValueError as error:
                raise YamlError("syntax", str(error), _line(event)) from error
        if event.style:
            return Node(_line(event), text, text=text)
        return Node(_line(event), resolve_plain(text, exact=self._exact), text=text, plain=True)

    def _list(self, event: Any, path: Path) -> Node:
        items: list[Node] = []
        while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(item, (*path, len(items))))
        return Node(_line(event), None, items, 1 + sum(item.size for item in items))

    def _map(self, event: Any, path: Path) -> Node:
        entries: dict[str, tuple[int, Node]] = {}
        merges: list[Node] = []
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            if _is_merge(key):
                if merges:
                    raise YamlError("duplicate_key", "a second `<<` in one map", _line(key))
                value = next(self._events)
                of_alias = isinstance(value, yaml.AliasEvent)
                found = self._node(value, (*path, "<<"))
                merges = _merge_sources(found, of_alias=of_alias, line=_line(key))
                continue
            name = self._key(key, path)
            if name in entries:
                message = f"key `{name}` already stands in line {entries[name][0]}"
                raise YamlError("duplicate_key", message, _line(key))
            value = self._node(next(self._events), (*path, name))
            if value.plain and not value.text:  # nothing is written: readers differ in its line
                value = Node(_line(key), plain=True)
            entries[name] = (_line(key), value)
        for source in merges:
            assert isinstance(source.children, dict)
            for name, entry in source.children.items():
                entries.setdefault(name, entry)
        size = 1 + sum(child.size for _, child in entries.values())
        return Node(_line(event), None, entries, size)

    def _key(self, event: Any, path: Path) -> str:
        node = self._node(event, path)
        if isinstance(node.scalar, str):
            return node.scalar
        name = event.value if isinstance(event, yaml.ScalarEvent) else str(node.value())
        self._odd_keys.append(OddKey((*path, name), kind_of(node.value()), _line(event)))
        return name


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _is_merge(key: Any) -> bool:
    plain = isinstance(key, yaml.ScalarEvent) and key.value == "<<" and not key.style
    return plain and key.tag in (None, "!", "tag:yaml.org,2002:merge")


def _merge_sources(node: Node, *, of_alias: bool, line: int) -> list[Node]:
    """The maps that are merged; Go's reader takes a list of them only where it is written out."""
    sources = node.children if isinstance(node.children, list) and not of_alias else [node]
    if not all(isinstance(source.children, dict) for source in sources):
        raise YamlError("syntax", "`<<` needs a map, the alias of one, or a list of these", line)
    return sources
