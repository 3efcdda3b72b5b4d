"""`volumes` of containers → `[[mounts]]`. A machine has at most one."""

from __future__ import annotations

from score_flyio.base.place import Path, quoted
from score_flyio.convert.draft import Draft
from score_flyio.flytoml.names import as_volume_name
from score_flyio.flytoml.spec import Mount
from score_flyio.score.model import VolumeMount
from score_flyio.score.placeholders import PENDING


def mounts(draft: Draft) -> tuple[Mount, ...]:
    """The mount of the workload's volume."""
    found: dict[tuple[str, str], Path] = {}
    for name, container in draft.workload.containers.items():
        for volume in container.volumes:
            path: Path = ("containers", name, "volumes", volume.target)
            mount = _mount(draft, volume, path)
            if mount is not None:
                found.setdefault(mount, path)
    (first, _), *others = found or [("", "")]
    for source, target in others:
        path = found[source, target]
        message = f'"{path[1]}" needs a second volume, but a Fly machine takes one'
        hint = "keep the data in one volume, or make two workloads of it"
        if source == first:
            message = f"mounts {quoted(source)} at a second path, but Fly mounts a volume at one"
            hint = "mount it once, and use directories inside it"
        draft.fail("unsupported_feature", path, message, hint)
    return tuple(
        Mount(source=_name(draft, source, path), destination=target)
        for (source, target), path in found.items()
    )


def _mount(draft: Draft, volume: VolumeMount, path: Path) -> tuple[str, str] | None:
    container = path[1]
    before = len(draft.findings)
    draft.refuse_relative(volume.target, path)
    if volume.path not in (None, "/"):
        draft.fail(
            "unsupported_feature",
            (*path, "path"),
            f'"{container}" mounts the directory {quoted(volume.path or "")} of a volume, '
            "but Fly mounts whole volumes only",
            "mount the whole volume and use the directory inside it",
        )
    if volume.read_only:
        draft.fail(
            "unsupported_feature",
            (*path, "readOnly"),
            f'"{container}" mounts a volume read-only, but Fly mounts volumes for writing',
            "take readOnly out",
        )
    source = draft.substituted(volume.source, (*path, "source"))
    if source.secret:
        draft.fail(
            "unsupported_feature",
            (*path, "source"),
            "the name of a volume cannot be a secret: it stands openly in the fly.toml",
            "let the provisioner give the name as a value",
        )
    elif not source.text:
        message = "the volume has no name, and Fly finds volumes by name"
        draft.fail("unsupported_feature", (*path, "source"), message, "give it a name")
    return (source.text, volume.target) if len(draft.findings) == before else None


def _name(draft: Draft, text: str, path: Path) -> str:
    """The name that the volume has at Fly; one that is not known yet stays as it is."""
    name = text if PENDING in text else as_volume_name(text)
    if name != text:
        message = f"{quoted(text)} cannot be the name of a Fly volume: it is called {name} there"
        draft.remark("volume_renamed", message, subject=str(path[-1]))
    return name
