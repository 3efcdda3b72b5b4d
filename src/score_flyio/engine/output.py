"""What a run writes: fly.toml files, the files that they name, and the secrets file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from score_flyio.base.atomic import READABLE, write_atomically
from score_flyio.base.event_loop import in_thread
from score_flyio.base.printable import system_reason
from score_flyio.base.record import define, field
from score_flyio.engine.project import Project, filled
from score_flyio.errors import ConfigError
from score_flyio.events import FileWritten, Listener, Scope
from score_flyio.flytoml.write import to_workload_toml

if TYPE_CHECKING:
    from score_flyio.deploy.model import DesiredApp


@define(kw_only=True, eq=False, repr=False)
class Output:
    """Where the files of a run go."""

    project: Project
    """Where they go unless the rest says otherwise."""
    folder: str | None = None
    """Of the fly.toml files; None: the project's."""
    secrets_file: str | None = field(default=None, converter=filled)
    """Where the secrets go; `-`: nowhere but into `secrets_text`."""
    secrets_text: str | None = field(default=None, init=False)
    """What the secrets file has, once it was written."""

    @property
    def stdout(self) -> str | None:
        """The text of the secrets, where stdout is the secrets file."""
        return self.secrets_text if self.secrets_file == "-" else None

    async def write(self, desired: DesiredApp, emit: Listener) -> tuple[str, ...]:
        """Writes `fly_<workload>.toml`, and before it the files it names; gives their paths.

        The last one is that of the fly.toml. One that somebody wrote is left alone. Raises
        ConfigError where a file cannot be written.
        """
        if desired.workload is None:
            return ()
        path = self.project.toml_path(desired.workload, self.folder)
        files = {self.project.directory / name: c for name, c in desired.side_files.items()}
        files[path] = to_workload_toml(desired.spec).encode()
        try:
            await in_thread(_write, files)
        except OSError as error:
            raise ConfigError(
                f"{error.filename or path} cannot be written: {system_reason(error)}",
                hint="check --output-dir and its permissions",
                code="output_unwritable",
            ) from error
        scope = Scope(workload=desired.workload, app=desired.name)
        for file in files:
            emit(FileWritten(scope=scope, file=str(file)))
        return tuple(map(str, files))

    async def write_secrets(self, apps: Iterable[DesiredApp], emit: Listener) -> None:
        """Writes the secrets file, if one is asked for. Raises ConfigError where it cannot."""
        from score_flyio.engine.secrets_file import CODE, render_all

        target = self.secrets_file
        if target is None:
            return
        text = render_all({desired.name: desired.secrets for desired in apps})
        if target != "-":
            path = self.project.directory / target
            try:
                await in_thread(partial(write_atomically, path), text.encode())
            except OSError as error:
                message = f"--secrets-file: {target} cannot be written: {system_reason(error)}"
                hint = "name a file in a folder that exists; what was provisioned is kept"
                raise ConfigError(message, hint=hint, code=CODE) from error
            emit(FileWritten(file=target))
        self.secrets_text = text


def _write(files: Mapping[Path, bytes]) -> None:
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, mode=READABLE, durable=False)
