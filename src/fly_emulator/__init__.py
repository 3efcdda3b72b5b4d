"""The Fly platform in this process, or on a port: what the real one does, without an account.

`Emulator` is the door: a world of apps, machines, volumes, secrets and addresses behind the
operations of the Machines API.
"""

from __future__ import annotations

from fly_emulator.calls import Interface
from fly_emulator.core import Emulator, ExecRunner
from fly_emulator.faults import FaultRule, Faults, parse_faults
from fly_emulator.journal import Journal, JournalEntry
from fly_emulator.process import Behaviour, ProcessModel, marked_process
from fly_emulator.runtime.commands import Commands
from fly_emulator.settings import EmulatorSettings, Organization, Principal
from fly_emulator.transport import EmulatorTransport
from fly_emulator.world import World

__all__ = [
    "Behaviour",
    "Commands",
    "Emulator",
    "EmulatorSettings",
    "EmulatorTransport",
    "ExecRunner",
    "FaultRule",
    "Faults",
    "Interface",
    "Journal",
    "JournalEntry",
    "Organization",
    "Principal",
    "ProcessModel",
    "World",
    "marked_process",
    "parse_faults",
]
