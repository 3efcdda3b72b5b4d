"""Which provisioner serves a resource, and those that installed packages bring."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from score_flyio.errors import ConfigError, NoProvisionerError
from score_flyio.resources.kinds.static import StaticProvisioner
from score_flyio.resources.provisioner import ProvisionRequest
from score_flyio.resources.registry import ENTRY_POINTS, Registry
from score_flyio.state.resources import ProvisionerDefinition, StaticSpec
from tests.unit.resources.conftest import uid


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


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ("PG.big#x", "'any' serves pg.*#*"),
        ("redis.default#x", "types served: pg"),
    ],
)
def test_nobody_is_explained(resource: str, words: str) -> None:
    with pytest.raises(NoProvisionerError) as caught:
        Registry(LIST).find(uid(resource))
    assert f"'{resource}'" in str(caught.value)
    assert words in str(caught.value)


class Redis(StaticProvisioner):
    resource_type = "redis"
    resource_class = None
    resource_id = None


def redis() -> Redis:
    return Redis(StaticSpec(values={"by": "package"}))


def broken() -> None:
    raise TypeError("not made")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("cache", f"{__name__}:redis", ENTRY_POINTS)])
    monkeypatch.setattr("importlib.metadata.entry_points", points.select)


async def test_packages_serve_what_the_project_does_not(installed: None) -> None:
    registry = Registry(LIST)
    found = registry.find(uid("redis.default#x"))
    assert (found.id, registry.named("cache")) == ("cache", found)
    assert [item.id for item in registry.all()][-1] == "cache"
    request = ProvisionRequest(uid=uid("redis.default#x"), guid="g")
    assert (await registry.build(found).provision(request)).values == {"by": "package"}


async def test_the_project_comes_first(installed: None) -> None:
    own = definition("cache", "redis")
    registry = Registry((own,))
    assert registry.all() == (own,)
    request = ProvisionRequest(uid=uid("redis.default#x"), guid="g")
    result = await registry.build(registry.find(request.uid)).provision(request)
    assert result.values == {"by": "cache"}


def test_a_package_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("cache", f"{__name__}:broken", ENTRY_POINTS)])
    monkeypatch.setattr("importlib.metadata.entry_points", points.select)
    with pytest.raises(ConfigError, match=r"'cache'.*not made"):
        Registry().find(uid("redis.default#x"))
