"""What a run on an emulator does for real, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from score_flyio.events import Listener, WarningRaised

if TYPE_CHECKING:
    from score_flyio.engine.target import Target
    from score_flyio.resources.run import ResourceRun


def tell_what_is_real(run: ResourceRun, target: Target, emit: Listener) -> None:
    """Programs may not know that the target is no Fly, and whoever connects may not either."""
    if run.outside:
        message = "for resources of this target, these run and may make real things: "
        emit(WarningRaised(message=message + ", ".join(run.outside), code="programs_run"))
    if not target.emulated:
        return
    data = target.real_postgres
    real = [uid for uid in run.servers if data is not None and uid.type == "postgres"]
    played = [uid for uid in run.servers if uid not in real]
    if real:
        message = (
            "a PostgreSQL of this computer, which runs as long as this command and has its "
            f"data in {data}, serves {', '.join(map(str, real))}"
        )
        emit(WarningRaised(message=message, code="servers_real"))
    if played:
        message = "no server runs in an emulated machine, so nothing can connect to "
        emit(WarningRaised(message=message + ", ".join(map(str, played)), code="servers_emulated"))
