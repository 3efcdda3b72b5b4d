"""Whether everything that a deploy needs is there: one diagnosis each, with the fix."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from score_flyio.base.clock import SystemClock
from score_flyio.base.counted import counted
from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.engine.builds import builds_at_fly
from score_flyio.engine.target import FlyTarget, Target
from score_flyio.errors import ConfigError, InvalidRequest, NotAuthorized, NotFound, ScoreFlyError
from score_flyio.errors.unwrap import at_once
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from score_flyio.fly.login import seconds_left
from score_flyio.fly.organization import PERSONAL, visible_organizations
from score_flyio.images.builders.choose import FLY, BuilderContext, builder_names, builders_there
from score_flyio.images.distribution import Registries
from score_flyio.images.logins import FLY_HOST_VARIABLE, Logins, fly_registry
from score_flyio.state.store import StateStore

_UNITS = (("years", 31_536_000), ("days", 86_400), ("hours", 3600), ("minutes", 60), ("s", 1))


@frozen(kw_only=True)
class Diagnosis(Document):
    """What was found about one thing."""

    name: str
    ok: bool
    message: str
    hint: str | None = None
    """What to do, where there is something to do or to know."""

    def __str__(self) -> str:
        mark = "ok  " if self.ok else "FAIL"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{mark}  {self.name}: {self.message}{hint}"


@frozen(kw_only=True)
class Diagnoses(Document):
    """Whether everything is there that a deploy needs."""

    ok: bool
    checks: tuple[Diagnosis, ...]


async def examine(client: FlyClient, target: Target, environ: Mapping[str, str]) -> list[Diagnosis]:
    """Diagnose the target, the organization and the registry, all at once."""
    checks: dict[str, Callable[[], Awaitable[str]]] = {
        "api": lambda: _api(client, target),
        "organization": lambda: _organization(client, target),
        "registry": lambda: _registry(client, target, environ),
    }

    async def checked(name: str) -> Diagnosis:
        try:
            return Diagnosis(name=name, ok=True, message=await checks[name]())
        except ScoreFlyError as error:
            return failed(name, error)

    return await at_once(checked, checks)


def failed(name: str, error: ScoreFlyError) -> Diagnosis:
    """The diagnosis of something that ended with an error."""
    return Diagnosis(name=name, ok=False, message=error.message, hint=error.hint)


def _time_left(tokens: Tokens) -> str:
    left = seconds_left(tokens, SystemClock().time())
    if left is None:
        return ""
    if left <= 0:
        return ", expired" + (", but renewed by your login" if tokens.own else "")
    unit, size = next((each for each in _UNITS if left >= each[1]), _UNITS[-1])
    return f", valid for {left / size:.0f} {unit} yet" + (", then renewed" if tokens.own else "")


def token(target: Target) -> Diagnosis:
    """Where the token comes from; that it is there was found out by making the target."""
    found = "none needed by the emulator"
    if isinstance(target, FlyTarget):
        found = f"found in {target.tokens.source}{_time_left(target.tokens)}"
    return Diagnosis(name="token", ok=True, message=found)


async def builder(environ: Mapping[str, str], target: Target | None) -> Diagnosis:
    """Which builders could build images. None is no failure: images need not be built."""
    name, there, unusable = "image builder", [], []
    try:
        found = await builders_there(BuilderContext(environ=environ, logins=Logins(environ)))
        there = [builder for builder, wrong in found.items() if wrong is None]
        unusable = [wrong for wrong in found.values() if wrong is not None]
        if target is not None and builds_at_fly(target, environ):
            there.append(FLY)
    except ConfigError as error:
        unusable = [error]
    none = "none: only images that exist already can be deployed"
    others = f"; also there: {', '.join(there[1:])}" if there[1:] else ""
    message = f"{there[0]} is used{others}" if there else none
    hint = f"for image '.', have one of {', '.join(builder_names())}, or give --image"
    return Diagnosis(
        name=name,
        ok=True,
        message="; ".join([message, *(wrong.message for wrong in unusable)]),
        hint=unusable[0].hint if unusable else None if there else hint,
    )


async def _api(client: FlyClient, target: Target) -> str:
    answer = await client.api.platform_regions_get()
    regions, near = answer.Regions or answer.regions, answer.Nearest or answer.nearest
    told = f": {len(regions)} regions" if regions is not None else ""
    nearest = f", nearest {near}" if near else ""
    return f"{target.name} answers{told}{nearest}"


async def _organization(client: FlyClient, target: Target) -> str:
    try:
        seen = await visible_organizations(client)
    except (NotFound, NotAuthorized, InvalidRequest):
        return await _asked_for_apps(client, target)
    if target.org is None or target.org in seen or not seen:
        return target.org or ", ".join(seen) or "personal"
    raise ConfigError(
        f"the token is not for {target.org}, but for {', '.join(seen)}",
        hint="choose one of these with --org or FLY_ORG, or use another token",
    )


async def _asked_for_apps(client: FlyClient, target: Target) -> str:
    """The same where the token may not ask what it is for: whether any call takes it."""
    org = target.org or PERSONAL
    try:
        await client.api.apps_list(org_slug=org)
    except NotAuthorized as error:
        if error.status == 401:
            raise
    return f"{org}; the token does not say what it is for"


async def _registry(client: FlyClient, target: Target, environ: Mapping[str, str]) -> str:
    elsewhere = environ.get(FLY_HOST_VARIABLE)
    if not isinstance(target, FlyTarget) or not (target.is_fly or elsewhere):
        return "not needed: the target is not Fly.io"
    host = fly_registry(environ)
    async with Registries(Logins(environ, fly=client.password)) as registries:
        await registries.check_login(host)
    return f"{host} takes the token"


async def examine_state(store: StateStore) -> Diagnosis:
    """Whether the project state can be read, and changed by us."""
    try:
        state = await store.load()
        if state is None:
            hint = "start a project with score-flyio init --fly-app-prefix PREFIX"
            return Diagnosis(name="state", ok=True, message="no project here yet", hint=hint)
        async with store.lock("doctor"):
            pass
    except ScoreFlyError as error:
        return failed("state", error)
    workloads = counted(len(state.workloads), "workload")
    return Diagnosis(name="state", ok=True, message=f"readable, not locked, {workloads}")
