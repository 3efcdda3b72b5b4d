"""What an instance is made of, as the platform is asked for it, and how all of it goes again."""

from __future__ import annotations

from fly_machines import models
from score_flyio.errors import (
    Conflict,
    FlyApiError,
    FlyError,
    InvalidRequest,
    NotAuthorized,
    NotFound,
    PreconditionFailed,
)
from score_flyio.fly.client import FlyClient
from score_flyio.resources.servers.description import Server, Volume


async def delete(client: FlyClient, app: str) -> None:
    """Delete the app with all it has; one that is gone already is fine. Raises FlyError."""
    try:
        await client.api.apps_delete(app)
    except NotFound:
        return
    except (InvalidRequest, Conflict, PreconditionFailed):
        # Machines still run: the platform wants to be told that this is meant.
        await client.api.apps_delete(app, force=True)


def is_foreign(error: FlyError) -> bool:
    """Whether the app belongs to someone else, so that another name is needed."""
    taken = isinstance(error, FlyApiError) and error.code == "fly_name_taken"
    return taken or (isinstance(error, NotAuthorized) and error.status == 403)


def _guest(server: Server) -> models.FlyMachineGuest:
    return models.FlyMachineGuest(cpu_kind="shared", cpus=1, memory_mb=server.memory_mb)


def volume_request(server: Server, volume: Volume, region: str) -> models.CreateVolumeRequest:
    """The volume; with the machine's size, so that its host has room for both."""
    return models.CreateVolumeRequest(
        name=volume.name,
        region=region,
        size_gb=volume.size_gb,
        encrypted=True,
        require_unique_zone=True,
        compute=_guest(server),
        compute_image=server.image,
    )


def machine_request(
    server: Server, region: str | None, volume: str | None, secrets_version: int | None
) -> models.CreateMachineRequest:
    """The machine: the server on its volume, reachable at APP.flycast and its port."""
    mounts = None
    if server.volume is not None:
        kept = server.volume
        mounts = [models.FlyMachineMount(volume=volume, path=kept.path, name=kept.name)]
    init = None
    if server.command or server.entrypoint:
        init = models.FlyMachineInit(
            cmd=list(server.command) or None, entrypoint=list(server.entrypoint) or None
        )
    config = models.FlyMachineConfig(
        image=server.image,
        init=init,
        env={**server.env, "PRIMARY_REGION": region or ""},
        guest=_guest(server),
        mounts=mounts,
        services=[_service(server)],
        checks={server.name: _check(server)},
        restart=models.FlyMachineRestart(policy="always"),
        metadata={"fly_platform_version": "v2", "fly_process_group": "app"},
    )
    return models.CreateMachineRequest(
        name=server.name, region=region, config=config, min_secrets_version=secrets_version
    )


def _check(server: Server) -> models.FlyMachineCheck:
    return models.FlyMachineCheck(
        type="http" if server.health else "tcp",
        port=server.port,
        method="GET" if server.health else None,
        path=server.health,
        interval="15s",
        timeout="10s",
        grace_period="30s",
    )


def _service(server: Server) -> models.FlyMachineService:
    # The platform's default limits are for web apps: far fewer connections than a pool opens.
    concurrency = models.FlyMachineServiceConcurrency(
        type="connections", soft_limit=1000, hard_limit=1000
    )
    return models.FlyMachineService(
        protocol="tcp",
        internal_port=server.port,
        ports=[models.FlyMachinePort(port=server.port)],
        autostart=True,
        autostop="off",
        concurrency=concurrency,
    )
