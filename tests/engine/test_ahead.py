"""What is certain to fail is told with its place and the nearest value, and nothing is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve

from score_flyio.deploy.options import GuestOptions
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.operations.scale import ScaleRequest
from score_flyio.errors import InputError, ScoreFlyError
from score_flyio.flytoml import read_fly_toml
from tests.engine.lab import QUICK, Lab, score, toml

MOUNT = '[[mounts]]\nsource = "data"\ndestination = "/data"\n'
NO_MOUNT = MOUNT + "processes = ['gone']\n"
UDP = "[[services]]\nprotocol = 'udp'\ninternal_port = 53\n[[services.ports]]\nport = 53\n"


def written(text: str) -> FlyTomlApp:
    """A file of one's own, with its lines."""
    document = read_fly_toml(f'app = "web"\nbuild.image = "nginx:1"\n{text}', file="fly.toml")
    assert document.spec is not None, document.problems
    return FlyTomlApp(app="web", document=document, spec=document.spec, directory=Path("/nowhere"))


async def test_the_mount_of_no_group_needs_no_region(lab: Lab) -> None:
    done = await lab.deploy(written(NO_MOUNT))
    assert done.code == 0, done.text
    assert lab.fly.world.volumes == {}


async def test_a_size_that_no_machine_has_may_be_impossible(lab: Lab) -> None:
    """Of two tables for every group the first one counts."""
    done = await lab.deploy(written("[[vm]]\nmemory = '1gb'\n[[vm]]\ncpus = 4"))
    assert done.code == 0, done.text
    assert {m.config["guest"]["memory_mb"] for m in lab.machines()} == {1024}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[vm]]\ncpus = 4", "fly.toml:3: vm[0].memory: 256 MB are no memory of a machine with 4 shared CPUs, which has 1024 to 8192 MB in steps of 256 (use 1024mb)"),
        ("[[vm]]\nmemory = '300mb'", "fly.toml:4: vm[0].memory: 300 MB are no memory of a machine with 1 shared CPU, which has 256 to 2048 MB in steps of 256 (use 256mb or 512mb)"),
        ("[[vm]]\nmemory = '4gb'", "fly.toml:4: vm[0].memory: 4096 MB are no memory of a machine with 1 shared CPU, which has 256 to 2048 MB in steps of 256 (use 2048mb, or 2 CPUs)"),
        ("[[vm]]\nsize = 'performance-1x'\nmemory = '1gb'", "fly.toml:5: vm[0].memory: 1024 MB are no memory of a machine with 1 performance CPU, which has 2048 to 8192 MB in steps of 1024 (use 2048mb)"),
        ("[[vm]]\ncpus = 3\nmemory = '1gb'", "fly.toml:4: vm[0].cpus: Fly has no machine with 3 shared CPUs (the nearest is 4; there are 1, 2, 4, 6, 8)"),
        ("[[vm]]\ncpu_kind = 'dedicated'", "fly.toml:4: vm[0].cpu_kind: Fly has no CPUs of kind 'dedicated' (use one of shared, performance)"),
        ("[deploy]\nrelease_command = 'x'\n[deploy.release_command_vm]\nmemory = '100'", "fly.toml:6: deploy.release_command_vm.memory: 100 MB are no memory"),
        ("primary_region = 'lhx'", "fly.toml:3: primary_region: Fly has no region 'lhx' (use"),
        ("primary_region = 'LHR'", "fly.toml:3: primary_region: Fly has no region 'LHR' (use lhr)"),
        (MOUNT, "fly.toml:3: mounts[0]: there is no primary_region, and a volume needs one (add"),
        (NO_MOUNT + MOUNT, "fly.toml:7: mounts[1]: there is no primary_region"),
        ("primary_region = 'eu'\n" + MOUNT, "fly.toml:3: primary_region: 'eu' is not a single region, and a volume needs one (name one, such as iad)"),
        ("kill_timeout = 600", 'fly.toml:3: kill_timeout: 10m0s is longer than the 5 minutes that Fly waits at most (the nearest is "5m")'),
        ("kill_timeout = '-1s'", "fly.toml:3: kill_timeout: -1s is negative"),
        ("kill_timeout = '300ns'", 'fly.toml:3: kill_timeout: 300ns is too short for anything to happen (a number without a unit means nanoseconds here: write "300s")'),
        ("[[machine_checks]]\ncommand = ['x']\nkill_timeout = 20", 'fly.toml:5: machine_checks[0].kill_timeout: 20ns is too short for anything to happen (a number without a unit means nanoseconds here: write "20s")'),
        ("[deploy]\nwait_timeout = 300", 'fly.toml:4: deploy.wait_timeout: 300ns is too short for anything to happen (a number without a unit means nanoseconds here: write "300s")'),
        ("[http_service]\ninternal_port = 80\n[[services]]\nprotocol = 'tcp'\ninternal_port = 81\n[[services.ports]]\nport = 443", "fly.toml:9: services[0].ports[0].port: http_service has port 443 of tcp already (give"),
        ("[[services]]\nprotocol = 'tcp'\ninternal_port = 81\n[[services.ports]]\nport = 25\n[[services.ports]]\nstart_port = 20\nend_port = 30", "fly.toml:9: services[0].ports[1].start_port: services[0].ports[0].port has ports 20 to 30 of tcp, or some of them, already"),
        (UDP.replace("\nport = 53", "\nport = 70000"), "fly.toml:7: services[0].ports[0].port: 70000 is not a port: there are 1 to 65535 (the nearest is 65535)"),
        (UDP.replace("\nport = 53", "\nstart_port = 20\nend_port = 10"), "fly.toml:7: services[0].ports[0].start_port: 20 is behind end_port, which is 10"),
        (UDP.replace("\nport = 53", "\nstart_port = 20\nend_port = -1"), "fly.toml:8: services[0].ports[0].end_port: -1 is not a port"),
        ("primary_region = 'iad'\n" + MOUNT.replace("/data", "data"), "fly.toml:6: mounts[0].destination: 'data' is not an absolute path in the machine (the nearest is /data)"),
        ("primary_region = 'iad'\n" + MOUNT.replace('source = "data"', ""), "fly.toml:4: mounts[0].source: the mount names no volume (name it"),
        ("primary_region = 'iad'\n" + MOUNT + "initial_size = '600gb'", "fly.toml:7: mounts[0].initial_size: 600 GB are more than a volume can have (the nearest is 500gb)"),
        ("swap_size_mb = -5", "fly.toml:3: swap_size_mb: -5 is negative (the nearest is 0)"),
        ("[deploy]\nmax_unavailable = -0.5", "fly.toml:4: deploy.max_unavailable: -0.5 is negative"),
        ("[http_service]\ninternal_port = 80\nmin_machines_running = -1", "fly.toml:5: http_service.min_machines_running: -1 is negative"),
        ("kill_signal = 'SIGTREM'", "fly.toml:3: kill_signal: there is no signal 'SIGTREM' (the nearest is SIGTERM)"),
        ("[checks.x]\ntype = 'tcp'\nport = 65536", "fly.toml:5: checks.x.port: 65536 is not a port"),
        ("[env]\n'A=B' = 'x'", "fly.toml:4: env[A=B]: 'A=B' cannot be the name of a variable (the nearest is A_B)"),
        ("primary_region = 'iad '", "fly.toml:3: primary_region: Fly has no region 'iad ' (use iad)"),
        (UDP.replace("[[services.ports]]", "auto_start_machines = true\n[[services.ports]]"), "fly.toml:6: services[0].auto_start_machines: the proxy starts no machine for UDP"),
        ("primary_region = 'iad'\n[deploy]\nstrategy = 'bluegreen'\n" + MOUNT, "fly.toml:5: deploy.strategy: strategy bluegreen cannot be used for group app, whose machines have volumes"),
    ],
)  # fmt: skip
async def test_a_file_that_the_platform_would_refuse(lab: Lab, text: str, told: str) -> None:
    done = await lab.deploy(written(text))
    assert done.report is not None
    assert done.code == 2, done.text
    assert done.changes == []
    assert any(
        str(problem).startswith(told)
        for app in done.report.apps
        for failure in app.failures
        if isinstance(failure, ScoreFlyError)
        for problem in failure.problems
    ), done.text
    async with lab.engine() as engine:
        plan = await engine.plan([written(text)])
    assert not plan.empty
    assert told in str(plan.failures["web"]) or told in str(plan.failures["web"].problems[0])


@pytest.mark.parametrize(
    "text",
    [
        "[[vm]]\nsize = 'shared-cpu-2x'\nmemory = '512mb'",
        "[[vm]]\ncpu_kind = 'performance'\ncpus = 2\nmemory = '16gb'",
        "primary_region = 'iad'\nkill_timeout = '5m'",
        "kill_timeout = 0",
        UDP,
        "[http_service]\ninternal_port = 80\n" + UDP.replace("port = 53", "port = 443"),
        ("[processes]\na = 'a'\nb = 'b'\n[[services]]\nprotocol='tcp'\ninternal_port = 1\nprocesses = ['a']\n[[services.ports]]\nport = 99\n"
        "[[services]]\nprotocol='tcp'\ninternal_port = 1\nprocesses = ['b']\n[[services.ports]]\nport = 99"),
    ],
)  # fmt: skip
async def test_what_the_platform_takes_is_deployed(lab: Lab, text: str) -> None:
    done = await lab.deploy(written(text))
    assert done.code == 0, done.text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"region": "lhx"}, "--region: Fly has no region 'lhx' (use"),
        ({"fallback_regions": ("iad", "nowhere")}, "--fallback-regions: Fly has no region 'nowhere'"),
        ({"only_regions": ("lhx",)}, "--only-regions: Fly has no region 'lhx'"),
        ({"guest": GuestOptions(memory="300")}, "--vm-memory: 300 MB are no memory of a machine with 1 shared CPU, which has 256 to 2048 MB in steps of 256"),
        ({"guest": GuestOptions(cpus=5)}, "--vm-cpus: Fly has no machine with 5 shared CPUs"),
        ({"guest": GuestOptions(size="shared-cpu-3x")}, "--vm-size: Fly has no machine size 'shared-cpu-3x'"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["file", "workload"])
async def test_options_that_the_platform_would_refuse(
    lab: Lab, options: dict[str, Any], told: str, kind: str
) -> None:
    item = toml() if kind == "file" else score()
    done = await lab.deploy(item, options=evolve(QUICK, **options))
    assert done.code == 2, done.text
    assert done.changes == []
    assert told in done.text


async def test_a_strategy_that_the_second_deploy_would_refuse(lab: Lab) -> None:
    for strategy in ("bluegreen", "canary"):
        done = await lab.deploy(toml(MOUNT), options=evolve(QUICK, strategy=strategy))
        assert done.code == 2
        assert done.changes == []
        assert f"--strategy: strategy {strategy} cannot be used for group app" in done.text


@pytest.mark.parametrize("option", [True, False])
async def test_bluegreen_without_checks_is_refused_by_the_first_deploy(
    lab: Lab, option: bool
) -> None:
    item = toml(check=False, strategy="rolling" if option else "bluegreen")
    options = evolve(QUICK, strategy="bluegreen") if option else QUICK
    done = await lab.deploy(item, options=options)
    assert (done.code, done.changes) == (2, [])
    place = "--strategy" if option else "deploy.strategy"
    assert f"{place}: strategy bluegreen needs a check in group app" in done.text


async def test_bluegreen_takes_groups_without_checks_beside_one_that_has_some(lab: Lab) -> None:
    text = "[processes]\napp = 'a'\nworker = 'b'\n"
    for number in (1, 2):
        item = toml(text, strategy="bluegreen", image=f"nginx:{number}")
        done = await lab.deploy(item)
        assert done.code == 0, done.text
        assert set(lab.images()) == {f"nginx:{number}"}
        assert len(lab.machines()) == 4


@pytest.mark.parametrize("in_capitals", [True, False])
async def test_a_region_that_is_new_at_the_platform_is_believed(
    lab: Lab, in_capitals: bool
) -> None:
    from fly_emulator.regions import Region

    new = Region("xyz", "Somewhere", 0.0, 0.0, "eu")
    regions = (*lab.fly.settings.regions, new)
    lab = Lab.build(regions=regions, region_list_in_capitals=in_capitals)
    done = await lab.deploy(toml(), options=evolve(QUICK, region="xyz"))
    assert done.code == 0, done.text
    refused = await lab.deploy(toml(app="other"), options=evolve(QUICK, region="zzz"))
    assert (refused.code, "Fly has no region 'zzz'" in refused.text) == (2, True)


async def test_regions_that_an_answer_does_not_tell_are_unknown() -> None:
    """Not none: nothing can be refused by them."""
    lab = Lab.build()
    done = await lab.deploy(toml(), faults="Platform_regions_get: null")
    assert done.code == 0, done.text


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (ScaleRequest(guest=GuestOptions(memory="300")), "--vm-memory"),
        (ScaleRequest(guest=GuestOptions(cpus=4)), "--vm-memory"),
        (ScaleRequest(guest=GuestOptions(cpu_kind="performance")), "--vm-memory"),
        (ScaleRequest(counts={None: 3}, regions=("lhx",)), "--region"),
    ],
)
async def test_scaling_to_what_there_is_not(lab: Lab, request_: ScaleRequest, told: str) -> None:
    await lab.deploy(toml())
    first = len(lab.fly.journal.entries)
    with pytest.raises(InputError) as raised:
        async with lab.engine() as engine:
            await engine.scale("web", evolve(request_, options=QUICK))
    assert told in str(raised.value)
    assert all(entry.method == "GET" for entry in lab.fly.journal.entries[first:])


async def test_a_list_without_a_whole_region_is_not_believed(lab: Lab) -> None:
    await lab.deploy(toml(service=False, check=False), options=evolve(QUICK, ha=False))
    async with lab.engine() as engine:
        await engine.scale("web", ScaleRequest(counts={None: 2}, regions=("iad", "lhr")))
    lab.fly.world.unlisted.add("lhr")
    done = await lab.deploy(toml(image="nginx:2", service=False, check=False))
    assert done.code == 1
    assert done.changes == []
    assert "app web counts 2 machines, but the list of its machines has only 1, in iad" in done.text
    assert lab.images() == ["nginx:1", "nginx:1"]


async def test_machines_that_are_gone_for_long_do_not_stand_for_a_region_that_is_not_listed(
    lab: Lab,
) -> None:
    await lab.deploy(toml(service=False, check=False), options=evolve(QUICK, ha=False))
    for count in (1, 0):
        async with lab.engine() as engine:
            await engine.scale("web", ScaleRequest(counts={None: count}, regions=("lhr",)))
    lab.fly.world.unlisted.add("iad")
    done = await lab.deploy(toml(image="nginx:2", service=False, check=False))
    assert done.code == 1
    assert done.changes == []
    assert "app web counts 1 machine, but the list of its machines has none" in done.text


async def test_machines_on_their_way_out_may_be_counted_and_not_listed() -> None:
    lab = Lab.build(destroy=30.0, lists_those_that_go=False)
    await lab.deploy(toml())
    async with lab.engine() as engine:
        await engine.scale("web", ScaleRequest(counts={None: 1}))
    done = await lab.deploy(toml(image="nginx:2"))
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:2"]


async def test_a_list_that_lacks_a_region_for_a_moment_is_read_again(lab: Lab) -> None:
    await lab.deploy(toml(service=False, check=False), options=evolve(QUICK, ha=False))
    async with lab.engine() as engine:
        await engine.scale("web", ScaleRequest(counts={None: 2}, regions=("iad", "lhr")))
    lab.fly.world.unlisted.add("lhr")

    async def recover(_run: Any) -> None:
        await anyio.sleep(1)
        lab.fly.world.unlisted.clear()

    done = await lab.deploy(toml(image="nginx:2", service=False, check=False), body=recover)
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:2", "nginx:2"]
