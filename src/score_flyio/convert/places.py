"""Places of the app that a workload became → places in the Score file, for what is found later."""

from __future__ import annotations

from score_flyio.base.place import Path
from score_flyio.flytoml.spec import AppSpec
from score_flyio.score.model import Workload


def score_place(path: Path, spec: AppSpec, workload: Workload) -> tuple[Path, Path] | None:
    """The place in the Score file that a place of its app comes from, and the way on from there.

    None: it comes from no single place.
    """
    found: Path | None = None
    match path:
        case ("app",):
            return ("metadata", "name"), ()
        case ("mounts", int(index), *_) if index < len(spec.mounts):
            found = _volume(spec.mounts[index].destination, workload)
        case ("services", int(index), *_) if index < len(spec.services):
            found = _port(spec.services[index].internal_port, workload)
        case _ if len(workload.containers) == 1:
            (name,) = workload.containers
            found = _of_container(path, spec, ("containers", name))
    return None if found is None else (found, path[2:])


def _volume(destination: str, workload: Workload) -> Path | None:
    for name, container in workload.containers.items():
        if any(volume.target == destination for volume in container.volumes):
            return ("containers", name, "volumes", destination)
    return None


def _port(internal: int | None, workload: Workload) -> Path | None:
    for port in workload.ports:
        if port.target_port == internal:
            return ("service", "ports", port.name)
    return None


def _of_container(path: Path, spec: AppSpec, container: Path) -> Path | None:
    match path:
        case ("env", str(name), *_):
            return (*container, "variables", name)
        case ("files", int(index), *_) if index < len(spec.files):
            return (*container, "files", spec.files[index].guest_path)
        case ("build", *_):
            return (*container, "image")
        case ("vm", *_):
            return (*container, "resources")
    return None
