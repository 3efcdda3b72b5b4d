"""Our deploys beside a bluegreen of flyctl, whose calls are played as they were recorded."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

import anyio
import httpx
import pytest
from attrs import define, evolve, field

from fly_emulator import lifecycle
from score_flyio.engine.target import EMULATOR_URL
from tests.engine.lab import QUICK, Lab, toml
from tests.engine.test_two_runs import Serving, another, check_clean, deploys

TAG: Final = "fly_bluegreen_deployment_tag"
PAUSE: Final = 10.0
RENEWED_EVERY: Final = 4.0


class Failed(Exception):
    """flyctl would end here with an error."""


@define
class Flyctl:
    """`flyctl deploy --strategy bluegreen`: its own calls on machines, in its order."""

    lab: Lab
    image: str = "nginx:2"
    nonces: dict[str, str] = field(factory=dict)
    greens: list[str] = field(factory=list)

    async def deploy(self) -> bool:
        """Whether it succeeds; greens that are not in routing yet go when it does not."""
        blues = [m for m in await self.call("GET", "") if self._counts(m)]
        async with anyio.create_task_group() as tasks:
            try:
                for blue in blues:
                    await self._lease(blue["id"])
                tasks.start_soon(self._renew)
                await self._switch(blues)
            except Failed:
                for green in self.greens:
                    await self.call("DELETE", f"/{green}?kill=true", may_fail=True)
                for machine in self.nonces:
                    await self.call("DELETE", f"/{machine}/lease", nonce=True, may_fail=True)
                return False
            finally:
                tasks.cancel_scope.cancel()
        return True

    async def _switch(self, blues: list[dict[str, Any]]) -> None:
        for number, blue in enumerate(blues):
            config = deepcopy(blue["config"])
            config["image"] = self.image
            config["metadata"] |= {
                TAG: str(int(self.lab.clock.time())),
                "fly_flyctl_bluegreen_launch_id": f"L{number}",
                "fly_flyctl_version": "0.4.9",
                "fly_release_id": "flyctl",
            }
            body = {
                "config": config,
                "region": blue["region"],
                "skip_service_registration": True,
                "skip_secrets": False,
            }
            self.greens.append((await self.call("POST", "", body))["id"])
        for green in self.greens:
            await self.call("GET", f"/{green}/wait?state=started&timeout=60")
            for _ in range(60):
                if await self._healthy(green):
                    break
                await anyio.sleep(1)
            else:
                raise Failed(f"{green} is not healthy")
        for green in self.greens:
            await self.call("POST", f"/{green}/uncordon")
        for blue in blues:
            path = f"/{blue['id']}/metadata/{TAG}"
            await self.call("POST", path, {"value": "safe_to_destroy"}, may_fail=True)
        await anyio.sleep(PAUSE)
        for blue in blues:
            await self.call("POST", f"/{blue['id']}/cordon", nonce=True, may_fail=True)
        await anyio.sleep(PAUSE)
        self.greens.clear()  # from here on they stay
        for blue in blues:
            await self.call("POST", f"/{blue['id']}/stop", {"id": blue["id"]}, nonce=True)
            await self.call("DELETE", f"/{blue['id']}?kill=true", nonce=True)

    async def _healthy(self, machine: str) -> bool:
        found = await self.call("GET", f"/{machine}")
        checks = found.get("checks") or []
        return bool(checks) and all(check["status"] == "passing" for check in checks)

    async def _lease(self, machine: str) -> None:
        answer = await self.call("POST", f"/{machine}/lease", {"ttl": 13}, nonce=True)
        self.nonces[machine] = answer["data"]["nonce"]

    async def _renew(self) -> None:
        while True:
            await anyio.sleep(RENEWED_EVERY)
            for machine in list(self.nonces):
                body = {"ttl": 13}
                await self.call("POST", f"/{machine}/lease", body, nonce=True, may_fail=True)

    @staticmethod
    def _counts(machine: dict[str, Any]) -> bool:
        metadata = machine["config"].get("metadata", {})
        marks = (metadata.get("fly_platform_version"), metadata.get("fly_process_group"))
        return marks == ("v2", "app")

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        nonce: bool = False,
        may_fail: bool = False,
    ) -> Any:
        """One call below the app's machines."""
        headers = {"Authorization": "Bearer flyctl"}
        machine = path.strip("/").partition("/")[0].partition("?")[0]
        if nonce and machine in self.nonces:
            headers["fly-machine-lease-nonce"] = self.nonces[machine]
        async with httpx.AsyncClient(
            transport=self.lab.fly.transport(), base_url=EMULATOR_URL, headers=headers
        ) as client:
            answer = await client.request(method, f"/v1/apps/web/machines{path}", json=body)
        if answer.is_error and not may_fail:
            raise Failed(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content and not answer.is_error else {}


@pytest.mark.parametrize("strategy", ["bluegreen", "rolling"])
async def test_ours_begins_while_flyctl_is_at_work(strategy: str) -> None:
    """Two machines stay two, of one version, and each tool says truly how it ended."""
    for delay in (0.0, 0.1, 0.4, 1.2, 12.0, 21.0):
        lab = Lab.build()
        assert await deploys("nginx:1")(lab) == 0
        await anyio.sleep(5)
        ended: dict[str, Any] = {}
        serving = Serving(lab)

        async def theirs(lab: Lab = lab, ended: dict[str, Any] = ended) -> None:
            ended["flyctl"] = await Flyctl(lab).deploy()

        async def ours(lab: Lab = lab, ended: dict[str, Any] = ended, delay: float = delay) -> None:
            await anyio.sleep(delay)
            ended["ours"] = await deploys("nginx:3", strategy)(another(lab))

        async with anyio.create_task_group() as watching:
            watching.start_soon(serving.watch)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(theirs)
                tasks.start_soon(ours)
            watching.cancel_scope.cancel()
        lab.fly.advance()
        at = f"{delay} s: {ended}, {lab.images()}"
        assert len(lab.machines()) == 2, at
        assert len(set(lab.images())) == 1, at
        assert ended["ours"] == 0, at
        assert serving.least >= 1, at
        assert lab.images()[0] == "nginx:3" or ended["flyctl"], at
        await anyio.sleep(30)
        check_clean(lab)
        assert (await lab.deploy(toml(image="nginx:3"), options=evolve(QUICK))).code == 0
        assert lab.images() == ["nginx:3", "nginx:3"]


@pytest.mark.parametrize("dies", [0.5, 1.0, 5.0, 15.0])
@pytest.mark.parametrize("image", ["nginx:1", "nginx:3"])
@pytest.mark.parametrize("before", ["rolling", "bluegreen"])
async def test_a_bluegreen_of_flyctl_that_was_killed_is_cleaned_up(
    lab: Lab, dies: float, image: str, before: str
) -> None:
    """Its greens take no requests until it lets them: as members they would be of no use.

    After a bluegreen of ours, they have copies of its marks.
    """
    await lab.deploy(toml(image="nginx:0"))
    await lab.deploy(toml(strategy=before))
    await anyio.sleep(5)
    serving = Serving(lab)
    with anyio.move_on_after(dies):
        await Flyctl(lab).deploy()
    await anyio.sleep(30)
    async with anyio.create_task_group() as watching:
        watching.start_soon(serving.watch)
        done = await lab.deploy(toml(image=image))
        watching.cancel_scope.cancel()
    assert done.code == 0, done.text
    assert lab.images() == [image, image]
    assert serving.least >= 1
    check_clean(lab)
    assert (await lab.deploy(toml(image=image))).changes == []


async def test_a_canary_that_is_all_that_is_left_becomes_a_member_of_its_group(lab: Lab) -> None:
    """flyctl was killed, then a host was lost for good."""
    await lab.deploy(toml())
    first, second = lab.machines()
    config = deepcopy(first.config)
    config["metadata"]["fly_canary"] = "true"
    config["dns"] = {"skip_registration": True}
    await Flyctl(lab).call("POST", "", {"config": config, "region": "iad"})
    for machine in (first, second):
        lifecycle.destroy(lab.fly.world, machine, lab.clock.time())
    done = await lab.deploy(toml())
    assert (done.code, len(done.of("Machines_update"))) == (0, 1)
    (left,) = lab.machines()
    assert not (left.config.get("dns") or {}).get("skip_registration")
    lab.check_clean()
    assert (await lab.deploy(toml())).changes == []
