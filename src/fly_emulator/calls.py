"""One call of one operation: what a handler sees, and how it finds what the call is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from attrs import frozen

from fly_emulator.bodies import json_object
from fly_emulator.records import App, Json, LeaseRecord, MachineRecord, VolumeRecord
from fly_emulator.regions import codes_of
from fly_emulator.settings import EmulatorSettings, Organization, Principal
from fly_emulator.wire import NONCE_HEADER, ApiRequest, Outcome, Refusal
from fly_emulator.world import World
from score_flyio.base.clock import rfc3339


@frozen
class Call:
    """A request with its operation, the parts of its path, and the time of its execution."""

    world: World
    request: ApiRequest
    operation: str
    """Its id."""
    path: dict[str, str]
    principal: Principal
    now: float
    seen: int
    """Number of the last thing that existed when the request arrived."""

    @property
    def settings(self) -> EmulatorSettings:
        return self.world.settings

    # --- parameters

    def body(self) -> Json:
        """The JSON object of the body, as `json_object` takes it."""
        return json_object(self.request.body)

    def query(self, name: str) -> str | None:
        return next((value for key, value in self.request.query if key == name), None)

    def query_list(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated or hold a comma list."""
        return [
            part.strip()
            for key, value in self.request.query
            if key == name
            for part in value.split(",")
            if part.strip()
        ]

    def flag(self, name: str) -> bool:
        return (self.query(name) or "").lower() in {"true", "1"}

    def integer(self, name: str, default: int) -> int:
        """A query parameter that is a number. Raises Refusal."""
        text = self.query(name)
        try:
            return default if text in {None, ""} else int(str(text))
        except ValueError as error:
            raise Refusal(400, f"invalid {name}: {text!r} is not a number") from error

    @property
    def nonce(self) -> str | None:
        return self.request.headers.get(NONCE_HEADER) or None

    # --- what the call is about

    def organization(self, slug: str) -> Organization:
        """The organization of a slug. Raises Refusal: there is none, or the caller is not in it."""
        organization = self.settings.organization(slug)
        if organization is None:
            raise Refusal(404, f"organization not found: {slug!r}")
        if not self.may_use(organization.slug):
            raise Refusal(403, "unauthorized: not a member of the organization")
        return organization

    def may_use(self, slug: str) -> bool:
        """Whether the token is for that organization."""
        return self.settings.tokens is None or slug in self.principal.organizations

    def organizations(self) -> list[Organization]:
        """The organizations that the caller may act in."""
        return [one for one in self.settings.organizations if self.may_use(one.slug)]

    def regions(self, wish: str) -> tuple[str, ...]:
        """The codes of the regions that a text stands for. Raises Refusal: it stands for none."""
        codes = codes_of(wish, self.settings.regions, self.settings.nearest)
        if not codes:
            raise Refusal(400, f"invalid region: {wish!r}")
        return codes

    def app(self) -> App:
        """The app in the path, as `app_named` finds it."""
        return self.app_named(self.path["app_name"])

    def app_named(self, name: str) -> App:
        """An app. Raises Refusal: it is missing, not visible yet, or someone else's."""
        app = self.world.apps.get(name)
        below = self.operation != "Apps_show"
        known_at = app.created_at + self.settings.unknown_below if app and below else 0.0
        if app is None or self.now < known_at or not self.sees(app):
            status = self.settings.below_missing_app if below else 404
            raise Refusal(status, f"could not find app: {name}")
        if not self.may_use(app.organization):
            raise Refusal(
                self.settings.foreign_app, "unauthorized: the app belongs to another organization"
            )
        return app

    def machine(self) -> MachineRecord:
        """The machine in the path, maybe a destroyed one. Raises Refusal: it is not there (yet)."""
        app = self.app()
        machine = self.world.machines.get(self.path["machine_id"])
        if machine is None or machine.app != app.name or not self.sees(machine):
            raise Refusal(404, f"machine not found: {self.path['machine_id']}")
        if self.request.method != "GET":
            self.world.changed.add(machine.id)
        return machine

    def sees(self, record: App | MachineRecord) -> bool:
        """Whether reads show it yet; changes always find it."""
        return record.visible_at <= self.now or self.request.method != "GET"

    def living_machine(self) -> MachineRecord:
        """The machine in the path. Raises Refusal: it is missing or gone."""
        machine = self.machine()
        if machine.state in {"destroying", "destroyed"}:
            raise Refusal(404, f"machine not found: {machine.id}")
        return machine

    def held_machine(self) -> MachineRecord:
        """The machine in the path, for a change that a lease keeps others from.

        Raises Refusal: it is missing, or leased and the call lacks the nonce.
        """
        machine = self.living_machine()
        lease = machine.lease_at(self.now)
        if lease is not None and self.nonce != lease.nonce:
            raise Refusal(409, held_text(machine, lease))
        return machine

    def volume(self) -> VolumeRecord:
        """The volume in the path. Raises Refusal: it is missing."""
        app = self.app()
        volume = self.world.volumes.get(self.path["volume_id"])
        if volume is None or volume.app != app.name or volume.gone_at(self.now):
            raise Refusal(404, f"volume not found: {self.path['volume_id']}")
        return volume


def held_text(machine: MachineRecord, lease: LeaseRecord) -> str:
    """The words of the platform about a lease that someone else has."""
    expires = rfc3339(int(lease.expires_at))
    return f"machine ID {machine.id} lease currently held by {lease.owner}, expires at {expires}"


def want_text(document: dict[str, Any], name: str) -> str:
    """A text that must be in a body. Raises Refusal: it is missing, empty or something else."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(400, f"{name} is required")
    return value


def want_integer(
    document: dict[str, Any], name: str, default: int | None = None, *, below: str = ""
) -> int:
    """A number in a body, `below` a place in it; null is as good as missing.

    Raises Refusal: it is something else, or missing without a default.
    """
    value = document.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(400, f"invalid {below}{name}: {value!r} is not a number")
    return value


Handler: TypeAlias = Callable[[Call], Outcome]


class Interface(Protocol):
    """A further interface of the platform, beside the Machines API."""

    prefix: str
    """Paths that begin with it belong to this interface."""

    def is_public(self, request: ApiRequest) -> bool:  # noqa: ARG002 - for others
        """Whether it answers without a token."""
        return False

    def name(self, request: ApiRequest) -> str:
        """What the journal, the limits and the faults call this request."""
        ...

    def handle(self, call: Call) -> Outcome:
        """Answer a request. Raises Refusal for an error answer."""
        ...
