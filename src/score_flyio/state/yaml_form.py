"""`state.yaml`: the project state in exactly the form of the Go score-flyio.

The Go tool refuses unknown keys, so what only this tool knows is in another file
(`deployments_form`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from score_flyio.base.place import Path
from score_flyio.errors import Problem, StateCorrupt
from score_flyio.state.go_documents import go_form
from score_flyio.state.model import ProjectState, WorkloadRecord
from score_flyio.state.reading import Reader
from score_flyio.yaml.reader import YamlError, read_yaml
from score_flyio.yaml.writer import sorted_keys, write_yaml

if TYPE_CHECKING:
    from score_flyio.resources.definition import ProvisionerDefinition
    from score_flyio.score.resources import JsonObject
    from score_flyio.state.resources import ResourceRecord

_TOP = ("workloads", "resources", "shared_state", "app_prefix", "provisioners")


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
            "shared_state": sorted_keys(state.shared),
            "app_prefix": state.app_prefix,
            "provisioners": [_dump_provisioner(item) for item in state.provisioners],
        }
    )


def _dump_resource(record: ResourceRecord) -> JsonObject:
    from score_flyio.state.resources_form import dump_resource

    return dump_resource(record)


def _dump_provisioner(item: ProvisionerDefinition) -> JsonObject:
    from score_flyio.state.provisioners_form import dump_provisioner

    return dump_provisioner(item)


def load_state(text: str, file: str) -> ProjectState:
    """The state that a text holds. Raises StateCorrupt that names every problem with its line."""
    try:
        document = read_yaml(text, exact=True)
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
        hint=f"fix {file}, or restore a copy of it",
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
        from score_flyio.state.resources_form import read_resource

        return read_resource(self.reader, path, value)

    def _provisioner(self, path: Path, value: Any) -> ProvisionerDefinition | None:
        from score_flyio.state.provisioners_form import read_provisioner

        return read_provisioner(self.reader, path, value)
