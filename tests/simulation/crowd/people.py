"""What people do to single machines with flyctl, and on the dashboard."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Final

from attrs import define

from tests.simulation.crowd.others import Failed, Hands, Json, group_of, new_release
from tests.simulation.crowd.schedule import PersonDoes

THEIR_SECRET: Final = "THEIRS"
OF_A_DEPLOY: Final = (
    "fly_flyctl_version",
    "fly_platform_version",
    "fly_process_group",
    "fly_release_id",
    "fly_release_version",
)
"""Metadata of machines that flyctl makes new."""


@define(eq=False)
class Person:
    """Somebody with flyctl."""

    hands: Hands
    rng: random.Random

    async def do(self, deed: PersonDoes) -> None:
        """One command. Raises Failed."""
        machines = [m for m in await self.hands.machines() if m.get("config")]
        if deed in {"runs_stray", "runs_scheduled"}:
            await self._run(scheduled=deed == "runs_scheduled")
        elif deed in {"sets_secret", "stages_secret", "unsets_secret"}:
            await self._secret(deed, machines)
        elif deed == "makes_volume":
            asked = {"name": self.rng.choice(("data", "logs")), "region": "iad", "size_gb": 1}
            await self.hands.call("POST", "/volumes", asked)
        elif deed == "extends_volume":
            await self._extend()
        elif deed == "releases_address":
            await self._release_address()
        elif machines:
            await self._to_one(deed, self.rng.choice(machines), machines)

    async def _to_one(self, deed: str, machine: Json, machines: list[Json]) -> None:
        group = [m for m in machines if group_of(m) == group_of(machine)]
        match deed:
            case "clones":
                await self._clone(machine, group_of(machine))
            case "clones_to_group":
                await self._clone(machine, group_of(self.rng.choice(machines)))
            case "scales_up":
                first = group[0]
                async with self.hands.holding(*(m["id"] for m in machines)):
                    await self._clone(first, group_of(first), fresh=True)
            case "scales_down":
                async with self.hands.holding(*(m["id"] for m in machines)):
                    await self.hands.destroy(group[0]["id"])
            case "resizes":
                await self._resize(group)
            case _:
                async with self.hands.holding(machine["id"]):
                    await self._held(deed, machine)

    async def _held(self, deed: str, machine: Json) -> None:
        """What it may have become is noted before: an answer may be lost."""
        name = machine["id"]
        path, known = f"/machines/{name}", self.hands.known
        match deed:
            case "stops":
                known.stopped.add(name)
                await self.hands.call("POST", f"{path}/stop", {}, machine=name)
            case "starts":
                await self.hands.call("POST", f"{path}/start", machine=name)
                known.stopped.discard(name)
                known.touched[name] = self.hands.emulator.now()
            case "restarts":
                await self.hands.call("POST", f"{path}/restart?force_stop=false", machine=name)
                known.touched[name] = self.hands.emulator.now()
            case "cordons":
                known.cordoned.add(name)
                await self.hands.call("POST", f"{path}/cordon", machine=name)
            case "destroys":
                await self.hands.destroy(name)
            case _:
                config = deepcopy(machine["config"])
                if deed == "schedules":
                    config["schedule"] = "hourly"
                else:
                    config["env"] = {**(config.get("env") or {}), "HAND": "made"}
                await self._update(machine, config)

    async def _update(self, machine: Json, config: Json) -> None:
        launches = machine["state"] in {"started", "starting", "failed"}
        body = {"config": config, "name": machine["name"], "skip_launch": not launches}
        name = machine["id"]
        await self.hands.call("POST", f"/machines/{name}", body, machine=name)
        self.hands.known.touched[name] = self.hands.emulator.now()

    async def _clone(self, machine: Json, group: str, *, fresh: bool = False) -> None:
        """A copy with all metadata, or one that is made of the deployed file, as `scale` does."""
        config = deepcopy(machine["config"])
        if fresh:
            config["metadata"] = {k: v for k, v in config["metadata"].items() if k in OF_A_DEPLOY}
        config["metadata"]["fly_process_group"] = group
        if group != group_of(machine):
            config["init"] = {**(config.get("init") or {}), "cmd": ["run", group]}
        config.pop("standbys", None)
        (config.get("env") or {}).pop("FLY_STANDBY_FOR", None)
        for mount in config.get("mounts") or []:
            asked = {"name": mount["name"], "region": machine["region"], "size_gb": 1}
            volume = await self.hands.call("POST", "/volumes", asked)
            mount["volume"] = volume["id"]
        await self.hands.create({"config": config, "region": machine["region"]})
        self.hands.known.added += 1

    async def _run(self, *, scheduled: bool) -> None:
        config: Json = {"image": "registry/tool:1", "env": {"EMULATE_HEALTHY": "0.1"}}
        if scheduled:
            config["schedule"] = "hourly"
            config["env"] |= {"EMULATE_EXIT": "0", "EMULATE_EXIT_AFTER": "5"}
        await self.hands.create({"config": config, "region": "iad"})

    async def _resize(self, group: list[Json]) -> None:
        memory = self.rng.choice((512, 1024))
        async with self.hands.holding(*(m["id"] for m in group)):
            for machine in group:
                config = deepcopy(machine["config"])
                config["guest"] = {**(config.get("guest") or {}), "memory_mb": memory}
                await self._update(machine, config)

    async def _secret(self, deed: str, machines: list[Json]) -> None:
        value = None if deed == "unsets_secret" else str(self.rng.random())
        await self.hands.call("POST", "/secrets", {"values": {THEIR_SECRET: value}})
        if deed == "stages_secret":
            return
        release = new_release()
        async with self.hands.holding(*(m["id"] for m in machines)):
            for machine in machines:
                config = deepcopy(machine["config"])
                config["metadata"] |= {
                    "fly_flyctl_version": "0.4.9",
                    "fly_release_id": release.id,
                    "fly_release_version": str(release.version),
                }
                await self._update(machine, config)

    async def _extend(self) -> None:
        volumes = await self.hands.volumes()
        if not volumes:
            return
        volume = self.rng.choice(sorted(volumes, key=lambda v: str(v["id"])))
        size = {"size_gb": volume["size_gb"] + 1}
        await self.hands.call("PUT", f"/volumes/{volume['id']}/extend", size)

    async def _release_address(self) -> None:
        answer = await self.hands.call("GET", "/ip_assignments") or {}
        found = sorted(one["ip"] for one in answer.get("ips") or [])
        if not found:
            raise Failed("there is no address")
        await self.hands.call("DELETE", f"/ip_assignments/{found[0]}")
