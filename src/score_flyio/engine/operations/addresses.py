"""Addresses of an app: listed, allocated and given back."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final, Literal, TypeAlias, get_args

from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.deploy.app_step import AllocateAddress, ReleaseAddress
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted
from score_flyio.engine.ahead import unknown_regions
from score_flyio.engine.operations.apps import AppRef, observe
from score_flyio.engine.operations.change import Before, Change, operation
from score_flyio.engine.session import Session
from score_flyio.errors import ConfigError, UsageError
from score_flyio.fly.present import ip_type

AddressKind: TypeAlias = Literal["v4", "v6", "shared_v4", "private_v6"]
KINDS: Final[tuple[AddressKind, ...]] = get_args(AddressKind)
"""What can be allocated; see the Machines API."""
COST: Final = {"v4": "2 USD per month"}
"""What a kind costs, where it costs anything."""
EVERYWHERE: Final = "global"
"""What flyctl lists as the region of an address that leads to the nearest one."""
STEP: Final = "address"
"""Id of the step that allocates or gives back."""


@frozen(kw_only=True)
class Address(Document):
    """One address of an app."""

    ip: str
    """The address itself."""
    type: str
    """Such as `v4`, `shared_v4`, `v6` or `private_v6`."""
    region: str | None
    """Where it leads to, where that is one region."""
    created_at: str | None
    """When it was allocated, in RFC 3339, as the platform writes it."""


async def list_addresses(session: Session, ref: AppRef) -> tuple[Address, ...]:
    """All of an app, by address. Raises UsageError when there is no such app."""
    return addresses_of(await observe(session, ref, Wanted(addresses=True)))


def addresses_of(observed: ObservedApp) -> tuple[Address, ...]:
    """The addresses that were seen of an app, in order."""
    found = (
        Address(
            ip=address.ip or "",
            type=ip_type(address),
            region=address.region or None,
            created_at=address.created_at or None,
        )
        for address in observed.addresses
    )
    return tuple(sorted(found, key=lambda address: address.ip))


async def allocate_address(
    session: Session,
    ref: AppRef,
    kind: AddressKind,
    region: str | None = None,
    *,
    before: Before | None = None,
    dry_run: bool = False,
) -> Change:
    """One more address of a kind of `KINDS`; of a shared one, an app has one.

    Raises UsageError, and ConfigError for a region that Fly does not have.
    """
    async with operation(session, "ips allocate", ref, dry_run=dry_run, remembered=False) as do:
        if region and kind == "shared_v4":
            raise UsageError(
                "a shared address belongs to no region", hint="leave --region out, or choose v4"
            )
        observed = await observe(session, ref, Wanted(addresses=True))
        asked = {"--region": [region] if region and region != EVERYWHERE else []}
        if problems := await unknown_regions(session.client, asked, observed):
            raise ConfigError(problems=problems)
        has = any(ip_type(address) == kind for address in observed.addresses)
        step = AllocateAddress(id=STEP, kind=kind, region=region)
        steps = [] if has and kind == "shared_v4" else [step]
        return await do.carry_out(Change.of(session, ref, observed, *steps), before=before)


async def release_address(
    session: Session,
    ref: AppRef,
    ip: str,
    *,
    before: Before | None = None,
    dry_run: bool = False,
) -> Change:
    """Gives an address back, however it is spelt. Raises UsageError for one that is not there."""
    async with operation(session, "ips release", ref, dry_run=dry_run, remembered=False) as do:
        observed = await observe(session, ref, Wanted(addresses=True))
        known = sorted(address.ip or "" for address in observed.addresses)
        listed = next((other for other in known if _plain(other) == _plain(ip)), None)
        if listed is None:
            raise UsageError(
                f"{ref} has no address {ip!r}",
                hint=f"its addresses are: {', '.join(known) or 'none'}",
                code="unknown_address",
            )
        step = ReleaseAddress(id=STEP, address=listed)
        return await do.carry_out(Change.of(session, ref, observed, step), before=before)


def concerned(change: Change) -> str | None:
    """The address that was allocated or given back; None where none was."""
    done = change.result.results.get(STEP) if change.result else None
    if done is None or done.error is not None:
        return None
    given = done.step.address if isinstance(done.step, ReleaseAddress) else done.value
    return str(given) if given else None


def _plain(ip: str) -> str:
    """An address in the one form that all spellings of it have; a text that is none, as it is."""
    try:
        return str(ip_address(ip))
    except ValueError:
        return ip
