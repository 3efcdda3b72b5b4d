"""How each kind of step is carried out: one module per family, one function per kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from score_flyio.deploy import app_step as app_kinds
from score_flyio.deploy import step as kinds
from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.execution.steps import app, commands, machines, waiting

CarryOut: TypeAlias = Callable[[Any, Context], Awaitable[Any]]

CARRY_OUT: Mapping[type[kinds.Step], CarryOut] = {
    app_kinds.CreateApp: app.create_app,
    app_kinds.AllocateAddress: app.allocate_address,
    app_kinds.AddCertificate: app.add_certificate,
    app_kinds.RemoveCertificate: app.remove_certificate,
    app_kinds.ReleaseAddress: app.release_address,
    app_kinds.DestroyApp: app.destroy_app,
    app_kinds.SetSecrets: app.set_secrets,
    app_kinds.CreateVolume: app.create_volume,
    app_kinds.DestroyVolume: app.destroy_volume,
    kinds.RunReleaseCommand: commands.run_release_command,
    kinds.RunMachineCheck: commands.run_machine_check,
    kinds.CreateMachine: machines.create_machine,
    kinds.UpdateMachine: machines.update_machine,
    kinds.RevertMachine: machines.revert_machine,
    kinds.HoldMachines: machines.hold_machines,
    kinds.DestroyMachine: machines.destroy_machine,
    kinds.CordonMachine: machines.set_routing,
    kinds.UncordonMachine: machines.set_routing,
    kinds.SetMetadata: machines.set_metadata,
    kinds.StopMachine: machines.stop_machine,
    kinds.StartMachine: machines.start_machine,
    kinds.AwaitHealthy: waiting.await_healthy,
    kinds.WatchForCrashes: waiting.watch_for_crashes,
    kinds.Pause: waiting.pause,
}


async def carry_out(step: kinds.Step, context: Context) -> Any:
    """Does one step and gives back its result, for the steps that need it."""
    return await CARRY_OUT[type(step)](step, context)
