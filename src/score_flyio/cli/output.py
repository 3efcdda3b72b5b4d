"""What the command line prints: results on stdout, log lines and errors on stderr."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from score_flyio.base.document import Document, Documented, merged, to_json
from score_flyio.base.printable import one_line, printable, printable_json
from score_flyio.base.record import frozen
from score_flyio.base.secret import MASK, Secret
from score_flyio.cli.sink import Sink

if TYPE_CHECKING:
    from score_flyio.errors import Failure

_COLOURS = {"INFO": "", "WARN": "33", "Error": "31"}
_SIGN: Final = re.compile(r"^ {0,2}([+~-]) ")
_OF_SIGNS: Final = {"+": "32", "~": "33", "-": "31"}
_NARROWEST: Final = 40
"""Columns; on a narrower terminal lines stay whole."""


@frozen(kw_only=True, eq=False, repr=False)
class Output:
    """Where a command writes. With `json`, stdout gets one JSON document and nothing else."""

    stdout: Sink
    stderr: Sink
    json: bool = False
    quiet: bool = False
    debug: bool = False
    """Whether what only who looks for a fault wants is told, too."""
    color: bool = False
    """Whether terminals may have ANSI colours."""
    workspace: Path | None = None
    """The root of the files that failures are shown beside, where GitHub's runner reads the log."""

    def result(self, document: Any, text: str) -> None:
        """Print the result of a command, as JSON or as text for people.

        A `Secret` in the document shows masked.
        """
        if self.json:
            self.document(document)
        elif text:
            self.stdout.write(_ended(text))

    def wrapped(self, documents: Iterable[Document | Documented], text: str) -> None:
        """Print a result whose lines may be long: a plan, a report, a status."""
        if self.json:
            self.document(merged(documents))
        elif text:
            self._fit(self.stdout, text)

    def before_question(self, text: str) -> None:
        """Print what a question is about."""
        self._fit(self.stderr, text)

    def _fit(self, sink: Sink, text: str) -> None:
        """On a terminal lines are wrapped, and signs have colours."""
        if not sink.isatty():
            sink.write(_ended(text))
            return
        sink.write("")  # what is drawn makes room
        sink.write_raw(on_terminal(_ended(text), color=self.color, columns=sink.size()[0]))

    def table(self, header: list[str], rows: list[list[str]], *, indent: int = 0) -> str:
        """Rows in columns under a header: as wide as they are, and on a terminal as wide as it."""
        if self.stdout.isatty():
            from score_flyio.cli.render.layout import table

            text = table(header, rows, max(1, self.stdout.size()[0] - indent))
        else:
            text = _table(header, rows)
        return "\n".join(f"{' ' * indent}{line}" for line in text.splitlines())

    def rows(self, document: Any, header: list[str], rows: list[list[str]]) -> None:
        """Print a list, as JSON or as a table."""
        self.result(document, self.table(header, rows))

    def formatted(self, document: Any, text: str, form: str | None) -> None:
        """Print a list as `--format` says, unless `--json` stands beside it."""
        if self.json or form == "json":
            self.document(document)
        elif form == "yaml":
            from score_flyio.yaml.writer import write_yaml

            self.write(write_yaml(to_json(document)))
        else:
            self.result(document, text)

    def document(self, document: Any) -> None:
        """Print one JSON document on stdout."""
        text = json.dumps(to_json(document), indent=2, ensure_ascii=False, default=_encode)
        self.stdout.write_raw(f"{printable_json(text)}\n")

    def write(self, text: str) -> None:
        """Print text on stdout as it is, ending with a line end; nothing for an empty text."""
        if text:
            self.stdout.write_raw(_ended(text))

    def info(self, text: str) -> None:
        if not self.quiet:
            self.log("INFO", text)

    def warn(self, text: str) -> None:
        if not self.quiet:
            self.log("WARN", text)

    def error(self, text: str) -> None:
        """Print the final error; it shows even with `--quiet`."""
        self.log("Error", text)

    def failure(self, failure: "Failure", text: str, label: str = "") -> None:
        """Print an error as `text`; a CI system learns which file it is about, and whose it is."""
        self.error(text)
        if self.workspace is not None:
            from score_flyio.cli.ci import annotate

            for line in annotate(failure, self.workspace, label):
                self.stderr.write_raw(f"{line}\n")

    def log(self, level: str, text: str) -> None:
        """Write one line `LEVEL: text` on stderr."""
        if (code := _COLOURS[level]) and self.color and self.stderr.isatty():
            level = f"\x1b[{code}m{level}\x1b[0m"
        self.stderr.write("")  # what is drawn makes room
        self.stderr.write_raw(f"{level}: ")
        self.stderr.write(f"{text}\n")


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _encode(value: Any) -> Any:
    if isinstance(value, Secret):
        return MASK
    raise TypeError(f"{type(value).__name__} is not JSON")


def _table(header: list[str], rows: list[list[str]]) -> str:
    """Columns two spaces apart, for programs and files: no line is wrapped."""
    shown = [header, *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    )
    return "\n".join(lines)


def on_terminal(text: str, *, color: bool, columns: int) -> str:
    """The text as it is written to a terminal, which no part of it can drive."""
    lines = [_line(line, columns, color=color) for line in printable(text).split("\n")]
    return "\n".join(lines)


def _line(line: str, width: int, *, color: bool) -> str:
    sign = _SIGN.match(line)
    if len(line) > width >= _NARROWEST:
        import textwrap

        indent = len(line) - len(line.lstrip()) + 4
        line = "\n".join(
            textwrap.wrap(
                line,
                width,
                subsequent_indent=" " * indent,
                break_long_words=False,
                break_on_hyphens=False,
                replace_whitespace=False,
            )
        )
    return f"\x1b[{_OF_SIGNS[sign[1]]}m{line}\x1b[0m" if color and sign else line
