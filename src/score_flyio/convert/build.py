"""The image of a container → `[build]`."""

from __future__ import annotations

from score_flyio.convert.draft import Draft
from score_flyio.flytoml.spec import BuildSection
from score_flyio.score.model import Container


def build_of(draft: Draft, container: Container) -> BuildSection:
    """The image itself, or for `.` the Dockerfile beside the Score file."""
    if container.image != ".":
        return BuildSection(image=container.image)
    return BuildSection(
        dockerfile=draft.beside("Dockerfile"), ignorefile=draft.beside(".dockerignore")
    )
