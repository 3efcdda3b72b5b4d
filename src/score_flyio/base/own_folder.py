"""The folder in a project's directory that is the tool's own: the state, and the kept emulator."""

from __future__ import annotations

from typing import Final

OWN_FOLDER: Final = ".score-flyio"
