"""Whatever is selected of the schema, by whatever names, there is an answer of that shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_interface_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fly_emulator import EmulatorSettings, World, lifecycle
from fly_emulator.calls import Call
from fly_emulator.graphql.execution import execute, schema
from fly_emulator.graphql.mutations import MUTATIONS
from fly_emulator.handlers import HANDLERS
from fly_emulator.settings import Principal
from fly_emulator.wire import ApiRequest, Execution, Waiting, answered
from tests.emulator.client import CONFIG

NOW = 1_700_000_000.0
ABSENT = {"addOn", "wireGuardPeer"}
"""What the emulator never has."""


def asked(world: World, query: str, **variables: Any) -> Any:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = ApiRequest(method="POST", path="/graphql", body=body)
    return execute(
        Call(
            world=world,
            request=request,
            operation="Apps_list",
            path={},
            principal=Principal(),
            now=NOW + 10,
            seen=world.sequence,
        )
    )


def rest(world: World, operation: str, body: Any, **path: str) -> Any:
    answer = HANDLERS[operation](
        Call(
            world=world,
            request=ApiRequest(method="POST", path="/", body=json.dumps(body).encode()),
            operation=operation,
            path={"app_name": "shop", **path},
            principal=Principal(),
            now=NOW,
            seen=world.sequence,
        )
    )
    assert not isinstance(answer, Waiting | Execution)
    return answered(answer).document


def furnished() -> tuple[World, dict[str, str]]:
    """A world with one of everything, and values for the arguments of the schema."""
    world = World(settings=EmulatorSettings())
    rest(world, "Apps_create", {"name": "shop"})
    volume = rest(world, "Volumes_create", {"name": "data"})["id"]
    rest(world, "Volumes_create_snapshot", {}, volume_id=volume)
    machine = rest(world, "Machines_create", {"config": CONFIG})["id"]
    for kind in ("v4", "v6", "shared_v4", "private_v6"):
        rest(world, "App_IPAssignments_create", {"type": kind, "network": "default"})
    rest(world, "App_Certificates_acme_create", {"hostname": "a.example.com"})
    rest(world, "Secrets_update", {"values": {"A": "b"}})
    rest(world, "App_create_deploy_token", {})
    lifecycle.advance(world, NOW + 10)
    allocate = """mutation($m: ID) { allocateEgressIpAddress(
      input: {appId: "shop", machineId: $m, region: "iad"}) { v4 } }"""
    for holder in (machine, ""):
        assert "errors" not in asked(world, allocate, m=holder)
    return world, {
        "name": '"shop"',
        "slug": '"personal"',
        "id": f'"{volume}"',
        "machineId": f'"{machine}"',
        "ref": '"nginx:1.25"',
        "image": '"nginx"',
        "repository": '"flyio/postgres-flex"',
        "providerName": '"x"',
    }


def everything(kind: GraphQLNamedType, given: dict[str, str], depth: int) -> str:
    """All fields of a type, and of the types below it."""
    parts = ["__typename"]
    assert hasattr(kind, "fields")
    for name, field in kind.fields.items():
        selected = selection(field, given, depth)
        if selected is not None:
            parts.append(f"{kind.name}_{name}: {name}{arguments(name, field, given)}{selected}")
    if is_interface_type(kind):
        parts += [
            f"... on {one.name} {{ {everything(one, given, depth)} }}"
            for one in schema().get_possible_types(kind)
        ]
    return " ".join(parts)


def selection(field: GraphQLField, given: dict[str, str], depth: int) -> str | None:
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    return f" {{ {everything(kind, given, depth - 1)} }}" if depth else None


def arguments(name: str, field: GraphQLField, given: dict[str, str]) -> str:
    wanted = {
        key: given[key]
        for key, argument in field.args.items()
        if is_required_argument(argument)
        or (key == "slug" and name == "organization")
        or (key == "name" and name == "app")
    }
    inner = ", ".join(f"{key}: {value}" for key, value in wanted.items())
    return f"({inner})" if inner else ""


def test_everything_can_be_asked_for() -> None:
    world, given = furnished()
    roots = schema().query_type
    assert roots is not None
    for name, field in roots.fields.items():
        selected = selection(field, given, 4)
        answer = asked(world, f"{{ {name}{arguments(name, field, given)}{selected} }}")
        refused = {error["path"][-1].split("_")[-1] for error in answer.get("errors", ())}
        assert refused <= ABSENT, (name, answer["errors"])
        if name not in ABSENT:
            assert answer["data"][name] is not None, name


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_anything_can_be_asked_for(data: st.DataObject) -> None:
    world, given = furnished()
    roots = schema().query_type
    assert roots is not None

    def chosen(kind: GraphQLNamedType, depth: int) -> str:
        assert isinstance(kind, GraphQLObjectType) or is_interface_type(kind)
        fields = {
            name: field
            for name, field in kind.fields.items()
            if depth or is_leaf_type(get_named_type(field.type))
        }
        if not fields:
            return "__typename"
        names = data.draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=3))
        parts = []
        for index, name in enumerate(names):
            below = get_named_type(fields[name].type)
            inner = "" if is_leaf_type(below) else f" {{ {chosen(below, depth - 1)} }}"
            parts.append(f"a{index}: {name}{values(fields[name])}{inner}")
        return " ".join(parts)

    def values(field: GraphQLField) -> str:
        drawn = []
        for name, argument in field.args.items():
            if is_required_argument(argument) or data.draw(st.booleans()):
                nullable = not isinstance(argument.type, GraphQLNonNull)
                options = [given.get(name, '""'), '"no such thing"', *["null"] * nullable]
                kind = get_named_type(argument.type).name
                plain = {"Int": ["0", "-1", "2", "null"], "Boolean": ["true", "null"]}
                drawn.append(f"{name}: {data.draw(st.sampled_from(plain.get(kind, options)))}")
        return f"({', '.join(drawn)})" if drawn else ""

    answer = asked(world, f"{{ {chosen(roots, 3)} }}")
    for error in answer.get("errors", ()):
        assert error["extensions"]["code"] == "NOT_FOUND", error


def mutation_names() -> set[str]:
    found = schema().mutation_type
    assert found is not None
    return set(found.fields)


def test_every_mutation_that_is_done_is_in_the_schema() -> None:
    assert mutation_names() > {*MUTATIONS, "deleteApp"}


@pytest.mark.parametrize("name", sorted(mutation_names() - {*MUTATIONS, "deleteApp"}))
def test_every_other_mutation_says_that_it_does_nothing(name: str) -> None:
    world, _ = furnished()
    wish = '{organizationId: "x", name: "y", pubkey: "z"}'
    answer = asked(world, f"mutation {{ {name}(input: {wish}) {{ __typename }} }}")
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "NOT_IMPLEMENTED"
    assert name in error["message"]


@pytest.mark.parametrize("field", ["nothing", "viewer { nothing }", "app { id { deep } }"])
def test_what_the_schema_does_not_have_is_said(field: str) -> None:
    world, _ = furnished()
    answer = asked(world, f"{{ {field} }}")
    assert answer["data"] is None
    assert all(error["message"] and error["locations"] for error in answer["errors"])
