"""What every command gets as its first argument."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from score_flyio.base.atomic import behind_link
from score_flyio.base.clock import Clock, SystemClock
from score_flyio.base.event_loop import is_missing
from score_flyio.base.printable import system_reason
from score_flyio.base.record import field, frozen
from score_flyio.cli.output import Output
from score_flyio.cli.signals import ended_at_once
from score_flyio.cli.sink import Sink
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.engine.project import Project

STATE_VARIABLE = "SCORE_FLYIO_STATE"
_TRUE = frozenset({"true", "1", "yes", "on"})


@frozen(kw_only=True, eq=False, repr=False)
class CliContext:
    """The world of one command line: its settings and everything it may touch."""

    output: Output
    state: str | None = None
    """Where the project state is; None for the usual file."""
    state_from: str = "--state"
    """The option or variable that says so."""
    target: str | None = None
    """Where the apps are, as `--target` says it."""
    emulate: bool = False
    """Whether they are at the emulator of this folder."""
    org: str | None = None
    """The organization that new apps belong to, where it is said."""
    yes: bool = False
    """Whether every question is answered in advance."""
    events: str | None = None
    """The file that gets every event of a run."""
    summary: str | None = None
    """The file that gets a summary in Markdown."""
    environ: Mapping[str, str] = field(factory=dict, repr=False)
    directory: Path = field(factory=Path)
    """The working directory: relative paths are resolved against it."""
    stdin: TextIO = field(factory=lambda: sys.stdin or StringIO(), repr=False)
    """Empty where it is closed, which Python shows as None."""
    clock: Clock = field(factory=SystemClock)
    ends_by: list[Callable[[], None]] = field(factory=list)
    """What a first signal does in place of ending the command: it ends the run, which accounts for
    itself."""

    @classmethod
    def build(cls, given: Mapping[str, Any], environ: Mapping[str, str]) -> "CliContext":
        """From the global options that were given and the environment."""
        told = environ.get("SCORE_FLYIO_DEBUG", "").strip().lower()
        color = not given.get("no_color") and not environ.get("NO_COLOR")
        on_github = environ.get("GITHUB_ACTIONS") == "true"
        output = Output(
            stdout=Sink(sys.stdout, "stdout"),
            stderr=Sink(sys.stderr, "stderr"),
            json=bool(given.get("json")),
            quiet=bool(given.get("quiet")),
            debug=bool(given.get("debug")) or told in _TRUE,
            color=color and environ.get("TERM") != "dumb",
            workspace=Path(environ.get("GITHUB_WORKSPACE", "")) if on_github else None,
        )
        places = {"--state": given.get("state"), STATE_VARIABLE: environ.get(STATE_VARIABLE)}
        state_from = next((name for name, url in places.items() if url), "--state")
        return cls(
            output=output,
            state=places[state_from] or None,
            state_from=state_from,
            target=given.get("target"),
            emulate=bool(given.get("emulate")),
            org=given.get("org"),
            yes=bool(given.get("yes")),
            events=given.get("events"),
            summary=given.get("summary"),
            environ=environ,
            directory=_working_folder(),
        )

    @property
    def place(self) -> dict[str, Any]:
        """What the command line says of where apps are."""
        return {"target": self.target, "emulate": self.emulate, "org": self.org}

    def output_path(self, option: str, file: str) -> Path:
        """Where an option says that a file goes, looked at before anything is done.

        Where a link stands there, it is the file behind it. Raises UsageError where no file can be
        written.
        """
        if file == "-":
            raise UsageError(
                f"{option}: '-' is no file, and stdout has the result of the command",
                hint="name a file; /dev/stderr is one, too",
            )
        path = behind_link(self.directory / file)
        if path.is_dir() or not path.parent.is_dir():
            wrong = "is a folder" if path.is_dir() else "is in a folder that does not exist"
            raise UsageError(
                f"{option}: {file!r} {wrong}", hint="name a file in an existing folder"
            )
        return path

    def read_text(self, file: str, hint: str | None = None) -> str:
        """The text of a file that the command line names. Raises UsageError."""
        from score_flyio.base.input_file import read_input

        try:
            data = read_input(self.directory / file)
        except OSError as error:
            raise UsageError(
                f"{file}: cannot be read: {system_reason(error)}", hint=hint
            ) from error
        return _decoded(data, file)

    def read_stdin(self) -> str:
        """All that stdin gives until it ends, as UTF-8 text, whatever the locale is.

        Raises UsageError and RunInterrupted.
        """
        binary = getattr(self.stdin, "buffer", None)
        with ended_at_once():
            return self.stdin.read() if binary is None else _decoded(binary.read(), "stdin")

    def project(self) -> "Project":
        """The project of the working directory, or what `--state` says, with the target's state.

        Its directory is relative where it can be, so that messages name files as they were typed.
        """
        from score_flyio.engine.project import Project
        from score_flyio.state.targets import kept_as

        directory = Path(os.path.relpath(self.directory))
        project = Project.open(
            directory,
            state=self.state,
            environ=self.environ,
            warn=self.output.warn,
            state_from=self.state_from,
        )
        return project.at(kept_as("emulator" if self.emulate else self.target, self.environ))

    @contextmanager
    def interrupted_by(self, end: Callable[[], None]) -> Iterator[None]:
        """While the block runs, a first signal calls `end`."""
        self.ends_by.append(end)
        try:
            yield
        finally:
            self.ends_by.remove(end)

    async def agree(self, question: str, otherwise: str, *, if_present: bool = False) -> None:
        """Ask before something that cannot be undone; `otherwise` is what is so without it.

        With `if_present` only somebody who is there: flyctl's users script it without `--yes`.

        Raises UsageError: nobody agreed.
        """
        if if_present and not self.stdin.isatty():
            return
        if not await self.confirm(question):
            raise UsageError(otherwise, code="not_agreed")

    async def confirm(self, question: str) -> bool:
        """Ask before something that cannot be undone; with `--yes` the answer is given.

        What will happen was told before. Nothing but the whole word agrees.

        Raises UsageError: nobody is there to answer.
        """
        if self.yes:
            return True
        if not self.stdin.isatty():
            raise UsageError(
                f"{question} Nobody is there to answer.", hint="give --yes to confirm in advance"
            )
        stderr = self.output.stderr
        stderr.write(
            f"\n{question}\n  Only 'yes' will be accepted to confirm.\n\n  Enter a value: "
        )
        stderr.asks = True
        try:
            await self._typed()
            with ended_at_once():
                return self.stdin.readline().strip().lower() == "yes"
        finally:
            stderr.asks = False
            stderr.write("\n")

    async def _typed(self) -> None:
        """Wait for a line; all else goes on: locks and leases end unless they are renewed.

        What cannot be waited for so, as a console of Windows, is left to whoever reads it.
        """
        if sys.platform == "win32" or is_missing():
            return
        with suppress(OSError):  # no file, or none of a terminal
            number = self.stdin.fileno()
            import anyio

            await anyio.wait_readable(number)


def _decoded(data: bytes, name: str) -> str:
    """UTF-8 text. Raises UsageError, which shows nothing of it: it may be secret."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = error.start - data.rfind(b"\n", 0, error.start)
        raise UsageError(
            f"{name}:{line}: byte {byte} of this line is no part of UTF-8 text",
            hint="save it as UTF-8",
            code="not_utf8",
        ) from error


def _working_folder() -> Path:
    """The working folder; when somebody has removed it, what needs it will say so."""
    try:
        return Path.cwd()
    except OSError:
        return Path()
