"""Options of flyctl's deploy that its users have in scripts, and that mean nothing here.

Some ask for what is so anyway; the others are refused with what to do in their place.
"""

from __future__ import annotations

from typing import Any, Final

import asyncclick as click

from score_flyio.errors import UsageError

_SO_ANYWAY: Final = (
    *("now", "dns-checks", "depot", "recreate-builder", "wg", "http-failover"),
    *("provision-extensions", "no-extensions"),
)
_IN_PLACE_OF: Final = {
    "nixpacks": "write a Dockerfile: nothing else is built from",
    "buildpacks-docker-host": "write a Dockerfile: nothing else is built from",
    "signal": 'write kill_signal = "SIGTERM" into the fly.toml',
    "vm-gpus": "choose a size without GPU: Fly refuses them since August 2026",
    "vm-gpu-kind": "choose a size without GPU: Fly refuses them since August 2026",
    "host-dedication-id": "write host_dedication_id into a [[vm]] of the fly.toml",
    "export-manifest": "use plan --out FILE.plan",
    "from-manifest": "use deploy FILE.plan",
}


def _refuse(_ctx: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    name = option.opts[0]
    raise UsageError(
        f"{name} of flyctl has no meaning here", hint=_IN_PLACE_OF[name.removeprefix("--")]
    )


OF_FLYCTL: Final[tuple[Any, ...]] = (
    *(
        click.option(f"--{name}", is_flag=True, hidden=True, expose_value=False)
        for name in _SO_ANYWAY
    ),
    *(
        click.option(
            f"--{name}",
            hidden=True,
            expose_value=False,
            callback=_refuse,
            is_flag=name == "nixpacks",
            default=None,
        )
        for name in _IN_PLACE_OF
    ),
)
