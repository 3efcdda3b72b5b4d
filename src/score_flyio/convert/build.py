"""The image of a container → `[build]`, as annotations of the workload say.

`score-flyio.astromechza.github.com/build-KEY`, KEY one of `dockerfile`, `context`, `target` and
`args`, a JSON object of strings. Paths are relative to the Score file.
"""

from __future__ import annotations

import json
from typing import Final

from score_flyio.base.place import quoted
from score_flyio.convert.draft import Draft
from score_flyio.flytoml.spec import BuildSection
from score_flyio.score.model import Container, Workload

PREFIX: Final = "score-flyio.astromechza.github.com/build-"
KEYS: Final = ("dockerfile", "context", "target", "args")


def is_build_annotation(name: str) -> bool:
    """Whether an annotation is one of these."""
    return name.startswith(PREFIX) and name.removeprefix(PREFIX) in KEYS


def build_context(workload: Workload) -> str:
    """The folder that the image is built of, relative to the Score file."""
    return workload.annotations.get(f"{PREFIX}context") or "."


def build_of(draft: Draft, container: Container) -> BuildSection:
    """The image itself, or for `.` the Dockerfile beside the Score file, or the one annotated."""
    given = {key: draft.workload.annotations.get(PREFIX + key) or "" for key in KEYS}
    if container.image != ".":
        for key in filter(given.get, KEYS):
            message = f"{PREFIX}{key} has no effect: no container has the image '.'"
            draft.remark("annotation_ignored", message, subject=PREFIX + key)
        return BuildSection(image=container.image)
    return BuildSection(
        dockerfile=draft.beside(given["dockerfile"] or "Dockerfile"),
        ignorefile=draft.beside(".dockerignore"),
        build_target=given["target"],
        args=_args(draft, given["args"]),
    )


def _args(draft: Draft, text: str) -> dict[str, str]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        return _refused(draft, f"{quoted(text)} is not JSON: {error}")
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        return _refused(draft, f"{quoted(text)} is not a JSON object of strings")
    return found


def _refused(draft: Draft, message: str) -> dict[str, str]:
    path = ("metadata", "annotations", f"{PREFIX}args")
    draft.fail("annotation_invalid", path, message, 'write {"NAME": "value"}')
    return {}
