"""What a recorded value means for this project, and how values are compared."""

from __future__ import annotations

import base64
import json
import math
import re
from pathlib import Path
from typing import Any

import yaml

from score_flyio.engine.project import SAMPLE
from tests.conformance.score.case import Case, Outcome, option
from tests.unit.engine.test_secrets_file import flyctl_reads

EARLY = {
    "placeholder_invalid",
    "unsupported_feature",
    "annotation_unknown",
    "annotation_invalid",
    "resource_quantity_invalid",
    "file_unreadable",
    "file_not_utf8",
}
"""Problems that are found before anything is provisioned: the state stays as it was."""

USAGE = {
    "cli_usage",
    "not_initialised",
    "init_prefix_missing",
    "init_prefix_conflict",
    "score_file_unreadable",
    "score_file_undecodable",
    "override_file_invalid",
    "override_property_invalid",
    "schema_invalid",
    "resource_reference_unknown",
    "provisioner_definition_invalid",
    "secrets_file_unwritable",
    "app_name_invalid",
    "provisioner_not_found",
    "resource_conflict",
    "resource_cycle",
    "deprovision_unknown_resource",
    *EARLY,
}
"""Wrong input: exit code 2; everything else that fails is 1."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CPU_COUNTS = (1, 2, 4, 6, 8)
_MOST_MIB_A_CPU = 2048
_UNITS = {
    "": 1,
    **{unit: 1000 ** (n + 1) for n, unit in enumerate("KMGTPE")},
    **{f"{unit}i": 1024 ** (n + 1) for n, unit in enumerate("KMGTPE")},
}
_MAY_BE_ABSENT = {"params", "metadata", "state", "outputs", "args"}


def exit_code(category: str | None) -> int:
    if category is None:
        return 0
    return 2 if category in USAGE else 1


def marked(outcome: Outcome, value: Any) -> Any:
    """The value with guids, folder and address replaced by the marks of the recordings."""
    text = json.dumps(value)
    for uid, resource in ((outcome.state or {}).get("resources") or {}).items():
        text = text.replace(resource["guid"], f"{{{{GUID:{uid}}}}}")
    text = _UUID.sub("{{GUID}}", text.replace(str(outcome.folder), "{{CWD}}"))
    if outcome.address is not None:
        text = text.replace(outcome.address, "{{HTTP}}")
    return json.loads(text)


def state_form(state: Any) -> Any:
    """A state document without specs; what may be absent when empty is left out."""
    if state is None:
        return None
    form = dict(state)
    form["workloads"] = {
        name: {key: item for key, item in record.items() if key != "spec"}
        for name, record in (state.get("workloads") or {}).items()
    }
    return _without_empty(form)


def _without_empty(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: _without_empty(item)
                for key, item in value.items()
                if not (key in _MAY_BE_ABSENT and item in (None, {}, []))
            }
        case list():
            return [_without_empty(item) for item in value]
        case _:
            return value


def specs_form(specs: Any) -> Any:
    """Score documents with files and volumes as lists, however they are stored."""
    form = json.loads(json.dumps(specs or {}))
    for spec in form.values():
        for container in spec["containers"].values():
            for key in ("files", "volumes"):
                if isinstance(container.get(key), dict):
                    container[key] = [{"target": t, **i} for t, i in container[key].items()]
    return form


def toml_form(document: dict[str, Any]) -> dict[str, Any]:
    """A fly.toml whose services are in the order of the recordings."""
    form = dict(document)
    if isinstance(form.get("vm"), list) and len(form["vm"]) == 1:
        form["vm"] = form["vm"][0]
    if "services" in form:
        form["services"] = sorted(form["services"], key=_service_key)
    return form


def _service_key(service: dict[str, Any]) -> tuple[int, str, int]:
    ports = [port.get("port", 0) for port in service.get("ports", [{}])]
    return (ports[0], service.get("protocol", ""), service.get("internal_port", 0))


def expected_tomls(case: Case, outcome: Outcome) -> dict[str, Any]:
    """The recorded fly.toml files, with this project's rules for file contents and sizes."""
    tomls = json.loads(json.dumps(case.expected["fly_toml"] or {}))
    specs = case.expected["workload_specs"] or {}
    for name, document in tomls.items():
        for file in document.get("files", ()):
            _plain_content(file, outcome.folder)
        if "vm" in document:
            spec = specs.get(name.removeprefix("fly_").removesuffix(".toml"))
            if spec is not None:
                document["vm"] = size(spec)
    return dict(tomls)


def _plain_content(file: dict[str, Any], folder: Path) -> None:
    if "raw_value" not in file:
        return
    data = base64.b64decode(file.pop("raw_value"))
    try:
        text = data.decode()
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
        file["raw_value"] = text
    except (UnicodeDecodeError, AssertionError):
        (match,) = [p for p in folder.rglob("*") if p.is_file() and p.read_bytes() == data]
        file["local_path"] = str(match.relative_to(folder))


def size(spec: dict[str, Any]) -> dict[str, Any]:
    """The `[vm]` for the resources of the only container of a Score document."""
    (container,) = spec["containers"].values()
    cpu, memory = _demand(container)
    cpus = next(count for count in _CPU_COUNTS if count >= math.ceil(cpu))
    mib = max(math.ceil(memory / (256 * 1024**2)), cpus) * 256
    return {"cpus": cpus, "memory": f"{mib}MB"}


def no_machine_has(case: Case) -> bool:
    """Whether a recorded size is one that this project refuses, as no machine of Fly has it."""
    for spec in (case.expected["workload_specs"] or {}).values():
        containers = spec["containers"].values()
        demands = [_demand(container) for container in containers if "resources" in container]
        for cpu, memory in demands:
            cpus = next((count for count in _CPU_COUNTS if count >= math.ceil(cpu)), 0)
            if math.ceil(memory / (256 * 1024**2)) * 256 > cpus * _MOST_MIB_A_CPU or not cpus:
                return True
    return False


def _demand(container: dict[str, Any]) -> tuple[float, float]:
    both = [container["resources"].get(kind) or {} for kind in ("requests", "limits")]
    cpu = max(_cpu(quantities.get("cpu", "0")) for quantities in both)
    memory = max(_bytes(quantities.get("memory", "0")) for quantities in both)
    return cpu, memory


def _cpu(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def _bytes(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text)
    assert match
    return float(match[1]) * float(_UNITS[match[2]])


def files_form(files: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    """Other files; the sample Score file counts as one, whichever tool wrote it.

    Only recordings that are about the sample have it.
    """
    form = {name: "{{SAMPLE}}" if is_sample(item) else item for name, item in files.items()}
    kept = {*recorded, *(name for name, item in form.items() if item != "{{SAMPLE}}")}
    return {name: item for name, item in form.items() if name in kept}


def is_sample(document: Any) -> bool:
    ours = yaml.safe_load(SAMPLE)
    older = json.loads(json.dumps(ours))
    del older["metadata"]["annotations"]
    older["service"]["ports"]["web"] = {"port": 8080}
    return document in (ours, older)


def secrets_of(outcome: Outcome) -> dict[str, str] | None:
    path = outcome.secrets_path
    return None if path is None else flyctl_reads(path.read_text())


def stdout_form(argv: list[str], text: str) -> Any:
    """What counts of a command's stdout."""
    if argv[:2] == ["resources", "list"]:
        return [line.split()[0] for line in text.splitlines()[1:]]
    if argv[:2] == ["provisioners", "list"]:
        return re.findall(r"^\[\d+\]: (\S+)", text, re.MULTILINE)
    if option(argv, "--secrets-file") is not None:
        return flyctl_reads(text)
    return text
