"""The Fly platform in this process, or on a port: what the real one does, without an account.

`Emulator` is the door: a world of apps, machines, volumes, secrets and addresses behind the
operations of the Machines API.
"""

from __future__ import annotations

from score_flyio.emulator.core import Emulator, ExecRunner, Interface
from score_flyio.emulator.faults import FaultRule, Faults, parse_faults
from score_flyio.emulator.invariants import violations
from score_flyio.emulator.journal import Journal, JournalEntry
from score_flyio.emulator.process import Behaviour, ProcessModel, marked_process
from score_flyio.emulator.settings import EmulatorSettings, Organization, Principal
from score_flyio.emulator.transport import EmulatorTransport
from score_flyio.emulator.world import World

__all__ = [
    "Behaviour",
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
    "violations",
]
