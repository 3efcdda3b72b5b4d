"""Machines that run: processes of this computer, checked and reached as machines are.

`Commands` says which images are run, and by what; a machine of any other image is played as usual.
"""

from __future__ import annotations

from fly_emulator.runtime.commands import Commands
from fly_emulator.runtime.runtime import Runtime

__all__ = ["Commands", "Runtime"]
