"""Which calls of the Machines API a step makes, from one table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from fly_machines import operations as api
from score_flyio.deploy import step as kinds

CALLS: Final[Mapping[type[kinds.Step], tuple[api.Operation, ...]]] = {
    kinds.CreateApp: (api.APPS_CREATE,),
    kinds.AllocateAddress: (api.APP_IP_ASSIGNMENTS_CREATE,),
    kinds.ReleaseAddress: (api.APP_IP_ASSIGNMENTS_DELETE,),
    kinds.AddCertificate: (api.APP_CERTIFICATES_ACME_CREATE,),
    kinds.RemoveCertificate: (api.APP_CERTIFICATES_DELETE,),
    kinds.SetSecrets: (api.SECRETS_UPDATE,),
    kinds.CreateVolume: (api.VOLUMES_CREATE,),
    kinds.DestroyVolume: (api.VOLUME_DELETE,),
    kinds.RunReleaseCommand: (api.MACHINES_CREATE, api.MACHINES_WAIT, api.MACHINES_SHOW),
    kinds.RunMachineCheck: (
        api.MACHINES_SHOW,
        api.MACHINES_CREATE,
        api.MACHINES_WAIT,
        api.MACHINES_SHOW,
    ),
    kinds.CreateMachine: (api.MACHINES_CREATE,),
    kinds.UpdateMachine: (api.MACHINES_UPDATE,),
    kinds.RevertMachine: (api.MACHINES_UPDATE,),
    kinds.StartMachine: (api.MACHINES_START,),
    kinds.HoldMachines: (api.MACHINES_CREATE_LEASE, api.MACHINES_RELEASE_LEASE),
    kinds.DestroyMachine: (api.MACHINES_DELETE,),
    kinds.CordonMachine: (api.MACHINES_CORDON,),
    kinds.UncordonMachine: (api.MACHINES_UNCORDON,),
    kinds.SetMetadata: (api.MACHINES_UPSERT_METADATA,),
    kinds.StopMachine: (api.MACHINES_STOP,),
    kinds.AwaitHealthy: (api.MACHINES_SHOW,),
    kinds.WatchForCrashes: (api.MACHINES_SHOW,),
    kinds.Pause: (),
    kinds.DestroyApp: (api.APPS_DELETE,),
}
"""By kind of step, in order. Looks and lease renewals may be repeated, and go out for several
machines together."""


def calls(step: kinds.Step) -> tuple[str, ...]:
    """Each as `METHOD /path`; `{machine_id}` stands for a machine that has no id yet."""
    operations = CALLS[type(step)]
    if isinstance(step, kinds.AddCertificate) and step.own is not None:
        operations = (api.APP_CERTIFICATES_CUSTOM_CREATE,)
    if isinstance(step, kinds.UpdateMachine) and step.starts:
        operations = (*operations, api.MACHINES_START)
    machines: tuple[str | None, ...] = (_machine(step),)
    if isinstance(step, kinds.HoldMachines):
        machines = step.machines
    return tuple(
        f"{operation.method} {_filled(operation.path, step, machine)}"
        for operation in operations
        for machine in machines
    )


def _machine(step: kinds.Step) -> str | None:
    found: str | None = getattr(step, "machine", None)
    return found or getattr(getattr(step, "ref", None), "machine", None)


def _filled(path: str, step: kinds.Step, machine: str | None) -> str:
    known = {
        "app_name": step.app,
        "machine_id": machine,
        "volume_id": getattr(step, "volume", None),
        "ip": getattr(step, "address", None),
        "hostname": getattr(step, "hostname", None),
        "key": getattr(step, "key", None),
    }
    for name, value in known.items():
        if value:
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path
