"""`fly deploy`: its calls on machines, in its order, as the recordings and its code have them."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from itertools import count
from typing import Any, Final

import anyio
from attrs import define, field

from fly_machines import models
from score_flyio.deploy.desired.launch import launch_plan
from score_flyio.deploy.desired.settings import deploy_settings
from score_flyio.deploy.desired.update import MachineUpdate, update_input
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.fly.codec import structure_answer, unstructure
from score_flyio.flytoml.groups import process_groups
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import Release
from tests.simulation.crowd.apps import CrowdApp
from tests.simulation.crowd.others import THEIRS, Failed, Hands, Json, group_of

TTL: Final = 13
RENEWED_EVERY: Final = 4.0
PAUSE: Final = 10.0
SAFE: Final = "safe_to_destroy"
TAG: Final = "fly_bluegreen_deployment_tag"
_numbers = count(1)


@define(eq=False)
class Deploying:
    """One deploy of one version."""

    hands: Hands
    app: CrowdApp
    stage: int
    spec: AppSpec = field(init=False)
    release: Release = field(init=False)
    machines: list[Json] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.spec = self.app.spec(self.stage)
        number = next(_numbers)
        self.release = Release(id=f"{THEIRS}{number}", version=100 + number, tool_version="0.4.9")

    async def run(self) -> None:
        """All of it. Raises Failed."""
        if await self.hands.call("GET", "") is None:
            raise Failed("there is no such app")
        self.machines = await self.hands.machines()
        volumes = await self.hands.call("GET", "/volumes") or []
        first = not self.machines
        groups = process_groups(self.spec)
        present = {group_of(machine) for machine in self.machines}
        if not first and any(not self._room(group, volumes) for group in {*groups} - present):
            raise Failed("a new group needs a volume that is not there")
        await self._release_command()
        for machine in [m for m in self.machines if group_of(m) not in groups]:
            await self.hands.destroy(machine["id"])
            self.machines.remove(machine)
        for group in sorted({*groups} - present):
            await self._launch(group, first=first, volumes=volumes)
        await self._update()

    def _room(self, group: str, volumes: Iterable[Json]) -> bool:
        names = self._volumes_of(group)
        return all(self._free(name, volumes) for name in names)

    @staticmethod
    def _free(name: str, volumes: Iterable[Json]) -> Json | None:
        found = (
            v
            for v in volumes
            if v["name"] == name and not v.get("attached_machine_id") and v["region"] == "iad"
        )
        return next((v for v in found if v.get("host_status", "ok") == "ok"), None)

    def _volumes_of(self, group: str) -> list[str]:
        stage = self.app.stages[self.stage].group(group)
        return [stage.volume] if stage and stage.volume else []

    async def _release_command(self) -> None:
        stage = self.app.stages[self.stage]
        if not stage.release_command:
            return
        words = ["migrate", *(["--fail"] if stage.bad == "release" else [])]
        config = {
            "image": f"registry/x:{stage.image}",
            "init": {"cmd": words},
            "restart": {"policy": "no"},
            "auto_destroy": True,
            "dns": {"skip_registration": True},
            "env": {"RELEASE_COMMAND": "1", "FLY_PROCESS_GROUP": "fly_app_release_command"},
            "metadata": {
                "fly_platform_version": "v2",
                "fly_process_group": "fly_app_release_command",
                "fly_release_id": self.release.id,
                "fly_release_version": str(self.release.version),
            },
        }
        body = {"config": config, "region": "iad", "skip_launch": True}
        name = await self.hands.create(body)
        await self._wait(name, "stopped")
        await self.hands.call("POST", f"/machines/{name}/start")
        await self._wait(name, "destroyed")
        if stage.bad == "release":
            raise Failed("the release command failed")

    async def _launch(self, group: str, *, first: bool, volumes: list[Json]) -> None:
        plan = launch_plan(
            self.spec,
            group,
            image=f"registry/x:{self.app.stages[self.stage].image}",
            release=self.release,
            files=NO_FILES,
        )
        body = unstructure(plan.first)
        for name in self._volumes_of(group):
            free = None if first else self._free(name, volumes)
            if free is None:
                asked = {"name": name, "region": "iad", "size_gb": 1}
                free = await self.hands.call("POST", "/volumes", asked)
            else:
                volumes.remove(free)
            body["config"]["mounts"][0]["volume"] = free["id"]
        body["lease_ttl"] = 60
        made = await self.hands.create(body)
        await self._well(made, body["config"])
        if plan.availability == "single":
            return
        second = body
        if plan.availability == "standby":
            second = {**unstructure(plan.standby(made)), "lease_ttl": 60}
        await self.hands.create(second)
        await self.hands.release()

    async def _update(self) -> None:
        failure: Failed | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._renew)
            try:
                async with self.hands.holding(*(m["id"] for m in self.machines), ttl=TTL):
                    await self._all_machines(str(deploy_settings(self.spec).strategy))
            except Failed as error:  # a task group would wrap it
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _all_machines(self, strategy: str) -> None:
        if strategy == "bluegreen" and self.machines:
            await self._bluegreen()
            return
        await self._canary(strategy == "canary")
        await self._roll(strategy == "immediate")

    async def _renew(self) -> None:
        while True:
            await anyio.sleep(RENEWED_EVERY)
            for machine in list(self.hands.nonces):
                path = f"/machines/{machine}/lease"
                try:
                    await self.hands.call("POST", path, {"ttl": TTL}, machine=machine, fails=True)
                except Failed:
                    continue

    async def _canary(self, wanted: bool) -> None:
        if not wanted:
            return
        for group in {group_of(machine) for machine in self.machines}:
            like = next(m for m in self.machines if group_of(m) == group)
            config = self._changed(like).config
            config["metadata"]["fly_canary"] = "true"
            config["dns"] = {"skip_registration": True}
            config.pop("standbys", None)
            made = await self.hands.create({"config": config, "region": like["region"]})
            await self._well(made, config)
            await self.hands.destroy(made)

    async def _roll(self, immediate: bool) -> None:
        for group in sorted({group_of(machine) for machine in self.machines}):
            members = [machine for machine in self.machines if group_of(machine) == group]
            for machine in members:
                await self._one(machine, waits=not immediate)

    async def _one(self, machine: Json, *, waits: bool) -> None:
        change = self._changed(machine)
        if change.replaced:
            await self._replaced(machine, change)
            return
        launches = machine["state"] in {"started", "starting", "failed"}
        launches = launches and not change.config.get("standbys")
        body = {"config": change.config, "skip_launch": not launches}
        await self.hands.call("POST", f"/machines/{machine['id']}", body, machine=machine["id"])
        self.hands.known.touched[machine["id"]] = self.hands.emulator.now()
        if waits and launches:
            await self._well(machine["id"], change.config)

    async def _replaced(self, machine: Json, change: Change) -> None:
        volumes = await self.hands.call("GET", "/volumes") or []
        config = change.config
        for mount in config.get("mounts") or []:
            free = self._free(mount["name"], volumes)
            if free is None:
                raise Failed("no volume for the machine that replaces one")
            mount["volume"] = free["id"]
        await self.hands.destroy(machine["id"])
        made = await self.hands.create({"config": config, "region": machine["region"]})
        await self._well(made, config)

    async def _bluegreen(self) -> None:
        greens: list[str] = []
        try:
            for number, blue in enumerate(self.machines):
                change = self._changed(blue)
                config = change.config
                config["metadata"] |= {
                    TAG: str(int(self.hands.emulator.now())),
                    "fly_flyctl_bluegreen_launch_id": f"L{self.release.version}-{number}",
                }
                body = {
                    "config": config,
                    "region": blue["region"],
                    "skip_service_registration": True,
                    "skip_launch": blue["state"] != "started",
                }
                greens.append(await self.hands.create(body))
            running = [
                green
                for green, blue in zip(greens, self.machines, strict=True)
                if blue["state"] == "started"
            ]
            for green in running:
                await self._well(green, {"checks": True})
        except Failed:
            for green in greens:
                await self.hands.call("DELETE", f"/machines/{green}?kill=true", fails=True)
            raise
        for green in greens:
            await self.hands.call("POST", f"/machines/{green}/uncordon")
        blues = [machine["id"] for machine in self.machines]
        for blue in blues:
            path = f"/machines/{blue}/metadata/{TAG}"
            await self.hands.call("POST", path, {"value": SAFE}, machine=blue, fails=True)
        await anyio.sleep(PAUSE)
        for blue in blues:
            path = f"/machines/{blue}/cordon"
            await self.hands.call("POST", path, machine=blue, fails=True)
        await anyio.sleep(PAUSE)
        for blue in blues:
            body = {"id": blue, "timeout": "0s"}
            await self.hands.call("POST", f"/machines/{blue}/stop", body, machine=blue, fails=True)
            await self._wait(blue, "stopped")
            await self.hands.destroy(blue)

    def _changed(self, machine: Json) -> Change:
        known = structure_answer(machine, models.Machine)
        update: MachineUpdate = update_input(
            self.spec,
            group_of(machine),
            known,
            image=f"registry/x:{self.app.stages[self.stage].image}",
            release=self.release,
            files=NO_FILES,
        )
        config = deepcopy(unstructure(update.request)["config"])
        return Change(config, bool(update.replaced_because))

    async def _wait(self, machine: str, state: str) -> None:
        path = f"/machines/{machine}/wait?state={state}&timeout=60"
        answer = await self.hands.call("GET", path, fails=True)
        if answer is None and state == "started":
            raise Failed(f"{machine} is not {state}")

    async def _well(self, machine: str, config: Json) -> None:
        await self._wait(machine, "started")
        checks = config.get("checks") or any(s.get("checks") for s in config.get("services") or ())
        for _ in range(60 if checks else 0):
            found = await self.hands.call("GET", f"/machines/{machine}")
            if found is None:
                raise Failed(f"{machine} is gone")
            states = [check["status"] for check in found.get("checks") or []]
            if states and set(states) == {"passing"}:
                return
            await anyio.sleep(1)
        if checks:
            raise Failed(f"{machine} is not healthy")


@define
class Change:
    """What becomes of one machine."""

    config: Any
    replaced: bool
