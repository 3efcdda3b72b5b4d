"""The page of commands: what `--help` says of each, as Markdown."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import asyncclick as click

from score_flyio.cli.main import PROGRAM, root
from score_flyio.cli.table import SECTIONS
from website.markdown import code, plain, table


def page() -> str:
    """Every command with its usage, arguments and options."""
    lines = [
        "# Commands",
        (
            "Options are given in any order, before or after arguments. `score-flyio COMMAND "
            "--help` prints the same."
        ),
        "## Global options",
        "Every command takes them, before or after its name.",
        _shown(root, PROGRAM, only="Global options"),
    ]
    for title, names in SECTIONS.items():
        lines.append(f"## {title}")
        for name in names:
            command = root.get_command(click.Context(root), name)
            if command is not None:
                lines += _command(command, f"{PROGRAM} {name}", level=3)
    return "\n\n".join(filter(None, lines)) + "\n"


def _command(command: click.Command, path: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} {path.removeprefix(PROGRAM).strip()}"
    yield _shown(command, path, without="Global options")
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _command(child, f"{path} {name}", level + 1)


def _shown(command: click.Command, path: str, *, only: str = "", without: str = "") -> str:
    context = click.Context(command, info_name=path)
    formatter = MarkdownFormatter(only=only, without=without)
    if not only:
        command.format_usage(context, formatter)
        formatter.parts.append(_prose(command.help or ""))
    command.format_options(context, formatter)
    return "\n\n".join(formatter.parts)


class MarkdownFormatter(click.HelpFormatter):
    """Takes what a command's help is made of, and keeps it as Markdown."""

    def __init__(self, *, only: str, without: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._only = only
        self._without = without
        self._title = ""
        self._examples: list[str] = []

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        del prefix
        self.parts.append(f"```sh\n{prog} {args}\n```")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        self._title = name
        yield
        self._title = ""
        if self._examples:
            self.parts.append(f"```sh\n{''.join(self._examples)}```")
            self._examples.clear()

    def write(self, string: str) -> None:
        if self._title == "Examples":
            self._examples.append(string.removeprefix("  "))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        del col_max, col_spacing
        if self._title == self._without or (self._only and self._title != self._only):
            return
        shown = [(code(name), plain(text)) for name, text in rows]
        self.parts.append(table([self._title, ""], shown))


def _prose(text: str) -> str:
    r"""Help texts, where `\\b` keeps the lines of a paragraph."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        f"```text\n{part.removeprefix(chr(8)).strip(chr(10))}\n```"
        if part.startswith("\b")
        else plain(part)
        for part in paragraphs
    )
