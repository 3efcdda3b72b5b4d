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
    containers = workload.containers
    match path:
        case ("app",):
            return ("metadata", "name"), ()
        case ("mounts", int(index), *_) if index < len(spec.mounts):
            target = spec.mounts[index].destination
            mounted = ((name, v.target) for name, c in containers.items() for v in c.volumes)
            names = (name for name, at in mounted if at == target)
            found = next((("containers", name, "volumes", target) for name in names), None)
        case ("services", int(index), *_) if index < len(spec.services):
            internal = spec.services[index].internal_port
            names = (port.name for port in workload.ports if port.target_port == internal)
            found = next((("service", "ports", name) for name in names), None)
        case _ if len(containers) == 1:
            found = _of_container(path, spec, ("containers", *containers))
    return None if found is None else (found, path[2:])


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
