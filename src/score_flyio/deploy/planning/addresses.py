"""Which addresses an app gets, and what its ports are reached by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from score_flyio.deploy.app_step import AllocateAddress
from score_flyio.deploy.desired.addresses import address_kind, ports_in_need, public_url
from score_flyio.deploy.metadata import Marks
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.counts import is_open
from score_flyio.deploy.step import (
    CreateMachine,
    RunReleaseCommand,
    SetMetadata,
    Step,
    UpdateMachine,
)
from score_flyio.fly.present import ip_type, leads_in, was_deployed

PUBLIC = frozenset({"v4", "v6", "shared_v4"})


def address_steps(
    desired: DesiredApp, observed: ObservedApp, options: DeployOptions
) -> tuple[Step, ...]:
    """Addresses are decided on the first deploy, of the kinds that flyctl chooses.

    One that costs money is allocated only where the workload asks for it; for a fly.toml there is
    none, as with flyctl where nobody can answer its question. Later deploys keep what is there,
    whatever became of it: an app whose addresses somebody released stays private. But a workload
    that is to be public, and had nothing to reach before, gets the addresses that cost nothing.

    The private one is made at any time: what reads it may have come later.
    """
    kinds = _kinds(desired, options)
    if not is_first(observed):
        anew = desired.exposure in {"shared", "dedicated"} and not _serves(observed)
        kinds = ("v6", "shared_v4") if anew and PUBLIC & set(kinds) else ()
        kinds = () if _present(observed) - set(kinds) else kinds
        kinds = ("v4",) if options.dedicated_ipv4 and "v4" in _kinds(desired, options) else kinds
    if desired.flycast and address_kind(desired.spec) is not None:
        kinds = tuple(dict.fromkeys((*kinds, "private_v6")))
    have = _present(observed)
    return tuple(
        AllocateAddress(id=f"address:{kind}", kind=kind) for kind in kinds if kind not in have
    )


def is_first(observed: ObservedApp) -> bool:
    """Whether the app was never deployed in full.

    The last machine of each launch comes behind the addresses (see `after_addresses`), so a run
    that was interrupted before they were there left no launch complete. One that began anew, since
    all machines were gone, says that it was not the first.
    """
    if not observed.machines:
        return not was_deployed(observed.app)
    if any(Marks.of(machine).addresses for machine in observed.machines):
        return False
    return all(map(is_open, observed.machines))


def after_addresses(steps: Iterable[Step], addresses: tuple[str, ...]) -> tuple[Step, ...]:
    """The steps; release commands, last creates of launches, updates and marks come behind them.

    So a run that was interrupted before they were there is known by what is missing: an app that
    had any machine counts as deployed.
    """
    return tuple(
        step.after(*addresses)
        if isinstance(step, UpdateMachine | RunReleaseCommand | SetMetadata)
        or (isinstance(step, CreateMachine) and step.number == step.of)
        else step
        for step in steps
    )


def reached_at(desired: DesiredApp, observed: ObservedApp, steps: Iterable[Step]) -> str | None:
    """The URL of the app, where a public address and a machine behind it serve it after `steps`."""
    steps = tuple(steps)
    machines = observed.machines or any(isinstance(step, CreateMachine) for step in steps)
    served = PUBLIC & _all_kinds(observed, steps) and machines
    return public_url(desired.spec) if served else None


def address_notes(
    desired: DesiredApp, observed: ObservedApp, options: DeployOptions, steps: Iterable[Step]
) -> tuple[str, ...]:
    """Which ports are not reached over the internet, and the commands that would change that."""
    wanted = options.public_ips and not options.flycast and desired.exposure != "private"
    kinds = _all_kinds(observed, steps)
    if not wanted and not is_first(observed):
        return tuple(_kept(desired, options, kinds))
    if (
        not wanted
        or desired.exposure == "dedicated"
        or address_kind(desired.spec) is None
        or "v4" in kinds
    ):
        return ()
    return (*_private_note(desired, kinds), *_raw_notes(desired, kinds))


def _kept(desired: DesiredApp, options: DeployOptions, kinds: Collection[str]) -> Iterator[str]:
    """Addresses that are not as they are asked for now: the first deploy decided on them."""
    option = "--flycast" if options.flycast else "" if options.public_ips else "--no-public-ips"
    why = f"{option} is for the first deploy of an app" if option else "no port is public"
    if public := sorted(PUBLIC & set(kinds)):
        yield (
            f"{why}: this one keeps its public addresses ({', '.join(public)}); ips release ADDRESS"
            f" --app {desired.name} gives one back"
        )
    if options.flycast and "private_v6" not in kinds:
        yield (
            f"{why}: this one has no private address; ips allocate private_v6"
            f" --app {desired.name} allocates it"
        )


def _private_note(desired: DesiredApp, kinds: Collection[str]) -> tuple[str, ...]:
    """An app without a public address: only the private network reaches it."""
    if PUBLIC & set(kinds) or len(ports_in_need(desired.spec)) == _count_ports(desired):
        return ()
    where = f"{desired.name}.flycast" if "private_v6" in kinds else f"{desired.name}.internal"
    here = f"the app has no public address: its ports are reached at {where} only"
    allocate = f"ips allocate shared_v4 --app {desired.name}"
    return (f"{here}; for the internet: {allocate}, and the same with v6, both free",)


def _raw_notes(desired: DesiredApp, kinds: Collection[str]) -> tuple[str, ...]:
    """What would be reached over IPv4 only through an address that costs money."""
    present = "; over IPv6 it is reached at its v6" if "v6" in kinds else ""
    return tuple(
        f"{ports} can be reached over IPv4 only at a dedicated address, 2 USD per month: "
        f"--dedicated-ipv4, or ips allocate v4 --app {desired.name}"
        f"{present if '(tcp)' in ports else ''}"
        for ports in ports_in_need(desired.spec)
    )


def _count_ports(desired: DesiredApp) -> int:
    """How many entries of ports there are, where `http_service` makes one more."""
    spec = desired.spec
    of_services = sum(len(service.ports) for service in spec.services)
    return of_services + (spec.http_service is not None)


def _serves(observed: ObservedApp) -> bool:
    """Whether machines have services that were made when the addresses were there."""
    return any(
        machine.config and machine.config.services and not is_open(machine)
        for machine in observed.machines
    )


def _present(observed: ObservedApp) -> set[str]:
    return {ip_type(address) for address in observed.addresses if leads_in(address)}


def _all_kinds(observed: ObservedApp, steps: Iterable[Step]) -> set[str]:
    """Kinds of the addresses that the app has once the steps are done."""
    return _present(observed) | {step.kind for step in steps if isinstance(step, AllocateAddress)}


def _kinds(desired: DesiredApp, options: DeployOptions) -> tuple[str, ...]:
    """Those of a first deploy."""
    needed = address_kind(desired.spec)
    if needed is None or desired.exposure == "private":
        return ()
    if options.flycast:
        return ("private_v6",)
    if not options.public_ips:
        return ()
    if desired.exposure == "dedicated" or options.dedicated_ipv4:
        return ("v4", "v6")
    return ("v6", "shared_v4") if "shared" in (needed, desired.exposure) else ()
