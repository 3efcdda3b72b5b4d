"""What an instance is made of: the requests for its secrets, volume and machine."""

from __future__ import annotations

from typing import Final

from fly_machines import models
from score_flyio.base.secret import Secret

IMAGE: Final = "postgres:17"
"""The official image. Fly's own (`flyio/postgres-flex`) needs a Consul URL and SSH certificates,
which only GraphQL gives."""
VOLUME: Final = "pg_data"
VOLUME_GB: Final = 10
MOUNT: Final = "/data"
PORT: Final = 5432
MACHINE: Final = "postgres"
"""Name of the machine; unique within the app, so that a second one is refused."""
OPERATOR_PASSWORD: Final = "OPERATOR_PASSWORD"  # noqa: S105 - the name of a variable


def app_secrets(password: Secret) -> dict[str, Secret | None]:
    """The operator's password under the names that the image and Fly's tools know."""
    return dict.fromkeys((OPERATOR_PASSWORD, "SU_PASSWORD", "POSTGRES_PASSWORD"), password)


def _guest() -> models.FlyMachineGuest:
    return models.FlyMachineGuest(cpu_kind="shared", cpus=1, memory_mb=256)


def volume_request(region: str) -> models.CreateVolumeRequest:
    """The volume; with the machine's size, so that its host has room for both."""
    return models.CreateVolumeRequest(
        name=VOLUME,
        region=region,
        size_gb=VOLUME_GB,
        encrypted=True,
        require_unique_zone=True,
        compute=_guest(),
        compute_image=IMAGE,
    )


def machine_request(
    region: str | None, volume: str, secrets_version: int | None
) -> models.CreateMachineRequest:
    """The machine: Postgres on the volume, reachable at APP.flycast:5432."""
    config = models.FlyMachineConfig(
        image=IMAGE,
        env={"PGDATA": f"{MOUNT}/postgres", "PRIMARY_REGION": region or ""},
        guest=_guest(),
        mounts=[models.FlyMachineMount(volume=volume, path=MOUNT, name=VOLUME)],
        services=[_service()],
        checks={
            "postgres": models.FlyMachineCheck(
                type="tcp", port=PORT, interval="15s", timeout="10s", grace_period="30s"
            )
        },
        restart=models.FlyMachineRestart(policy="always"),
        metadata={"fly_platform_version": "v2", "fly_process_group": "app"},
    )
    return models.CreateMachineRequest(
        name=MACHINE, region=region, config=config, min_secrets_version=secrets_version
    )


def _service() -> models.FlyMachineService:
    # The platform's default limits are for web apps: far fewer connections than a pool opens.
    concurrency = models.FlyMachineServiceConcurrency(
        type="connections", soft_limit=1000, hard_limit=1000
    )
    return models.FlyMachineService(
        protocol="tcp",
        internal_port=PORT,
        ports=[models.FlyMachinePort(port=PORT)],
        autostart=True,
        autostop="off",
        concurrency=concurrency,
    )
