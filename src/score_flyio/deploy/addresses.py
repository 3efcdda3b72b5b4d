"""Which addresses an app needs that it has not."""

from __future__ import annotations

from score_flyio.deploy.desired.addresses import address_kind
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.step import AllocateAddress, Step


def address_steps(
    desired: DesiredApp, observed: ObservedApp, options: DeployOptions
) -> tuple[Step, ...]:
    """Addresses are made on a first deploy, of the kinds that flyctl chooses.

    Unlike flyctl, a dedicated address is allocated without a question, so that an app deployed by
    a CI job is reachable; the plan shows its price. An app with machines keeps the addresses it
    has; one without gets those that an interrupted run left out.
    """
    kinds = _kinds(desired, options)
    if observed.machines and observed.addresses:
        return ()
    have = {_kind(address.ip or "", shared=bool(address.shared)) for address in observed.addresses}
    return tuple(
        AllocateAddress(id=f"address:{kind}", app=desired.name, kind=kind)
        for kind in kinds
        if kind not in have
    )


def _kinds(desired: DesiredApp, options: DeployOptions) -> tuple[str, ...]:
    kind = address_kind(desired.spec)
    if kind is None:
        return ()
    if options.flycast:
        return ("private_v6",)
    if not options.public_ips:
        return ()
    if kind == "shared":
        return ("v6", "shared_v4")
    udp = any(service.protocol == "udp" for service in desired.spec.services)
    return ("v4",) if udp else ("v4", "v6")


def _kind(ip: str, *, shared: bool) -> str:
    if ip.startswith("fdaa:"):
        return "private_v6"
    if ":" in ip:
        return "v6"
    return "shared_v4" if shared else "v4"
