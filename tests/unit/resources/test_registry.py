"""Which provisioner serves a resource, and those that installed packages bring."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest
from attrs import evolve

from score_flyio.errors import ConfigError, NoProvisionerError, ProvisionFailed
from score_flyio.resources.kinds.command import CommandProvisioner
from score_flyio.resources.kinds.http import HttpProvisioner
from score_flyio.resources.kinds.static import StaticProvisioner
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.resources.registry import ENTRY_POINTS, Registry
from score_flyio.state.resources import (
    CommandSpec,
    HttpSpec,
    InProcessSpec,
    ProvisionerDefinition,
    StaticSpec,
)
from tests.unit.resources.conftest import Fake, uid


def definition(
    id_: str, type_: str, class_: str | None = None, res_id: str | None = None
) -> ProvisionerDefinition:
    return ProvisionerDefinition(
        id=id_,
        resource_type=type_,
        resource_class=class_,
        resource_id=res_id,
        spec=StaticSpec(values={"by": id_}),
    )


LIST = (
    definition("exact", "pg", "big", "w.db"),
    definition("big", "pg", "big"),
    definition("one", "pg", None, "w.db"),
    definition("any", "pg"),
    definition("late", "pg", "small"),
)


@pytest.mark.parametrize(
    ("resource", "served_by"),
    [
        ("pg.big#w.db", "exact"),
        ("pg.big#w.other", "big"),
        ("pg.small#w.db", "one"),
        ("pg.small#w.other", "any"),
    ],
)
def test_the_first_that_fits_serves(resource: str, served_by: str) -> None:
    assert Registry(LIST).find(uid(resource)).id == served_by


def test_params_are_known_of_what_serves_a_resource_alone() -> None:
    told = Registry((evolve(LIST[1], params=("size",)), LIST[3]))
    assert told.params(uid("pg.big#w.db")) == ("size",)
    assert told.params(uid("pg.small#w.db")) == ()
    assert told.params(uid("redis.small#w.db")) == ()


@pytest.mark.parametrize(
    ("definitions", "resource", "words"),
    [
        (
            LIST[:3],
            "PG.big#x",
            "'exact' serves pg.big#w.db; 'big' serves pg.big#*; 'one' serves pg.*#w.db",
        ),
        ((*LIST, definition("c", "s3")), "redis.default#x", "types served: pg, s3"),
        ((), "redis.default#x", "types served: none at all"),
    ],
)
def test_nobody_is_explained(
    definitions: tuple[ProvisionerDefinition, ...], resource: str, words: str
) -> None:
    with pytest.raises(NoProvisionerError) as caught:
        Registry(definitions).find(uid(resource))
    assert str(caught.value) == f"resource '{resource}': no provisioner serves it ({words})"
    type_ = resource.partition(".")[0]
    assert caught.value.hint == f"add one: score-flyio provisioners add ID {type_} …"


def test_programs_and_services_get_the_time_of_the_registry() -> None:
    registry = Registry(timeout=9)
    command = evolve(LIST[0], spec=CommandSpec(binary="make-it"))
    service = evolve(LIST[0], spec=HttpSpec(url="http://127.0.0.1:1"))
    program, request = registry.build(command), registry.build(service)
    assert isinstance(program, CommandProvisioner)
    assert isinstance(request, HttpProvisioner)
    assert (program.id, program.spec, program.timeout) == ("exact", command.spec, 9)
    assert (request.id, request.spec, request.timeout) == ("exact", service.spec, 9)


def test_what_is_not_configured_is_built_by_nobody() -> None:
    with pytest.raises(LookupError, match="nothing does the work of provisioner 'exact'"):
        Registry().build(evolve(LIST[0], spec=InProcessSpec(source="gone")))


class Redis(StaticProvisioner):
    resource_type = "redis"
    resource_class: str | None = None
    resource_id: str | None = None


def redis() -> Redis:
    return Redis(StaticSpec(values={"by": "package"}))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("cache", f"{__name__}:redis", ENTRY_POINTS)])
    monkeypatch.setattr("importlib.metadata.entry_points", points.select)


VERSION = 1


def broken() -> None:
    raise KeyError("REDIS_HOST")


def nothing() -> None:
    """Forgets to give one."""


class Older:
    """Has what an earlier interface had."""

    resource_type = "redis"
    resource_class = None
    resource_id = None


class ExactRedis(Redis):
    resource_class = "big"
    resource_id = "w.cache"


def exact_redis() -> ExactRedis:
    return ExactRedis(StaticSpec())


def test_what_packages_offer_is_listed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = EntryPoints(
        EntryPoint(name, f"{__name__}:{function}", ENTRY_POINTS)
        for name, function in (("b", "redis"), ("a", "exact_redis"), ("c", "redis"))
    )
    monkeypatch.setattr("importlib.metadata.entry_points", found.select)
    offered = [
        (each.id, each.resource_type, each.resource_class, each.resource_id, each.spec)
        for each in Registry().all()
    ]
    spec = InProcessSpec(source="installed package")
    assert offered == [
        ("a", "redis", "big", "w.cache", spec),
        ("b", "redis", None, None, spec),
        ("c", "redis", None, None, spec),
    ]


def test_packages_are_not_looked_for_where_the_project_has_what_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("importlib.metadata.entry_points")
    assert Registry(LIST).named("one") == LIST[2]
    assert Registry(LIST).find(uid("pg.big#w.db")) == LIST[0]


async def test_packages_serve_what_the_project_does_not(installed: None) -> None:
    registry = Registry(LIST)
    found = registry.find(uid("redis.default#x"))
    assert (found.id, registry.named("cache")) == ("cache", found)
    assert [item.id for item in registry.all()][-1] == "cache"
    request = ProvisionRequest(uid=uid("redis.default#x"), guid="g")
    assert (await registry.build(found).provision(request)).values == {"by": "package"}


async def test_what_a_package_raises_is_told_as_its_failure(
    installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(self: Redis, request: ProvisionRequest) -> ProvisionResult:
        raise ConnectionError("no route")

    monkeypatch.setattr(Redis, "provision", unreachable)
    request = ProvisionRequest(uid=uid("redis.default#x"), guid="g")
    registry = Registry()
    with pytest.raises(ProvisionFailed, match="provisioner 'cache': ConnectionError: no route"):
        await registry.build(registry.find(request.uid)).provision(request)


async def test_the_project_comes_first(installed: None) -> None:
    own = definition("cache", "redis")
    registry = Registry((own,))
    assert registry.all() == (own,)
    request = ProvisionRequest(uid=uid("redis.default#x"), guid="g")
    result = await registry.build(registry.find(request.uid)).provision(request)
    assert result.values == {"by": "cache"}


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("broken", r"KeyError: 'REDIS_HOST'"),
        ("missing", "AttributeError: .*missing"),
        ("VERSION", "TypeError: 'int' object is not callable"),
        ("nothing", "AttributeError: 'NoneType' object has no attribute"),
        ("Older", "AttributeError: 'Older' object has no attribute 'uses_shared'"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_named(
    monkeypatch: pytest.MonkeyPatch, function: str, says: str
) -> None:
    points = EntryPoints([EntryPoint("cache", f"{__name__}:{function}", ENTRY_POINTS)])
    monkeypatch.setattr("importlib.metadata.entry_points", points.select)
    with pytest.raises(ConfigError, match=rf"^provisioner 'cache' \(.*\) cannot be loaded: {says}"):
        Registry().find(uid("redis.default#x"))


@pytest.mark.parametrize(
    ("type_", "meant"),
    [
        ("postgrs", "did you mean postgres? If not, "),
        ("Redis", "did you mean redis? If not, "),
        ("MariaDB", "did you mean mysql? If not, "),
        ("kafka", ""),
    ],
)
def test_the_nearest_type_is_named(type_: str, meant: str) -> None:
    served = (
        *LIST,
        definition("p", "postgres"),
        definition("q", "postgrest"),
        definition("r", "redis"),
        definition("m", "mysql"),
    )
    with pytest.raises(NoProvisionerError) as caught:
        Registry(served).find(uid(f"{type_}.default#x"))
    assert caught.value.hint == f"{meant}add one: score-flyio provisioners add ID {type_} …"


def test_a_definition_is_found_by_its_id() -> None:
    registry = Registry(LIST)
    assert registry.named("late") == LIST[-1]
    assert registry.named("none") is None


def test_a_type_that_other_tools_serve_by_a_server_may_be_described() -> None:
    with pytest.raises(NoProvisionerError) as caught:
        Registry(LIST).find(uid("kafka-topic.default#x"))
    assert caught.value.hint == (
        "add one: score-flyio provisioners add ID kafka-topic …; "
        "or describe a server of it, as docs/provisioners.md says"
    )


def test_outputs_are_known_beforehand_where_nothing_else_does_the_work() -> None:
    """And where what does the work promises to give no others."""
    thing = uid("pg.default#x")
    assert Registry(LIST).all_outputs(thing) == frozenset({"by"})
    assert Registry(LIST).all_outputs(uid("s3.default#x")) is None
    assert Registry(LIST, plugins={"any": Fake()}).all_outputs(thing) is None
    sure = (evolve(LIST[3], gives_no_others=True),)
    registry = Registry(sure, plugins={"any": Fake()})
    assert registry.all_outputs(thing) == frozenset({"by"})
