"""The platform's `/graphql`: the part of its schema that flyctl uses.

Names of types and fields are those of the public schema; the answers come from the same world as
those of the Machines API. graphql-core parses and executes; it is imported at the first request.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from fly_emulator.calls import Call, Interface
from fly_emulator.wire import ApiRequest, Outcome, Refusal

INSTALL: Final = "pip install 'score-flyio[emulator]'"
"""What brings the package that executes the documents."""


def is_installed() -> bool:
    """Whether documents can be executed."""
    try:
        return find_spec("graphql") is not None
    except ValueError:
        return False


class GraphQL(Interface):
    """The interface at `/graphql`."""

    prefix = "/graphql"

    def name(self, request: ApiRequest) -> str:  # noqa: ARG002  # one name for all documents
        return "GraphQL"

    def handle(self, call: Call) -> Outcome:
        request = call.request
        if request.method != "POST" or request.path.rstrip("/") != self.prefix:
            raise Refusal(404, f"no such path: {request.method} {request.path}")
        try:
            from fly_emulator.graphql.execution import execute
        except ModuleNotFoundError as error:
            if error.name != "graphql":
                raise
            raise Refusal(501, f"GraphQL needs graphql-core: {INSTALL}") from error
        return execute(call)
