"""`fly deploy`: its calls on machines, in its order, as the recordings and its code have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from copy import deepcopy
from functools import partial
from math import ceil
from typing import Final, Literal, TypeAlias

import anyio
from attrs import define, field

from fly_machines import models
from score_flyio.deploy.desired.requests import (
    MachineUpdate,
    availability,
    launch_request,
    standby_request,
    update_input,
)
from score_flyio.deploy.desired.settings import deploy_settings
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.fly.codec import structure_answer, unstructure
from score_flyio.flytoml.groups import process_groups
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import Release
from tests.simulation.crowd.apps import CrowdApp
from tests.simulation.crowd.others import Failed, Hands, Json, group_of, new_release

TTL: Final = 13
LAUNCH_TTL: Final = 300
"""What it makes it holds for as long as it waits, unless it gives it back."""
RENEWED_EVERY: Final = 4.0
PAUSE: Final = 10.0
SMOKE: Final = 10.0
"""How long a machine is watched for crashes."""
AT_ONCE: Final = 8
COLD_AT_ONCE: Final = 30
UNAVAILABLE: Final = 0.33
SAFE: Final = "safe_to_destroy"
TAG: Final = "fly_bluegreen_deployment_tag"
LAUNCH: Final = "fly_flyctl_bluegreen_launch_id"
LAUNCHES: Final = 3

Job: TypeAlias = Callable[[], Awaitable[None]]
AfterFailure: TypeAlias = Literal["go on", "begin no more", "cancel"]


async def all_of(jobs: Iterable[Job], *, at_once: int, after_failure: AfterFailure) -> None:
    """Does them, some at a time. Raises Failed: the first failure, once all have ended."""
    failures: list[Failed] = []
    limiter = anyio.CapacityLimiter(at_once)

    async def do(job: Job) -> None:
        async with limiter:
            if failures and after_failure != "go on":
                return
            try:
                await job()
            except Failed as failure:
                failures.append(failure)
                if after_failure == "cancel":
                    tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for job in jobs:
            tasks.start_soon(do, job)
    if failures:
        raise failures[0]


def volume_of(machine: Json) -> str:
    """The name of the volume that it mounts."""
    config = machine.get("config") or machine.get("incomplete_config") or {}
    return next((str(mount.get("name")) for mount in config.get("mounts") or ()), "")


def metadata_of(machine: Json) -> Json:
    """That of its config, as far as it shows."""
    return dict((machine.get("config") or {}).get("metadata") or {})


def answers(machine: Json) -> bool:
    """Whether its host does."""
    return bool(machine.get("host_status", "ok") == "ok")


@define(eq=False)
class Deploying:
    """One deploy of one version."""

    hands: Hands
    app: CrowdApp
    stage: int
    spec: AppSpec = field(init=False)
    release: Release = field(init=False)
    machines: list[Json] = field(factory=list)
    free: list[Json] = field(factory=list)
    """Volumes that no machine has."""

    def __attrs_post_init__(self) -> None:
        self.spec = self.app.spec(self.stage)
        self.release = new_release()

    @property
    def _image(self) -> str:
        return f"registry/x:{self.app.stages[self.stage].image}"

    async def run(self) -> None:
        """All of it. Raises Failed."""
        if await self.hands.call("GET", "") is None:
            raise Failed("there is no such app")
        self.machines = await self.hands.machines()
        self.free = [
            volume
            for volume in await self.hands.volumes()
            if not volume.get("attached_machine_id") and answers(volume)
        ]
        first = not self.machines
        groups = process_groups(self.spec)
        if first:
            await self._first_volumes(groups)
        self._check_volumes(groups)
        await self._release_command()
        strategy = str(deploy_settings(self.spec).strategy)
        if strategy == "canary" and not first:
            canaries = [partial(self._canary, group) for group in groups]
            await all_of(canaries, at_once=len(canaries), after_failure="cancel")
        for machine in [m for m in self.machines if group_of(m) not in groups]:
            await self.hands.destroy(machine["id"])
            self.machines.remove(machine)
        present = {group_of(machine) for machine in self.machines}
        for group in sorted({*groups} - present):
            await self._launch(group, waits=strategy != "immediate")
        changes = [self._changed(machine) for machine in self.machines]
        await self._update(changes, strategy)

    async def _first_volumes(self, groups: Iterable[str]) -> None:
        there = Counter(volume["name"] for volume in self.free)
        wanted = Counter(filter(None, map(self._mount_of, groups)))
        for name in (wanted - there).elements():
            asked = {"name": name, "region": "iad", "size_gb": 1}
            self.free.append(await self.hands.call("POST", "/volumes", asked))

    def _mount_of(self, group: str) -> str:
        stage = self.app.stages[self.stage].group(group)
        return stage.volume or "" if stage else ""

    def _check_volumes(self, groups: Iterable[str]) -> None:
        """What it refuses before it begins; to detach volumes it is allowed when it asks."""
        for group in groups:
            name = self._mount_of(group)
            members = [machine for machine in self.machines if group_of(machine) == group]
            if not name:
                continue
            if any(volume_of(machine) not in {"", name} for machine in members):
                raise Failed("a machine cannot mount another volume")
            bare = (machine["region"] for machine in members if not volume_of(machine))
            lacking = Counter(bare) - Counter(v["region"] for v in self.free if v["name"] == name)
            none = not members and all(volume["name"] != name for volume in self.free)
            if lacking or none:
                raise Failed(f"a volume {name} is needed that is not there")

    def _pop(self, name: str, region: str) -> str:
        for volume in self.free:
            if (volume["name"], volume["region"]) == (name, region):
                self.free.remove(volume)
                return str(volume["id"])
        raise Failed(f"no volume {name} in {region} is free")

    async def _release_command(self) -> None:
        stage = self.app.stages[self.stage]
        if not stage.release_command:
            return
        words = ["migrate", *(["--fail"] if stage.bad == "release" else [])]
        config = self._temporary("fly_app_release_command", words, RELEASE_COMMAND="1")
        body = {"config": config, "region": "iad", "skip_launch": True}
        name = await self.hands.create(body)
        await self._wait(name, "stopped")
        await self.hands.call("POST", f"/machines/{name}/start")
        await self._wait(name, "destroyed")
        if stage.bad == "release":
            raise Failed("the release command failed")

    def _temporary(self, group: str, words: list[str], **env: str) -> Json:
        """The config of a machine that does one thing, and goes."""
        return {
            "image": self._image,
            "init": {"cmd": words},
            "restart": {"policy": "no"},
            "auto_destroy": True,
            "dns": {"skip_registration": True},
            "env": {**env, "FLY_PROCESS_GROUP": group},
            "metadata": {
                "fly_platform_version": "v2",
                "fly_process_group": group,
                "fly_release_id": self.release.id,
                "fly_release_version": str(self.release.version),
            },
        }

    async def _launch(self, group: str, *, waits: bool) -> None:
        first = self._first(group)
        gets = availability(first.config or models.FlyMachineConfig())
        made = await self._spawn(unstructure(first), waits=waits)
        if gets == "standby":
            await self._spawn(unstructure(standby_request(first, made)), waits=waits)
        elif gets != "single":
            await self._spawn(unstructure(first), waits=waits)

    def _first(self, group: str) -> models.CreateMachineRequest:
        return launch_request(
            self.spec, group, image=self._image, release=self.release, files=NO_FILES
        )

    async def _spawn(self, body: Json, *, waits: bool = True) -> str:
        """A new machine, held until it is well or known not to be."""
        for mount in body["config"].get("mounts") or []:
            mount["volume"] = self._pop(mount["name"], body["region"])
        made = await self.hands.create(body)
        try:
            if waits and not body.get("skip_launch"):
                await self._smoke(made)
                await self._wait(made, "started")
                await self._healthy(made, body["config"])
        except Failed:
            await self.hands.give_back(made)
            raise
        await self.hands.give_back(made)
        return made

    async def _canary(self, group: str) -> None:
        """One that stays where it is not well."""
        body = unstructure(self._first(group))
        body["config"]["metadata"]["fly_canary"] = "true"
        body["config"]["dns"] = {"skip_registration": True}
        made = await self._spawn(body)
        await self._test(made, group)
        await self.hands.destroy(made)

    async def _test(self, machine: str, group: str) -> None:
        """The machine check of the service, of a machine that was started."""
        stage = self.app.stages[self.stage]
        if not (stage.machine_check and stage.served and group == stage.names[0]):
            return
        words = ["false" if stage.bad == "test" else "true"]
        config = self._temporary("fly_app_test_machine_command", words, FLY_TEST_COMMAND="1")
        name = await self.hands.create({"config": config, "region": "iad"})
        await self._wait(name, "started,stopped,destroyed")
        await self._wait(name, "destroyed")
        if stage.bad == "test":
            raise Failed(f"the machine check of {machine} failed")

    async def _update(self, changes: list[Change], strategy: str) -> None:
        failure: Failed | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._renew)
            held = (change.machine["id"] for change in changes if answers(change.machine))
            try:
                async with self.hands.holding(*held, ttl=TTL):
                    match strategy:
                        case "bluegreen":
                            await self._bluegreen(changes)
                        case "immediate":
                            jobs = [partial(self._change, change) for change in changes]
                            await all_of(jobs, at_once=AT_ONCE, after_failure="go on")
                        case _:
                            await self._roll(changes)
            except Failed as error:  # a task group would wrap it
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _renew(self) -> None:
        while True:
            await anyio.sleep(RENEWED_EVERY)
            for machine in list(self.hands.nonces):
                if machine not in self.hands.nonces:  # given back meanwhile
                    continue
                path = f"/machines/{machine}/lease?ttl={TTL}"
                try:
                    await self.hands.call("POST", path, machine=machine, fails=True)
                except Failed:
                    continue

    async def _roll(self, changes: list[Change]) -> None:
        """All groups at once, and in each those that run beside those at rest."""
        jobs: list[Job] = []
        for group in sorted({change.group for change in changes}):
            members = [change for change in changes if change.group == group]
            warm = [change for change in members if change.machine["state"] == "started"]
            cold = [change for change in members if change not in warm]
            unavailable = max(1, ceil(UNAVAILABLE * len(warm)))
            jobs += [
                partial(self._some, those, at_once)
                for those, at_once in ((cold, COLD_AT_ONCE), (warm, unavailable))
                if those
            ]
        await all_of(jobs, at_once=max(1, len(jobs)), after_failure="cancel")

    async def _some(self, changes: list[Change], at_once: int) -> None:
        """The first alone, the others some at a time."""
        await self._one(changes[0])
        jobs = [partial(self._one, change) for change in changes[1:]]
        await all_of(jobs, at_once=at_once, after_failure="begin no more")

    async def _one(self, change: Change) -> None:
        await self._change(change)
        if not change.launches:
            return
        machine = change.machine["id"]
        await self._wait(machine, "started")
        await self._test(machine, change.group)
        await self._smoke(machine)
        await self._healthy(machine, change.config)

    async def _change(self, change: Change) -> None:
        name = change.machine["id"]
        body = {"config": change.config, "skip_launch": not change.launches}
        if not change.replaced:
            await self.hands.call("POST", f"/machines/{name}", body, machine=name)
            self.hands.known.touched[name] = self.hands.emulator.now()
            return
        await self.hands.destroy(name)
        body |= {"region": change.machine["region"], "lease_ttl": LAUNCH_TTL}
        made = await self.hands.create(body)
        await self.hands.give_back(made)
        change.machine = {**change.machine, "id": made}

    async def _bluegreen(self, changes: list[Change]) -> None:
        images = {self._image_of(c.machine) for c in changes if answers(c.machine)}
        if len(images) > 1:
            raise Failed(f"machines run {len(images)} images")
        if changes and not any(has_checks(change.config) for change in changes):
            raise Failed("bluegreen needs a check")
        greens: dict[str, Change] = {}
        try:
            jobs = [partial(self._green, greens, n, c) for n, c in enumerate(changes)]
            a_third = max(1, min(AT_ONCE, ceil(len(jobs) / 3)))
            self._start_one_of_each_group(changes)
            await all_of(jobs, at_once=a_third, after_failure="go on")
            started = {name: change for name, change in greens.items() if change.launches}
            for name in started:
                await self._wait(name, "started")
            for name, change in started.items():
                await self._healthy(name, change.config)
            for green in greens:
                await self.hands.call("POST", f"/machines/{green}/uncordon")
        except Failed:
            for green in greens:
                await self.hands.call("DELETE", f"/machines/{green}?kill=true", fails=True)
            raise
        await self._blues_go([change.machine for change in changes])

    @staticmethod
    def _start_one_of_each_group(changes: list[Change]) -> None:
        """Greens rest as their blues do, but for one of each group that has checks."""
        for group in {change.group for change in changes if has_checks(change.config)}:
            members = [change for change in changes if change.group == group]
            if not any(change.launches for change in members):
                members[0].launches = True

    async def _green(self, greens: dict[str, Change], number: int, change: Change) -> None:
        launch = f"L{self.release.version}-{number}"
        change.config["metadata"] |= {TAG: str(int(self.hands.emulator.now())), LAUNCH: launch}
        body = {
            "config": change.config,
            "region": change.machine["region"],
            "skip_service_registration": True,
            "skip_launch": not change.launches,
        }
        for attempt in range(LAUNCHES):
            try:
                greens[await self.hands.create(body)] = change
            except Failed as failure:
                if not failure.passes or attempt == LAUNCHES - 1:
                    raise
            else:
                return
            await anyio.sleep(0.5)
            for machine in await self.hands.machines():
                if metadata_of(machine).get(LAUNCH) == launch:
                    greens[machine["id"]] = change
                    return

    async def _blues_go(self, blues: list[Json]) -> None:
        names = [blue["id"] for blue in blues]
        reached = [blue["id"] for blue in blues if answers(blue)]
        for blue in names:
            path = f"/machines/{blue}/metadata/{TAG}"
            await self.hands.call("POST", path, {"value": SAFE}, fails=True)
        await anyio.sleep(PAUSE)
        for blue in reached:
            path = f"/machines/{blue}/cordon"
            await self.hands.call("POST", path, machine=blue, fails=True)
        await anyio.sleep(PAUSE)
        for blue in reached:
            body = {"id": blue, "timeout": "0s"}
            await self.hands.call("POST", f"/machines/{blue}/stop", body, machine=blue, fails=True)
        for blue in reached:
            await self._wait(blue, "stopped")
        for blue in names:
            with suppress(Failed):  # it is told, and left behind
                await self.hands.destroy(blue)

    def _changed(self, machine: Json) -> Change:
        """What becomes of a machine. Raises Failed: it cannot get what it is to mount."""
        known = structure_answer(machine, models.Machine)
        group = group_of(machine)
        update: MachineUpdate = update_input(
            self.spec, group, known, image=self._image, release=self.release, files=NO_FILES
        )
        config = deepcopy(unstructure(update.request)["config"])
        for mount in config.get("mounts") or []:
            if not mount.get("volume"):
                mount["volume"] = self._pop(mount["name"], machine["region"])
            elif not answers(machine):
                raise Failed(f"the volume of {machine['id']} is on a host that does not answer")
        running = machine["state"] in {"started", "starting", "failed"}
        return Change(machine, group, config, bool(update.replaced_because), running)

    @staticmethod
    def _image_of(machine: Json) -> str:
        return "{repository}:{tag}".format(**machine["image_ref"])

    async def _wait(self, machine: str, state: str) -> None:
        path = f"/machines/{machine}/wait?state={state}&timeout=60"
        answer = await self.hands.call("GET", path, fails=True)
        if answer is None and state == "started":
            raise Failed(f"{machine} is not {state}")

    async def _smoke(self, machine: str) -> None:
        """Watches a while whether it crashes again and again."""
        until = self.hands.emulator.now() + SMOKE
        while self.hands.emulator.now() < until:
            found = await self.hands.call("GET", f"/machines/{machine}")
            if found is None:
                raise Failed(f"{machine} is gone")
            exits = (e["request"] for e in found.get("events") or () if e["type"] == "exit")
            last: Json = next(exits, {})
            event: Json = last.get("exit_event") or {}
            crashed = event.get("exit_code") and event.get("restarting")
            if crashed and last.get("restart_count", 0) > 1:
                raise Failed(f"{machine} crashes")
            await anyio.sleep(2)

    async def _healthy(self, machine: str, config: Json) -> None:
        if not has_checks(config):
            return
        for _ in range(60):
            found = await self.hands.call("GET", f"/machines/{machine}")
            if found is None:
                raise Failed(f"{machine} is gone")
            states = [check["status"] for check in found.get("checks") or []]
            if states and set(states) == {"passing"}:
                return
            await anyio.sleep(1)
        raise Failed(f"{machine} is not healthy")


@define(eq=False)
class Change:
    """What becomes of one machine."""

    machine: Json
    group: str
    config: Json
    replaced: bool
    launches: bool


def has_checks(config: Json) -> bool:
    """Whether any check is in a config."""
    services = config.get("services") or ()
    return bool(config.get("checks") or any(service.get("checks") for service in services))
