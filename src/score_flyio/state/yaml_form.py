"""`state.yaml`: the project state in exactly the form of the Go score-flyio.

The Go tool refuses unknown keys, so what only this tool knows is in another file
(`deployments_form`).
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from score_flyio.errors import Problem, StateCorrupt
from score_flyio.resources.model import (
    CommandSpec,
    HttpSpec,
    InProcessSpec,
    JsonObject,
    ProvisionerDefinition,
    ProvisionerSpec,
    ResourceUid,
    StaticSpec,
)
from score_flyio.score.place import Path
from score_flyio.score.yaml import YamlError, read_yaml
from score_flyio.state.go_documents import go_form
from score_flyio.state.model import ProjectState, ResourceRecord, WorkloadRecord
from score_flyio.state.reading import Reader
from score_flyio.state.yaml_writer import write_yaml

_TOP = ("workloads", "resources", "shared_state", "app_prefix", "provisioners")
_RESOURCE = (
    "guid",
    "type",
    "class",
    "id",
    "metadata",
    "params",
    "source_workload",
    "provisioner",
    "state",
    "outputs",
)
_KINDS = ("cmd", "http", "static")


def dump_state(state: ProjectState) -> str:
    """The text of `state.yaml`; maps of names are sorted."""
    return write_yaml(
        {
            "workloads": {
                name: {"spec": go_form(record.spec), "file": record.file}
                for name, record in sorted(state.workloads.items())
            },
            "resources": {
                str(uid): _dump_resource(record) for uid, record in sorted(state.resources.items())
            },
            "shared_state": _sorted(state.shared),
            "app_prefix": state.app_prefix,
            "provisioners": [_dump_provisioner(item) for item in state.provisioners],
        }
    )


def _dump_resource(record: ResourceRecord) -> JsonObject:
    document = {
        "guid": record.guid,
        "type": record.uid.type,
        "class": record.uid.class_,
        "id": record.uid.id,
        "metadata": _sorted(record.metadata or {}),
        "params": _sorted(record.params or {}),
        "source_workload": record.source_workload,
        "provisioner": record.provisioner,
        "state": _sorted(record.state),
    }
    return document | ({"outputs": _sorted(record.outputs)} if record.outputs else {})


def _dump_provisioner(item: ProvisionerDefinition) -> JsonObject:
    document: JsonObject = {"id": item.id, "resource_type": item.resource_type}
    if item.resource_class is not None:
        document["resource_class"] = item.resource_class
    if item.resource_id is not None:
        document["resource_id"] = item.resource_id
    match item.spec:
        case CommandSpec(binary=binary, args=args):
            document["cmd"] = {"binary": binary, "args": list(args)}
        case InProcessSpec():
            raise TypeError(f"provisioner {item.id!r} is not one that a state can keep")
        case HttpSpec(url=url):
            document["http"] = {"url": url}
        case StaticSpec(values=values):
            document["static"] = _sorted(dict(values))
    return document


def _sorted(value: Any) -> Any:
    match value:
        case dict():
            return {key: _sorted(value[key]) for key in sorted(value)}
        case list():
            return [_sorted(item) for item in value]
        case _:
            return value


def load_state(text: str, file: str) -> ProjectState:
    """The state that a text holds. Raises StateCorrupt that names every problem with its line."""
    try:
        document = read_yaml(text)
    except YamlError as error:
        problem = Problem(message=error.message, file=file, line=error.line, code="state_invalid")
        raise _corrupt(file, [problem]) from error
    reader = Reader(document, file)
    if not isinstance(document.value, dict):
        reader.wrong((), "is empty or not a map")
    state = _State(reader).read(document.value)
    if reader.problems:
        raise _corrupt(file, reader.problems)
    return state


def _corrupt(file: str, problems: list[Problem]) -> StateCorrupt:
    lines = "; ".join(str(problem) for problem in problems)
    return StateCorrupt(
        f"the project state cannot be read: {lines}",
        problems=problems,
        hint=f"mend {file}, or bring back a copy of it",
    )


@frozen(eq=False, repr=False)
class _State:
    reader: Reader

    def read(self, value: Any) -> ProjectState:
        reader = self.reader
        top = reader.known(value, (), *_TOP)
        resources = reader.each(top.get("resources"), ("resources",), self._resource)
        items = reader.items(top.get("provisioners"), ("provisioners",))
        read = [self._provisioner(path, item) for path, item in items]
        return ProjectState(
            app_prefix=reader.text(top.get("app_prefix"), ("app_prefix",)),
            workloads=reader.each(top.get("workloads"), ("workloads",), self._workload),
            resources={record.uid: record for record in resources.values() if record is not None},
            shared=reader.object(top.get("shared_state"), ("shared_state",)),
            provisioners=tuple(definition for definition in read if definition is not None),
        )

    def _workload(self, path: Path, value: Any) -> WorkloadRecord:
        found = self.reader.known(value, path, "spec", "file")
        spec = self.reader.object(found.get("spec"), (*path, "spec"))
        file = self.reader.text(found.get("file"), (*path, "file"))
        return WorkloadRecord(spec=spec, file=file or None)

    def _resource(self, path: Path, value: Any) -> ResourceRecord | None:
        reader = self.reader
        found = reader.known(value, path, *_RESOURCE)
        try:
            uid = ResourceUid.parse(str(path[-1]))
        except ValueError as error:
            reader.wrong(path, str(error))
            return None

        def text(key: str) -> str:
            return reader.text(found.get(key), (*path, key))

        def object_(key: str) -> JsonObject:
            return reader.object(found.get(key), (*path, key))

        return ResourceRecord(
            uid=uid,
            guid=text("guid"),
            metadata=object_("metadata"),
            params=object_("params"),
            source_workload=text("source_workload"),
            provisioner=text("provisioner"),
            state=object_("state"),
            outputs=object_("outputs"),
        )

    def _provisioner(self, path: Path, value: Any) -> ProvisionerDefinition | None:
        reader = self.reader
        keys = ("id", "resource_type", "resource_class", "resource_id", *_KINDS)
        found = reader.known(value, path, *keys)
        id_ = reader.required(found, "id", path)
        type_ = reader.required(found, "resource_type", path)
        spec = self._spec(found, path)
        if spec is None:
            return None
        return ProvisionerDefinition(
            id=id_,
            resource_type=type_,
            resource_class=reader.text(found.get("resource_class"), path) or None,
            resource_id=reader.text(found.get("resource_id"), path) or None,
            spec=spec,
        )

    def _spec(self, found: dict[str, Any], path: Path) -> ProvisionerSpec | None:
        kinds = [kind for kind in _KINDS if found.get(kind) is not None]
        if len(kinds) != 1:
            given = " and ".join(kinds) or "none"
            self.reader.wrong(path, f"needs exactly one of {', '.join(_KINDS)}; it has {given}")
            return None
        kind = kinds[0]
        place = (*path, kind)
        match kind:
            case "cmd":
                body = self.reader.known(found[kind], place, "binary", "args")
                args = self.reader.items(body.get("args"), (*place, "args"))
                return CommandSpec(
                    binary=self.reader.required(body, "binary", place),
                    args=tuple(self.reader.text(item, at) for at, item in args),
                )
            case "http":
                body = self.reader.known(found[kind], place, "url")
                return HttpSpec(url=self.reader.required(body, "url", place))
            case _:
                return StaticSpec(values=self.reader.object(found[kind], place))
