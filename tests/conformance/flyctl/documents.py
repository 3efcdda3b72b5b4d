"""GraphQL documents as text, from the data that a transcript has of them."""

from __future__ import annotations

from typing import Any

from attrs import define, field


@define
class Selection:
    """A field with its arguments and what is selected below it."""

    arguments: dict[str, str] = field(factory=dict)
    below: dict[str, Selection] = field(factory=dict)

    def text(self) -> str:
        inner = " ".join(
            f"{name.replace(':', ': ', 1)}{selection.text()}"
            for name, selection in self.below.items()
        )
        given = ", ".join(f"{name}: {value}" for name, value in self.arguments.items())
        return (f"({given})" if given else "") + (f" {{ {inner} }}" if inner else "")


def document(request: dict[str, Any]) -> dict[str, Any]:
    """The body that flyctl posts; the operation's name is left out when it is empty."""
    top = Selection()
    for path in (*request["fields"], *request["arguments"]):
        at = top
        for part in path.split("."):
            at = at.below.setdefault(part, Selection())
    for path, arguments in request["arguments"].items():
        at = top
        for part in path.split("."):
            at = at.below[part]
        at.arguments = arguments
    body = {
        "query": f"{request['kind']} {request['operation']}{_variables(request)}{top.text()}",
        "variables": request["variables"],
    }
    return body | ({"operationName": request["operation"]} if request["operation"] else {})


def _variables(request: dict[str, Any]) -> str:
    defaults = request.get("defaults") or {}
    declared = [
        f"${name}: {kind}" + (f" = {defaults[name]}" if name in defaults else "")
        for name, kind in request["types"].items()
    ]
    return f"({', '.join(declared)})" if declared else ""
