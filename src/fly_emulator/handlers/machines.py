"""Machines: create, list, show, update, versions and events; which volume one gets and keeps."""

from __future__ import annotations

from typing import Final

from fly_emulator import configs, documents, guests, lifecycle
from fly_emulator.calls import Call, Handler, want_integer
from fly_emulator.handlers.actions import check_host
from fly_emulator.handlers.leases import grant, ttl_of
from fly_emulator.handlers.secrets import check_newest
from fly_emulator.records import App, Host, Json, MachineRecord, VolumeRecord
from fly_emulator.wire import Outcome, Refusal
from fly_emulator.world import World

_MAX_EVENTS: Final = 50


def _create(call: Call) -> Outcome:
    body, app = call.body(), call.app()
    config = configs.accept(body.get("config"), call.settings)
    if config.get("image") in call.settings.missing_images:
        raise Refusal(404, f"failed to resolve image {config['image']}: manifest not found")
    _check_secrets(call, app, body)
    name = str(body.get("name") or "") or call.world.machine_name()
    _check_name(call, app, name)
    ttl = ttl_of(call, body["lease_ttl"]) if body.get("lease_ttl") else None
    host, volume, config = _choose_host(call, app, config, str(body.get("region") or ""))
    host.used_mb += guests.memory_of(config)
    number = call.world.number()
    low, high = number & 0xFFFF, number >> 16
    machine = MachineRecord(
        id=call.world.hexadecimal(14),
        name=name,
        app=app.name,
        region=host.region,
        host=host.id,
        private_ip=f"fdaa:0:{app.number:x}:a7b:{high:x}:{low:x}:{host.zone}:2",
        created_at=call.now,
        updated_at=call.now,
        visible_at=call.now + call.settings.visibility_delay,
        number=number,
        versions=[call.world.version(config, call.now)],
        launch=not body.get("skip_launch"),
        cordoned=bool(body.get("skip_service_registration")),
    )
    call.world.add_machine(app, machine)
    if volume is not None:
        volume.attached_machine_id = machine.id
    lifecycle.create(call.world, machine, call.now)
    return _changed(call, machine, ttl)


def _changed(call: Call, machine: MachineRecord, ttl: int | None) -> Json:
    """The machine as it is now, with a lease where one was asked for."""
    document = documents.machine_document(call.world, machine, call.now)
    if ttl is not None:
        document["nonce"] = grant(call, machine, ttl, "").nonce
    return document


def _check_secrets(call: Call, app: App, body: Json) -> None:
    wanted = want_integer(body, "min_secrets_version", 0)
    if wanted == app.secrets_version and app.secrets:
        arrived = app.secrets_changed_at + call.settings.secrets_arrive_after
        if call.now < arrived:
            raise Refusal(412, f"failed_precondition: secrets version {wanted} has not arrived yet")
    check_newest(app, wanted)


def _check_name(call: Call, app: App, name: str) -> None:
    machine = call.world.named(app, name)
    if machine is not None and call.settings.unique_machine_names:
        raise Refusal(
            call.settings.name_taken_status,
            f"already_exists: the unique machine name {name!r} is that of {machine.id}",
        )


def _choose_host(
    call: Call, app: App, config: Json, wish: str
) -> tuple[Host, VolumeRecord | None, Json]:
    """The host of a new machine: that of its volume, else one with room; and its config."""
    codes = call.regions(wish)
    memory = guests.memory_of(config)
    volume, config = _with_volume(call.world, app, config, codes if wish else None)
    if volume is None:
        return call.world.place(app, codes, memory, call.seen), None, config
    host = call.world.hosts[volume.host]
    if host.status != "ok" or host.memory_mb - host.used_mb < memory:
        text = "insufficient resources to create new machine with existing volume"
        raise call.world.no_room(412, text, "volume_placement")
    return host, volume, config


def _update(call: Call) -> Outcome:
    machine, body, app = call.held_machine(), call.body(), call.app()
    config = configs.accept(body.get("config"), call.settings)
    _check_unchanged(call, machine, body)
    _check_secrets(call, app, body)
    _check_kept(machine, config.get("mounts") or [])
    ttl = ttl_of(call, body["lease_ttl"]) if body.get("lease_ttl") else None
    _resize(call, machine, config)
    if body.get("skip_service_registration"):
        machine.cordoned = True
    _replace(call, machine, config, launch=not body.get("skip_launch"))
    return _changed(call, machine, ttl)


def _replace(call: Call, machine: MachineRecord, config: Json, *, launch: bool) -> None:
    same = config == machine.config and machine.state == "started" and launch
    if same and not call.settings.update_restarts_unchanged:
        return
    machine.busy_until = call.now + call.settings.busy_after_update
    if config.get("image") in call.settings.missing_images or call.world.giving_up:
        lifecycle.give_up(call.world, machine, config, call.now)
        return
    lifecycle.replace(call.world, machine, config, call.now, launch=launch)


def _check_unchanged(call: Call, machine: MachineRecord, body: Json) -> None:
    expected = body.get("current_version")
    if expected and expected != machine.instance_id:
        raise Refusal(
            call.settings.version_mismatch_status,
            f"failed_precondition: current version is {machine.instance_id}, not {expected}",
        )
    for name, value in (("name", machine.name), ("region", machine.region)):
        if body.get(name) and body[name] != value:
            raise Refusal(400, f"invalid {name}: it cannot be changed from {value!r}")


def _resize(call: Call, machine: MachineRecord, config: Json) -> None:
    host = call.world.host_of(machine)
    check_host(call, machine)
    more = guests.memory_of(config) - guests.memory_of(machine.config)
    if more > max(0, host.memory_mb - host.used_mb):
        raise call.world.no_room(409, "could not reserve resource for machine: insufficient memory")
    host.used_mb += more


def _list(call: Call) -> Outcome:
    app, summary, deleted = call.app(), call.flag("summary"), call.flag("include_deleted")
    states, codes = set(call.query_list("state")), set(call.query_list("region"))
    metadata = {
        key.removeprefix("metadata."): value
        for key, value in call.request.query
        if key.startswith("metadata.")
    }
    return [
        documents.machine_document(call.world, machine, call.now, summary=summary)
        for machine in call.world.machines_of(app)
        if call.sees(machine)
        and (deleted or not machine.destroyed)
        and (deleted or call.settings.lists_those_that_go or machine.state != "destroying")
        and (not states or machine.state in states)
        and (not codes or machine.region in codes)
        and machine.region not in call.world.unlisted
        and metadata.items() <= (machine.config.get("metadata") or {}).items()
    ]


def _versions(call: Call) -> Outcome:
    return [
        {"version": version.instance_id, "user_config": version.config}
        for version in reversed(call.machine().versions)
    ]


def _events(call: Call) -> Outcome:
    machine, limit = call.machine(), call.integer("limit", 20)
    newest = machine.events[::-1][: min(max(limit, 1), _MAX_EVENTS)]
    return [documents.event_document(event) for event in newest]


HANDLERS: Final[dict[str, Handler]] = {
    "Machines_create": _create,
    "Machines_list": _list,
    "Machines_show": lambda call: documents.machine_document(call.world, call.machine(), call.now),
    "Machines_update": _update,
    "Machines_list_versions": _versions,
    "Machines_list_events": _events,
}


def _with_volume(
    world: World, app: App, config: Json, codes: tuple[str, ...] | None
) -> tuple[VolumeRecord | None, Json]:
    """The volume that a new machine mounts, and its config with the volume's id filled in.

    `codes` are the regions that it may be in; None: where its volume is.

    Raises Refusal: there is no such volume, or it is in use or elsewhere.
    """
    mounts = config.get("mounts") or []
    if not mounts:
        return None, config
    volume = _find(world, app, mounts[0], codes)
    if volume.attached_machine_id is not None:
        text = f"volume already claimed by machine {volume.attached_machine_id}"
        raise Refusal(412, f"failed_precondition: {text}")
    if codes is not None and volume.region not in codes:
        raise Refusal(400, f"volume {volume.id} is in {volume.region}, not in {', '.join(codes)}")
    return volume, {**config, "mounts": [{**mounts[0], "volume": volume.id}]}


def _find(world: World, app: App, mount: Json, codes: tuple[str, ...] | None) -> VolumeRecord:
    wanted = mount.get("volume")
    for volume in world.living_volumes(app):
        if volume.id == wanted:
            return volume
        near = codes is None or volume.region in codes
        free = near and volume.attached_machine_id is None
        if wanted is None and volume.name == mount.get("name") and free:
            return volume
    raise Refusal(404 if wanted else 422, f"volume not found: {wanted or mount.get('name')}")


def _check_kept(machine: MachineRecord, mounts: list[Json]) -> None:
    before = [mount.get("volume") for mount in machine.config.get("mounts") or ()]
    after = [mount.get("volume") for mount in mounts]
    if before != after:
        raise Refusal(
            400, f"invalid config.mounts: volumes cannot be changed from {before} to {after}"
        )
