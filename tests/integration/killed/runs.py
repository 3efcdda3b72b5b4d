"""The real command on a port, killed or signalled at one of its calls, then the same again."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml
from anyio.from_thread import BlockingPortal, start_blocking_portal
from attrs import define, field, frozen

from fly_emulator import Emulator, world_file
from fly_emulator.wire import ApiRequest, ApiResponse
from fly_emulator.world import KEPT
from score_flyio.base.clock import SystemClock
from tests.cli.platform import QUICK, TOKEN
from tests.emulator.invariants import violations
from tests.integration.killed.kinds import BEFORE, KINDS, Kind, arguments, write_project
from tests.simulation.platform import WatchedWorld

SIGNALS: Final = ("KILL", "KILL", "HUP", "INT", "TERM")
LATER: Final = 3600.0
"""Seconds between a run that was killed and the next one: its leases have ended by then."""
PATIENCE: Final = 90


@frozen(kw_only=True)
class Killed:
    """What became of one run."""

    seed: int
    kind: str
    end: str
    how: str
    """The call that it was ended at."""
    struck: bool
    """Whether it came to that call."""
    exit_code: int
    again: int
    found: tuple[str, ...]


@define
class Strike:
    """What happens to the process at one of its calls."""

    signal: signal.Signals
    at: int
    """The number of the call."""
    when_done: bool
    """Whether the call is carried out first; its answer goes nowhere then if the process is dead."""
    process: subprocess.Popen[bytes] | None = None
    calls: int = 0
    call: str = "no call"

    def next(self) -> int:
        """The number of a call that begins."""
        self.calls += 1
        return self.calls

    def now(self, number: int, request: ApiRequest, *, done: bool) -> None:
        """Strikes if this is the moment."""
        if number == self.at and done == self.when_done and self.process is not None:
            self.call = f"{'after' if done else 'before'} {request.method} {request.path}"
            self.process.send_signal(self.signal)
            self.process = None


@define
class LaterClock(SystemClock):
    """The system's, moved ahead now and then."""

    ahead: float = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class Deadly(Emulator):
    """A platform whose calls are dangerous to the caller."""

    strike: Strike | None = None
    calls = 0

    async def handle(self, request: ApiRequest) -> ApiResponse:
        self.calls += 1
        strike = self.strike
        if strike is None:
            return await super().handle(request)
        number = strike.next()
        strike.now(number, request, done=False)
        response = await super().handle(request)
        strike.now(number, request, done=True)
        return response


@frozen(kw_only=True)
class Undisturbed:
    """What a command comes to, and how many calls it takes."""

    calls: int
    form: dict[str, Any]


@define(kw_only=True)
class Ground:
    """A project and a platform that are as they were before each run."""

    folder: Path
    emulator: Deadly
    clock: LaterClock
    portal: BlockingPortal
    url: str
    kept: str = ""
    """The world as a document."""
    saw: dict[str, dict[str, str]] = field(factory=dict)
    address: str = ""
    undisturbed: dict[str, Undisturbed] = field(factory=dict)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def prepare(self) -> None:
        """Does what was done before."""
        write_project(self.project)
        (self.folder / "tmp").mkdir()
        for line in BEFORE:
            self._good(line)
        addresses = json.loads(self._good("ips list web --json"))
        self.address = next(a["ip"] for a in addresses if a["type"] == "private_v6")
        self.project.rename(self.folder / "before")
        world = self.portal.call(self._present)
        self.kept = json.dumps(world_file.dump(world))
        self.saw = world.saw

    def _good(self, line: str) -> bytes:
        process = self.start(Kind(line=line))
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err.decode()
        return out

    def reset(self) -> None:
        """Everything as before."""
        shutil.rmtree(self.project, ignore_errors=True)
        shutil.copytree(self.folder / "before", self.project)
        world = world_file.restore(json.loads(self.kept), self.emulator.settings)
        fields = {name: getattr(world, name) for name in ("settings", "model", *KEPT)}
        self.portal.call(self._put, WatchedWorld(**fields, saw=dict(self.saw)))

    def _put(self, world: WatchedWorld) -> None:
        self.emulator.world = world
        self.emulator.journal.entries.clear()
        self.emulator.strike = None
        self.emulator.calls = 0

    def start(self, kind: Kind) -> subprocess.Popen[bytes]:
        """The command as a process."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "FLY_FLAPS_BASE_URL": self.url,
            "FLY_API_TOKEN": TOKEN,
        }
        with (self.project / kind.stdin if kind.stdin else Path(os.devnull)).open("rb") as stdin:
            return subprocess.Popen(
                [sys.executable, "-m", "score_flyio", *arguments(kind.line, address=self.address)],
                cwd=self.project,
                env=environ,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def learn(self, name: str) -> Undisturbed:
        """What a kind of command comes to when nothing happens."""
        if name not in self.undisturbed:
            self.reset()
            process = self.start(KINDS[name])
            _, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, err.decode()
            self.undisturbed[name] = Undisturbed(calls=self.emulator.calls, form=self.form())
        return self.undisturbed[name]

    def form(self) -> dict[str, Any]:
        """What there is once all has settled, without what differs from run to run."""
        self.clock.ahead += LATER
        world = self.portal.call(self._present)
        state = yaml.safe_load((self.project / ".score-flyio/state.yaml").read_text())
        kept = {path.name for path in self.folder.glob("project/**/*") if path.is_file()}
        return {
            "apps": _numbered({name: _app(world, name) for name in sorted(world.apps)}),
            "workloads": sorted(state.get("workloads") or {}),
            "resources": sorted(state.get("resources") or {}),
            "files": sorted(kept),
            "temporary": sorted(path.name for path in (self.folder / "tmp").iterdir()),
        }

    def _present(self) -> WatchedWorld:
        self.emulator.advance()
        assert isinstance(self.emulator.world, WatchedWorld)
        return self.emulator.world

    def held(self) -> list[str]:
        """Machines that are leased, and releases under way."""
        world, now = self.portal.call(self._present), self.clock.time()
        leased = [m.id for m in world.machines.values() if not m.destroyed and m.lease_at(now)]
        found = [f"machine {machine} is leased" for machine in leased]
        for app in world.apps.values():
            found += [
                f"release {release.version} of {app.name} is {release.status}"
                for release in app.releases
                if release.in_progress
            ]
        return found

    def doubled(self) -> list[str]:
        """Resources that were made more than once, or of which the state has another."""
        state = yaml.safe_load((self.project / ".score-flyio/state.yaml").read_text())
        known = {uid: each["guid"] for uid, each in (state.get("resources") or {}).items()}
        there: dict[str, set[str]] = {}
        for line in (self.project / "made.log").read_text().splitlines():
            mode, uid, guid = line.split()
            there.setdefault(uid, set())
            (set.add if mode == "provision" else set.discard)(there[uid], guid)
        return [
            f"{uid} was made as {sorted(guids)}, the state has {known.get(uid)}"
            for uid, guids in there.items()
            if guids != ({known[uid]} if uid in known else set())
        ]


def _numbered(apps: dict[str, Any]) -> dict[str, Any]:
    """The names without the digits that servers of resources have, which are random."""
    found: dict[str, Any] = {}
    for name, app in apps.items():
        plain = re.sub(r"\d{14}$", "", name)
        found[f"{plain} {sum(each.startswith(plain) for each in found)}"] = app
    return found


def _app(world: WatchedWorld, name: str) -> dict[str, Any]:
    app = world.apps[name]
    machines = [m for m in world.machines.values() if m.app == name and not m.destroyed]
    volumes = [v for v in world.volumes.values() if v.app == name and v.deleted_at is None]
    forms = [
        {
            "region": machine.region,
            "state": machine.state,
            "cordoned": machine.cordoned,
            "saw all secrets": world.saw.get(machine.id, {}) == world.secrets_of(name),
            **{key: value for key, value in machine.config.items() if key != "metadata"},
            "group": (machine.config.get("metadata") or {}).get("fly_process_group"),
            "mounts": [mount.get("path") for mount in machine.config.get("mounts") or ()],
        }
        for machine in machines
    ]
    return {
        "machines": Counter(json.dumps(form, sort_keys=True) for form in forms),
        "volumes": Counter((v.name, v.region, v.attached_machine_id is None) for v in volumes),
        "secrets": {secret.name: len(secret.value) for secret in app.secrets.values()},
        "addresses": Counter(address.type for address in app.ips),
        "certificates": sorted(app.certificates),
    }


@contextmanager
def ground(folder: Path) -> Any:
    """A platform on a port, and a project in a folder."""
    clock = LaterClock()
    emulator = Deadly(QUICK, clock=clock)
    emulator.world = WatchedWorld(settings=QUICK)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(emulator.serve()) as url,
    ):
        made = Ground(folder=folder, emulator=emulator, clock=clock, portal=portal, url=url)
        made.prepare()
        yield made


def kill_some(folder: Path, seeds: Sequence[int]) -> list[Killed]:
    """A run of each seed; kinds take turns."""
    with ground(folder) as made:
        return [kill(made, seed) for seed in seeds]


def kill(made: Ground, seed: int) -> Killed:
    """One run that is ended at a call, and the same again."""
    name = list(KINDS)[seed % len(KINDS)]
    kind, undisturbed, rng = KINDS[name], made.learn(name), random.Random(seed)
    end = rng.choice(SIGNALS)
    strike = Strike(
        signal=signal.Signals[f"SIG{end}"],
        at=rng.randint(1, undisturbed.calls),
        when_done=rng.random() < 0.5,
    )
    found: list[str] = []
    err, exit_code = _struck(made, kind, strike)
    if end != "KILL":
        found += [f"left behind: {text}" for text in made.held()]
        if exit_code not in {0, 130, kind.done_before}:
            found.append(f"ended with {exit_code}: {err}")
    if "Traceback" in err:
        found.append(err)
    wanted = undisturbed.form
    if kind.one_more is not None:
        wanted = deepcopy(wanted)
        before = made.form()["apps"]["x-web 0"]["addresses"]
        wanted["apps"]["x-web 0"]["addresses"] = before + Counter([kind.one_more])
    made.clock.ahead += LATER
    _, said, again = _finish(made.start(kind))
    if again not in {0, kind.done_before}:
        found.append(f"the same again ended with {again}: {said}")
    found += [f"after the same again: {text}" for text in made.held() if "leased" in text]
    found += made.doubled()
    found += _differences(wanted, made.form())
    found += violations(made.emulator.journal.entries, made.emulator.world)
    return Killed(
        seed=seed,
        kind=name,
        end=end,
        how=f"{end} {strike.call} (call {strike.at} of {undisturbed.calls})",
        struck=strike.process is None,
        exit_code=exit_code,
        again=again,
        found=tuple(found),
    )


def _struck(made: Ground, kind: Kind, strike: Strike) -> tuple[str, int]:
    """What a run said that was struck, and how it ended.

    It may look at Fly less often than the undisturbed one, and end before: then its like is struck
    at the last call.
    """
    for _ in range(3):
        made.reset()
        strike.calls = 0
        strike.process = process = made.start(kind)
        made.emulator.strike = strike
        _, err, exit_code = _finish(process)
        made.emulator.strike = None
        if strike.process is None:
            break
        strike.at = strike.calls
    return err, exit_code


def _finish(process: subprocess.Popen[bytes]) -> tuple[str, str, int]:
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += b"\nit did not end"
    return out.decode(), err.decode(), process.returncode


def _differences(wanted: Any, there: Any, place: str = "") -> list[str]:
    """Where two forms differ."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        return [
            text
            for key in sorted(set(wanted) | set(there), key=str)
            for text in _differences(wanted.get(key), there.get(key), f"{place}/{key}")
        ]
    return [] if wanted == there else [f"{place}: {there}, not {wanted}"]
