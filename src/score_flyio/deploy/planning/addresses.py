"""Which addresses an app needs that it has not."""

from __future__ import annotations

from collections.abc import Iterable

from score_flyio.deploy.desired.addresses import address_kind, ports_in_need
from score_flyio.deploy.metadata import Launch
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.step import AllocateAddress, CreateMachine, Step


def address_steps(
    desired: DesiredApp, observed: ObservedApp, options: DeployOptions
) -> tuple[Step, ...]:
    """Addresses are made on a first deploy, of the kinds that flyctl chooses.

    One that costs money is allocated only where the workload asks for it; for a fly.toml there is
    none, as with flyctl where nobody can answer its question. An app whose machines were all
    launched keeps the addresses that it has, whatever became of them; see `after_addresses`. The
    private one is made at any time: what reads it may have come later.
    """
    kinds = _kinds(desired, options)
    if observed.machines and observed.addresses and not _launching(observed):
        kinds = ()
    if desired.flycast and address_kind(desired.spec) is not None:
        kinds = (*(kind for kind in kinds if kind != "private_v6"), "private_v6")
    have = {_kind(address.ip or "", shared=bool(address.shared)) for address in observed.addresses}
    return tuple(
        AllocateAddress(id=f"address:{kind}", app=desired.name, kind=kind)
        for kind in kinds
        if kind not in have
    )


def after_addresses(steps: Iterable[Step], addresses: tuple[str, ...]) -> tuple[Step, ...]:
    """The steps, the last create of each launch behind the addresses.

    So an interrupted first deploy that lacks addresses lacks a machine too, and is known by that.
    """
    return tuple(
        step.after(*addresses)
        if isinstance(step, CreateMachine) and step.number == step.of
        else step
        for step in steps
    )


def _launching(observed: ObservedApp) -> bool:
    """Whether the last machine of a launch is missing: its run was interrupted."""
    launches = [launch for m in observed.machines if (launch := Launch.of_machine(m)) is not None]
    complete = {launch.id for launch in launches if launch.number == launch.of}
    return any(launch.id not in complete for launch in launches)


def address_notes(
    desired: DesiredApp, observed: ObservedApp, options: DeployOptions
) -> tuple[str, ...]:
    """What would be reached over the internet only through an address that costs money."""
    public = options.public_ips and not options.flycast and desired.exposure in (None, "shared")
    have = {_kind(address.ip or "", shared=bool(address.shared)) for address in observed.addresses}
    if not public or "v4" in have:
        return ()
    return tuple(
        f"{ports} can be reached over IPv4 only at a dedicated address, 2 USD per month: "
        "ips allocate v4"
        for ports in ports_in_need(desired.spec)
    )


def _kinds(desired: DesiredApp, options: DeployOptions) -> tuple[str, ...]:
    needed = address_kind(desired.spec)
    if needed is None or desired.exposure == "private":
        return ()
    if options.flycast:
        return ("private_v6",)
    if not options.public_ips:
        return ()
    if desired.exposure == "dedicated":
        return ("v4", "v6")
    return ("v6", "shared_v4") if "shared" in (needed, desired.exposure) else ()


def _kind(ip: str, *, shared: bool) -> str:
    if ip.startswith("fdaa:"):
        return "private_v6"
    if ":" in ip:
        return "v6"
    return "shared_v4" if shared else "v4"
