"""Executes documents against the schema; errors carry `extensions.code` as the platform's do."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

from graphql import (
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    graphql_sync,
)

from fly_emulator.calls import Call, want_text
from fly_emulator.graphql.roots import root
from fly_emulator.records import Json
from fly_emulator.wire import Refusal

_PARTS: Final = ("roots", "apps", "organizations")
_CODES: Final = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    422: "UNPROCESSABLE",
    501: "NOT_IMPLEMENTED",
}


@cache
def schema() -> GraphQLSchema:
    """The types of the schema files."""
    folder = files("fly_emulator.graphql")
    parts = (folder.joinpath(f"{name}.graphql").read_text("utf-8") for name in _PARTS)
    return build_schema("\n".join(parts))


def execute(call: Call) -> Json:
    """The answer to the document of a request.

    Raises Refusal: the body has no document, or something else beside it than variables.
    """
    body = call.body()
    query, variables = want_text(body, "query"), body.get("variables") or {}
    operation = body.get("operationName") or None
    if not isinstance(variables, dict):
        raise Refusal(400, "variables is not a JSON object")
    if operation is not None and not isinstance(operation, str):
        raise Refusal(400, "operationName is not a text")
    try:
        result = graphql_sync(
            schema(),
            query,
            root_value=root(call),
            variable_values=variables,
            operation_name=operation,
            field_resolver=_value,
        )
    except RecursionError:
        return {"data": None, "errors": [{"message": "the document is nested too deeply"}]}
    document: Json = {"data": result.data}
    if result.errors:
        document["errors"] = [_error(error) for error in result.errors]
    return document


def _value(source: Json, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """The value of a field, which the documents of the other interfaces have by its other name."""
    name = info.field_name
    value = source.get(name, source.get(_in_documents(name)))
    if value is None and info.parent_type is info.schema.mutation_type:
        raise Refusal(501, f"the emulator does not have {name}")
    return value(**arguments) if callable(value) else value


@cache
def _in_documents(name: str) -> str:
    return re.sub("[A-Z]", r"_\g<0>", name).lower()


def _error(error: GraphQLError) -> dict[str, Any]:
    """An error as it is sent; a fault of the emulator itself is raised again."""
    cause = error.original_error
    document: dict[str, Any] = dict(error.formatted)
    if isinstance(cause, Refusal):
        document["extensions"] = {"code": _CODES.get(cause.status, "SERVER_ERROR")}
    elif cause is not None and not isinstance(cause, GraphQLError):
        raise cause
    return document
