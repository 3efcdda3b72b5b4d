"""Writes the fly.toml of a workload, and the files that it refers to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from score_flyio.base.atomic import READABLE, write_atomically
from score_flyio.base.event_loop import in_thread
from score_flyio.engine.project import Project
from score_flyio.errors import ConfigError
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.write import to_workload_toml

if TYPE_CHECKING:
    from score_flyio.engine.deployable import Deployable, Prepared


@frozen(eq=False, repr=False)
class TomlWriter:
    """Writes beside the project's files; a disabled one writes nothing."""

    project: Project
    enabled: bool = True

    async def write(self, deployable: Deployable, prepared: Prepared) -> None:
        """`fly_<workload>.toml`; a fly.toml that somebody wrote is left alone.

        Raises ConfigError when a file cannot be written.
        """
        if self.enabled and deployable.workload is not None:
            await write_workload(
                self.project, deployable.workload, prepared.spec, prepared.side_files
            )


async def write_workload(
    project: Project,
    workload: str,
    spec: AppSpec,
    side_files: Mapping[str, bytes],
    output_dir: str | None = None,
) -> str:
    """Write `fly_<workload>.toml`, and before it the files it names; gives its path.

    Raises ConfigError when a file cannot be written.
    """
    path = project.toml_path(workload, output_dir)
    files = {project.directory / name: content for name, content in side_files.items()}
    files[path] = to_workload_toml(spec).encode()
    try:
        await in_thread(_write, files)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or path} cannot be written: {error.strerror}",
            hint="check --output-dir and its permissions",
            code="output_unwritable",
        ) from error
    return str(path)


def _write(files: Mapping[Path, bytes]) -> None:
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, mode=READABLE, durable=False)
