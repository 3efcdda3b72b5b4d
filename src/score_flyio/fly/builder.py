"""The remote builder of an organization: an app of a role of its own, found or made.

It is the one that flyctl uses and makes, too: a Docker daemon behind a login, which the proxy wakes
and which ends itself when nobody builds.
"""

from __future__ import annotations

from typing import Final

from fly_machines import FlyMachinesApi, models
from score_flyio.fly.creation import create_machine
from score_flyio.fly.present import ip_type, kept, living
from score_flyio.fly.repeats import assign_ip, create_app, create_volume, once_visible

ROLE: Final = "remote-docker-builder"
IMAGE: Final = "docker-hub-mirror.fly.io/flyio/rchab:sha-9346699"
"""The one that flyctl takes."""
ADDRESS: Final = "shared_v4"
VOLUME: Final = "machine_data"
VOLUME_GB: Final = 50
PORT: Final = 8080
GUEST: Final = models.FlyMachineGuest(cpu_kind="shared", cpus=4, memory_mb=4096)


async def ensure_builder(
    api: FlyMachinesApi, org: str, *, new_id: str, region: str | None = None
) -> str:
    """The app of the organization's builder; what is missing of it is made.

    `new_id` makes the name of a new builder and its launch unique; without a region the platform
    chooses one. Raises NotAuthorized.
    """
    apps = (await api.apps_list(org_slug=org, app_role=ROLE)).apps or []
    found = min((app.name for app in apps if app.name), default=None)
    app = found or f"fly-builder-{new_id.lower()}"
    if found is None:
        await create_app(api, app, org, role=ROLE)
    addresses = (await once_visible(lambda: api.app_ip_assignments_list(app))).ips or []
    if ADDRESS not in map(ip_type, addresses):
        request = models.AssignIPRequest(type=ADDRESS)
        await assign_ip(api, app, request, {each.ip for each in addresses if each.ip})
    if not any(map(living, await once_visible(lambda: api.machines_list(app)))):
        volume = await _volume(api, app, region)
        await create_machine(api, app, _machine(app, org, volume), new_id)
    return app


async def _volume(api: FlyMachinesApi, app: str, region: str | None) -> models.Volume:
    there = [volume for volume in await api.volumes_list(app) if kept(volume)]
    if there:
        return there[0]
    request = models.CreateVolumeRequest(
        name=VOLUME,
        size_gb=VOLUME_GB,
        region=region,
        auto_backup_enabled=False,
        compute=GUEST,
        compute_image=IMAGE,
    )
    return await create_volume(api, app, request, set())


def _machine(app: str, org: str, volume: models.Volume) -> models.CreateMachineRequest:
    over_http = models.FlyHTTPOptions(h2_backend=True)
    ports = [
        models.FlyMachinePort(port=80, handlers=["http"], force_https=True, http_options=over_http),
        models.FlyMachinePort(
            port=443,
            handlers=["http", "tls"],
            tls_options=models.FlyTLSOptions(alpn=["h2"]),
            http_options=over_http,
        ),
    ]
    service = models.FlyMachineService(
        protocol="tcp",
        internal_port=PORT,
        ports=ports,
        autostart=True,
        autostop="off",  # it knows by itself when nobody builds
        min_machines_running=0,
    )
    config = models.FlyMachineConfig(
        image=IMAGE,
        env={"ALLOW_ORG_SLUG": org, "DATA_DIR": "/data", "LOG_LEVEL": "debug"},
        guest=GUEST,
        mounts=[models.FlyMachineMount(volume=volume.id, path="/data", name=app)],
        services=[service],
    )
    return models.CreateMachineRequest(region=volume.region, config=config)
