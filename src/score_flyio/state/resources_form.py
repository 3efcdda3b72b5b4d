"""Resources as `state.yaml` has them."""

from __future__ import annotations

from typing import Any

from score_flyio.base.place import Path
from score_flyio.score.resources import JsonObject, ResourceUid
from score_flyio.state.reading import Reader
from score_flyio.state.resources import ResourceRecord
from score_flyio.yaml.writer import sorted_keys

_KEYS = (
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


def dump_resource(record: ResourceRecord) -> JsonObject:
    """A resource as a map."""
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


def read_resource(reader: Reader, path: Path, value: Any) -> ResourceRecord | None:
    """The resource that a map holds; what is wrong goes to the reader's problems."""
    found = reader.known(value, path, *_KEYS)
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
