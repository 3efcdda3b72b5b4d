"""Writes the fly.toml of a workload, and the files that it refers to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from anyio import to_thread
from attrs import frozen

from score_flyio.app.flytoml import to_toml
from score_flyio.deployable import Deployable, Prepared
from score_flyio.project import Project
from score_flyio.state.atomic import write_atomically


@frozen
class TomlWriter:
    """Writes beside the project's files; a disabled one writes nothing."""

    project: Project
    enabled: bool = True

    async def write(self, deployable: Deployable, prepared: Prepared) -> None:
        """`fly_<workload>.toml`; a fly.toml that somebody wrote is left alone."""
        if self.enabled and deployable.workload is not None:
            path = self.project.toml_path(deployable.workload)
            files = {path: to_toml(prepared.spec).encode()}
            for name, content in prepared.side_files.items():
                files[self.project.directory / name] = content
            await to_thread.run_sync(_write, files)


def _write(files: Mapping[Path, bytes]) -> None:
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
