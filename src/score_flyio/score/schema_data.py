"""The Score schema, version v1b1, as JSON Schema 2020-12: structure, patterns and limits.

It describes documents after the upgrade of deprecated forms (`upgrade.py`): `files` and `volumes`
are maps by target. A `description` says in words what its pattern means.
Source of the facts: https://github.com/score-spec/spec.
"""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]


def _closed(*required: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _map(values: Schema, keys: Schema | None = None, **more: Any) -> Schema:
    names = {} if keys is None else {"propertyNames": keys}
    return {"type": "object", "additionalProperties": values, **names, **more}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _enum(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _named(pattern: str, description: str, longest: int = 63) -> Schema:
    return {
        "type": "string",
        "minLength": 2,
        "maxLength": longest,
        "pattern": pattern,
        "description": description,
    }


def _text(pattern: str, description: str) -> Schema:
    return {"type": "string", "pattern": pattern, "description": description}


TEXT: Final[Schema] = {"type": "string"}
FILLED: Final[Schema] = {"type": "string", "minLength": 1}
FLAG: Final[Schema] = {"type": "boolean"}
OPEN: Final[Schema] = {"type": "object"}
PORT_NUMBER: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 65535}

LABEL: Final = _named(
    "^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$",
    "2 to 63 of a-z, 0-9 and -, with a letter or digit first and last",
)
TYPE: Final = _named(
    "^[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]$",
    "2 to 63 letters, digits and -, with a letter or digit first and last",
)
RESOURCE_ID: Final = _named(
    r"^[a-z0-9]+(?:-+[a-z0-9]+)*(?:\.[a-z0-9]+(?:-+[a-z0-9]+)*)*$",
    "2 to 63 of a-z, 0-9, - and ., where each part between dots starts and ends with a letter or "
    "digit",
)
ANNOTATION_KEY: Final = _named(
    r"^(([a-z0-9][a-z0-9-]{0,61}[a-z0-9])(\.[a-z0-9][a-z0-9-]{0,61}[a-z0-9])*/)?"
    "[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]$",
    "a name of 2 to 63 letters, digits, -, _ and ., after an optional domain name and /",
    longest=316,
)
MEMORY: Final = _text(
    r"^(0\.\d+|[1-9]\d*(\.\d+)?)(K|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
    'a quantity of memory such as "512Mi", "1.5G" or "256000000"',
)
CPU: Final = _text(r"^\d+(?:m|\.\d+)?$", 'a number of CPUs such as "2", "0.5" or "250m"')
MODE: Final = _text("^0?[0-7]{3}$", 'an octal file mode such as "0644"')
HEADER: Final = _text("^[A-Za-z0-9_-]+$", "a header name of letters, digits, - and _")
VARIABLE: Final = _text("^[^=]+$", 'a variable name, not empty and without "="')

_HTTP_PROBE: Final = _closed(
    "path",
    "port",
    path=TEXT,
    port=PORT_NUMBER,
    host=FILLED,
    scheme=_enum("HTTP", "HTTPS"),
    httpHeaders=_list(_closed("name", "value", name=HEADER, value=FILLED)),
)
_PROBE: Final = {
    **_closed(httpGet=_HTTP_PROBE, exec=_closed("command", command=_list(TEXT))),
    "anyOf": [{"required": [key]} for key in ("httpGet", "exec")],
}

_FILE: Final = {
    **_closed(mode=MODE, source=FILLED, content=TEXT, binaryContent=TEXT, noExpand=FLAG),
    "oneOf": [{"required": [key]} for key in ("content", "binaryContent", "source")],
}
_VOLUME: Final = _closed("source", source=TEXT, path=TEXT, readOnly=FLAG)
_QUANTITIES: Final = _closed(memory=MEMORY, cpu=CPU)
_READY: Final = _closed("ready", ready=_enum("started", "healthy", "complete"))

_CONTAINER: Final = _closed(
    "image",
    image=FILLED,
    command=_list(TEXT),
    args=_list(TEXT),
    variables=_map(TEXT, VARIABLE),
    files=_map(_FILE),
    volumes=_map(_VOLUME),
    before=_map(_READY, LABEL),
    resources=_closed(limits=_QUANTITIES, requests=_QUANTITIES),
    livenessProbe=_PROBE,
    readinessProbe=_PROBE,
)
_PORT: Final = _closed(
    "port", port=PORT_NUMBER, protocol=_enum("TCP", "UDP"), targetPort=PORT_NUMBER
)
_ANNOTATIONS: Final = _map(TEXT, ANNOTATION_KEY)
_RESOURCE: Final = _closed(
    "type",
    type=TYPE,
    id=RESOURCE_ID,
    metadata={"type": "object", "properties": {"annotations": _ANNOTATIONS}},
    params=OPEN,
    **{"class": TYPE},
)

SCHEMA: Final[Schema] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_closed(
        "apiVersion",
        "metadata",
        "containers",
        apiVersion=_text(r"^score\.dev/v1b1$", '"score.dev/v1b1"'),
        metadata={
            "type": "object",
            "properties": {"name": LABEL, "annotations": _ANNOTATIONS},
            "required": ["name"],
        },
        containers=_map(_CONTAINER, LABEL, minProperties=1),
        service=_closed(ports=_map(_PORT, LABEL)),
        resources=_map(_RESOURCE, LABEL),
    ),
}
