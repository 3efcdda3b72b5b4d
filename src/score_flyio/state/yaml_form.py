"""`state.yaml`: the project state in exactly the form of the Go score-flyio.

The Go tool refuses unknown keys, so what only this tool knows is in another file
(`deployments_form`). It knows `files` and `volumes` of a container as lists only, and leaves out
what is empty; loading a workload from the state upgrades the lists again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from score_flyio.base.place import Path
from score_flyio.errors import Problem, StateCorrupt
from score_flyio.state.model import ProjectState, WorkloadRecord
from score_flyio.yaml.writer import sorted_keys, write_yaml

if TYPE_CHECKING:
    from score_flyio.score.resources import JsonObject
    from score_flyio.state.deployments import DeploymentRecord
    from score_flyio.state.resources import ProvisionerDefinition, ResourceRecord
    from score_flyio.yaml.typed import Reader

_CODE: Final = "state_invalid"
_TOP: Final = ("workloads", "resources", "shared_state", "app_prefix", "provisioners")
_RESOURCE: Final = (
    "guid", "type", "class", "id", "metadata", "params", "source_workload", "provisioner", "state",
    "outputs",
)  # fmt: skip
_PROVISIONER: Final = ("id", "resource_type", "resource_class", "resource_id")


def dump_state(state: ProjectState) -> str:
    """The text of `state.yaml`; maps of names are sorted."""
    rest = {
        "shared_state": sorted_keys(state.shared),
        "app_prefix": state.app_prefix,
        "provisioners": [_dump_provisioner(item) for item in state.provisioners],
    }
    workloads = entries(
        state, "workloads", state.workloads, lambda w: {"spec": _go_form(w.spec), "file": w.file}
    )
    resources = entries(state, "resources", state.resources, _dump_resource)
    return "".join([*workloads, *resources, write_yaml(rest)])


_AnyRecord = TypeVar("_AnyRecord", "WorkloadRecord", "ResourceRecord", "DeploymentRecord")


def entries(
    state: ProjectState,
    name: str,
    records: Mapping[Any, _AnyRecord],
    dump: Callable[[_AnyRecord], JsonObject],
) -> Iterator[str]:
    """The text of a map of records; of one that is still the same it is taken from before."""
    yield f"{name}:\n" if records else f"{name}: {{}}\n"
    for key, record in sorted(
        ((str(key), record) for key, record in records.items()), key=itemgetter(0)
    ):
        place = f"{name} {key}"
        known, text = state.written.get(place, (None, ""))
        if known is not record:
            text = write_yaml({key: dump(record)}, "  ")
            state.written[place] = record, text
        yield text


def _dump_resource(record: ResourceRecord) -> JsonObject:
    document = {
        "guid": record.guid,
        "type": record.uid.type,
        "class": record.uid.class_,
        "id": record.uid.id,
        "metadata": sorted_keys(record.metadata or {}),
        "params": sorted_keys(record.params or {}),
        "source_workload": record.source_workload,
        "provisioner": record.provisioner,
        "state": sorted_keys(record.state),
    }
    return document | ({"outputs": sorted_keys(record.outputs)} if record.outputs else {})


def _dump_provisioner(item: ProvisionerDefinition) -> JsonObject:
    from score_flyio.state.resources import KEPT

    if item.spec.kind not in KEPT:
        raise TypeError(f"provisioner {item.id!r} is not one that a state can keep")
    served = {"resource_class": item.resource_class, "resource_id": item.resource_id}
    document: JsonObject = {"id": item.id, "resource_type": item.resource_type}
    document |= {key: value for key, value in served.items() if value is not None}
    return {**document, item.spec.kind: item.spec.as_json()}


def _go_form(document: JsonObject) -> JsonObject:
    """A Score document with lists instead of maps by target, and without empty parts."""
    form: JsonObject = _without_empty(document, "resources")
    if "service" in form:
        form["service"] = _without_empty(form["service"], "ports")
    for key, change in (("containers", _go_container), ("resources", _go_resource)):
        if isinstance(form.get(key), dict):
            form[key] = {name: change(item) for name, item in form[key].items()}
    return form


def _go_container(container: Any) -> Any:
    if not isinstance(container, dict):
        return container
    lists = {
        key: [{"target": target, **item} for target, item in container[key].items()]
        for key in ("files", "volumes")
        if isinstance(container.get(key), dict)
        and all(isinstance(item, dict) for item in container[key].values())
    }
    return _without_empty(container | lists, "command", "args", "variables", "files", "volumes")


def _go_resource(resource: Any) -> Any:
    return _without_empty(resource, "params", "metadata")


def _without_empty(value: Any, *keys: str) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if key not in keys or item not in ({}, [])}


def load_state(text: str, file: str) -> ProjectState:
    """The state that a text holds. Raises StateCorrupt that names every problem with its line."""
    # A command without a state has no YAML to read, and PyYAML takes long to import.
    from score_flyio.yaml.reader import YamlError, read_yaml
    from score_flyio.yaml.typed import Reader

    try:
        document = read_yaml(text, exact=True)
    except YamlError as error:
        problem = Problem(message=error.message, file=file, line=error.line, code=_CODE)
        raise _corrupt(file, [problem]) from error
    reader = Reader(document, file, _CODE, loose=True)
    if document.value is None:
        reader.wrong((), "is empty")
    top = reader.known(document.value, (), *_TOP)
    resources = reader.each(top.get("resources"), ("resources",), partial(_resource, reader))
    items = reader.items(top.get("provisioners"), ("provisioners",))
    read = [_provisioner(reader, path, item) for path, item in items]
    state = ProjectState(
        app_prefix=reader.text(top.get("app_prefix"), ("app_prefix",)),
        workloads=reader.each(top.get("workloads"), ("workloads",), partial(_workload, reader)),
        resources={record.uid: record for record in resources.values() if record is not None},
        shared=reader.object(top.get("shared_state"), ("shared_state",)),
        provisioners=tuple(definition for definition in read if definition is not None),
    )
    if reader.problems:
        raise _corrupt(file, reader.problems)
    return state


def _corrupt(file: str, problems: list[Problem]) -> StateCorrupt:
    lines = "; ".join(str(problem) for problem in problems)
    return StateCorrupt(
        f"the project state cannot be read: {lines}",
        problems=problems,
        hint=f"fix {file}, or restore a copy of it",
    )


def _workload(reader: Reader, path: Path, value: Any) -> WorkloadRecord:
    found = reader.known(value, path, "spec", "file")
    spec = reader.object(found.get("spec"), (*path, "spec"))
    file = reader.text(found.get("file"), (*path, "file"))
    return WorkloadRecord(spec=spec, file=file or None)


def _resource(reader: Reader, path: Path, value: Any) -> ResourceRecord | None:
    from score_flyio.score.resources import ResourceUid
    from score_flyio.state.resources import ResourceRecord

    found = reader.known(value, path, *_RESOURCE)
    try:
        uid = ResourceUid.parse(str(path[-1]))
    except ValueError as error:
        reader.wrong(path, str(error))
        return None
    read: dict[str, Any] = {}
    for key in ("guid", "source_workload", "provisioner"):
        read[key] = reader.text(found.get(key), (*path, key))
    for key in ("metadata", "params", "state", "outputs"):
        read[key] = reader.object(found.get(key), (*path, key))
    return ResourceRecord(uid=uid, **read)


def _provisioner(reader: Reader, path: Path, value: Any) -> ProvisionerDefinition | None:
    from score_flyio.state.resources import KEPT, ProvisionerDefinition

    needed = ("id", "resource_type")
    found = reader.known(value, path, *_PROVISIONER, *KEPT, needed=needed)
    kinds = [kind for kind in KEPT if found.get(kind) is not None]
    if len(kinds) != 1:
        if isinstance(value, dict | None):
            given = " and ".join(kinds) or "none"
            reader.wrong(path, f"needs exactly one of {', '.join(KEPT)}; it has {given}")
        return None
    (kind,) = kinds
    spec = KEPT[kind].read(reader, found[kind], (*path, kind))
    texts = {key: reader.text(found.get(key), (*path, key)) for key in _PROVISIONER}
    return ProvisionerDefinition(
        id=texts["id"],
        resource_type=texts["resource_type"],
        resource_class=texts["resource_class"] or None,
        resource_id=texts["resource_id"] or None,
        spec=spec,
    )
