"""What is done to the platform from outside: faults, incidents, time, room, snapshots.

`Control` are the functions, and `ControlApi` offers the same ones over HTTP, under `/_emulator`.
"""

from __future__ import annotations

from fly_emulator.control.api import ControlApi
from fly_emulator.control.control import Control, Incident

__all__ = ["Control", "ControlApi", "Incident"]
