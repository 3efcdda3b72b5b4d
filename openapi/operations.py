"""The operations of an OpenAPI document as the data that `operations.jinja2` needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

METHODS = ("get", "put", "post", "delete", "patch")
REF = "#/components/schemas/"
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


@frozen(kw_only=True)
class Parameter:
    """One parameter of an operation."""

    wire: str
    name: str
    type: str
    required: bool
    description: str
    prefix: str | None = None
    """The parameter is a mapping; each key is sent with this before it."""

    @property
    def declaration(self) -> str:
        return (
            f"{self.name}: {self.type}"
            if self.required
            else f"{self.name}: {self.type} | None = None"
        )


@frozen(kw_only=True)
class OperationView:
    """One operation as the template sees it."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    success: tuple[int, ...]
    response: str
    body: str | None
    body_required: bool
    path_parameters: tuple[Parameter, ...]
    query_parameters: tuple[Parameter, ...]
    header_parameters: tuple[Parameter, ...]

    @property
    def name(self) -> str:
        return snake(self.id)

    @property
    def constant(self) -> str:
        return self.name.upper()

    @property
    def keywords(self) -> list[Parameter]:
        """Keyword-only parameters, the required ones first."""
        both = (*self.query_parameters, *self.header_parameters)
        return sorted(both, key=lambda parameter: not parameter.required)


def operations(document: dict[str, Any]) -> Iterator[OperationView]:
    """All operations, in the order of the document."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(path, method, item[method])


def _operation(path: str, method: str, node: dict[str, Any]) -> OperationView:
    parameters = node.get("parameters", [])
    body = node.get("requestBody")
    good = {int(code): answer for code, answer in node["responses"].items() if code.startswith("2")}
    return OperationView(
        id=node["operationId"],
        method=method.upper(),
        path=path,
        tag=node["tags"][0],
        summary=node["summary"],
        description=node.get("description", ""),
        success=tuple(sorted(good)),
        response=_content_type(good[min(good)].get("content", {})) or "None",
        body=_content_type(body["content"]) if body else None,
        body_required=bool(body and body.get("required")),
        path_parameters=_parameters(parameters, "path"),
        query_parameters=_parameters(parameters, "query"),
        header_parameters=_parameters(parameters, "header"),
    )


def _parameters(nodes: list[dict[str, Any]], where: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            wire=node["name"],
            name=snake(node["name"]),
            type=python_type(node["schema"], argument=True),
            required=bool(node.get("required")),
            description=node.get("description", ""),
            prefix=node.get("x-query-prefix"),
        )
        for node in nodes
        if node["in"] == where
    )


def _content_type(content: dict[str, Any]) -> str | None:
    if not content:
        return None
    media = content.get("application/json") or next(iter(content.values()))
    return python_type(media["schema"])


def python_type(schema: dict[str, Any], *, argument: bool = False) -> str:
    """The annotation for a schema; for an argument, read-only collections."""
    if "$ref" in schema:
        return f"models.{class_name(schema['$ref'].removeprefix(REF))}"
    if "enum" in schema:
        return "Literal[" + ", ".join(f'"{value}"' for value in schema["enum"]) + "]"
    kind = schema["type"]
    if kind == "array":
        item = python_type(schema["items"], argument=argument)
        return f"Sequence[{item}]" if argument else f"list[{item}]"
    if kind == "object":
        value = python_type(schema["additionalProperties"], argument=argument)
        return f"Mapping[str, {value}]" if argument else f"dict[str, {value}]"
    return SCALARS[kind]


def class_name(schema: str) -> str:
    """The class made of a schema: `fly.MachineConfig` → `FlyMachineConfig`."""
    return "".join(part[:1].upper() + part[1:] for part in schema.split("."))


def snake(name: str) -> str:
    """`App_IPAssignments_list` → `app_ip_assignments_list`, `fly-machine` → `fly_machine`."""
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name.replace("-", "_"))
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", spaced).lower()
