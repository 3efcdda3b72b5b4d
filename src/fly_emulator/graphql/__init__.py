"""The platform's `/graphql`: the part of its schema that flyctl uses.

Names of types and fields are those of the public schema; the answers come from the same world as
those of the Machines API. graphql-core parses and executes; it is imported at the first request.
"""

from __future__ import annotations

from fly_emulator.graphql.interface import INSTALL, GraphQL, is_installed

__all__ = ["INSTALL", "GraphQL", "is_installed"]
