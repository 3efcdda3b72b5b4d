"""`python -m tests.integration.traffic --machines 10 --rate 50`: which requests are lost in deploys."""

from __future__ import annotations

import argparse
import sys

import anyio

from score_flyio.deploy.options import DeployOptions
from tests.integration.traffic.scenes import Scene, as_flyctl, ours, site


async def measure(machines: int, rate: float, wait: float) -> bool:
    """Prints a table; whether ours lost nothing."""
    options = DeployOptions(smoke_checks=False, wait_timeout=wait)
    found: dict[str, list[Scene]] = {}
    for who, acts in (("score-flyio", ours), ("flyctl's calls", as_flyctl)):
        async with site(machines, rate, options) as place:
            found[who] = await acts(place, machines)
        for scene in found[who]:
            lost = sum(scene.lost.values())
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(scene.lost.items()))
            print(
                f"{who} | {scene.name} | {scene.seconds:.1f} s | {scene.asked} | {lost} | {kinds} "
                f"| {scene.answered}",
                flush=True,
            )
    return not any(scene.lost for scene in found["score-flyio"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.integration.traffic")
    parser.add_argument("--machines", type=int, default=10)
    parser.add_argument("--rate", type=float, default=50, help="requests a second")
    parser.add_argument("--wait", type=float, default=10, help="seconds to become healthy")
    options = parser.parse_args()
    return 0 if anyio.run(measure, options.machines, options.rate, options.wait) else 1


sys.exit(main())
