"""Managed Postgres: clusters as the platform tells of them. No server runs behind them."""

from __future__ import annotations

from typing import Final

from fly_emulator.calls import Call, Handler, want_integer, want_text
from fly_emulator.records import ClusterRecord, Json
from fly_emulator.wire import Outcome, Refusal
from score_flyio.base.clock import rfc3339

_PLANS: Final = {
    "basic": (2, 1024),
    "starter": (2, 2048),
    "launch": (2, 8192),
    "scale": (4, 32_768),
    "performance": (8, 65_536),
}
"""Processors and memory of each plan, in MiB."""
_USER: Final = "fly-user"
_READY_AFTER: Final = 1.0
_PORT: Final = 5432


def _document(call: Call, cluster: ClusterRecord) -> Json:
    organization = call.settings.owner(cluster.organization)
    cpus, memory = _PLANS[cluster.plan]
    return {
        "id": cluster.id,
        "name": cluster.name,
        "status": "ready" if call.now >= cluster.created_at + _READY_AFTER else "initializing",
        "region": cluster.region,
        "plan": cluster.plan,
        "disk_size_gb": cluster.disk_gb,
        "cpus": cpus,
        "cpu_kind": "shared",
        "memory_mb": memory,
        "replicas": 1,
        "pg_major_version": cluster.major_version,
        "postgis_enabled": cluster.postgis,
        "endpoints": {
            "primary": {
                "direct": {"host": f"direct.{cluster.id}.flympg.net", "port": _PORT},
                "pooler": {"host": f"pgbouncer.{cluster.id}.flympg.net", "port": _PORT},
            }
        },
        "organization": {"name": organization.name, "slug": organization.slug},
        "created_at": rfc3339(cluster.created_at),
        "attached_apps": [],
    }


def _create(call: Call) -> Outcome:
    body = call.body()
    organization = call.organization(want_text(body, "org_slug"))
    region = str(body.get("region") or call.settings.nearest)
    plan, version = body.get("plan") or "basic", body.get("pg_major_version") or "17"
    if call.settings.region(region) is None:
        raise Refusal(400, f"invalid region: {region!r}")
    if not isinstance(plan, str) or plan not in _PLANS:
        raise Refusal(400, f"invalid plan: {plan!r} is none of {', '.join(_PLANS)}")
    if not isinstance(version, str):
        raise Refusal(400, f"invalid pg_major_version: {version!r} is not a text")
    cluster = ClusterRecord(
        id=call.world.letters(16),
        name=want_text(body, "name"),
        organization=organization.slug,
        region=region,
        plan=plan,
        disk_gb=want_integer(body, "disk_size_gb", 10),
        major_version=version,
        postgis=body.get("postgis_enabled") is True,
        password=call.world.letters(24),
        created_at=call.now,
    )
    call.world.clusters[cluster.id] = cluster
    return {"data": _document(call, cluster)}


def _cluster(call: Call) -> ClusterRecord:
    cluster = call.world.clusters.get(call.path["cluster_id"])
    if cluster is None or not call.may_use(cluster.organization):
        raise Refusal(404, f"cluster not found: {call.path['cluster_id']}")
    return cluster


def _credentials(call: Call) -> Outcome:
    cluster, user = _cluster(call), call.path["username"]
    if user != _USER:
        raise Refusal(404, f"user not found: {user}")
    return {"data": {"username": user, "password": cluster.password}}


HANDLERS: Final[dict[str, Handler]] = {
    "ManagedPostgres_create": _create,
    "ManagedPostgres_show": lambda call: {"data": _document(call, _cluster(call))},
    "ManagedPostgres_user_credentials": _credentials,
}
