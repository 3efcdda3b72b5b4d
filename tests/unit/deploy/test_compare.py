from __future__ import annotations

import base64
import hashlib
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fly_machines.models import FlyMachineConfig, FlyMachineService, FlyMachineServiceCheck
from score_flyio.deploy.compare import Difference, content, differences, leaves
from score_flyio.fly.codec import structure
from score_flyio.flytoml.values import Duration


def config(document: dict[str, Any]) -> FlyMachineConfig:
    return structure(document, FlyMachineConfig)


def changed(desired: dict[str, Any], observed: dict[str, Any]) -> list[str]:
    return [str(d) for d in differences(config(desired), config(observed))]


def service(**members: Any) -> dict[str, Any]:
    return {"services": [{"protocol": "tcp", **members}]}


SMALL = {"cpu_kind": "shared", "cpus": 1, "memory_mb": 256}


@pytest.mark.parametrize(
    ("desired", "observed"),
    [
        ({}, {"init": {}, "env": {}, "services": [], "metrics": None, "schedule": ""}),
        ({}, {"metadata": {"fly_release_id": "1", "fly_release_version": "2"}}),
        ({}, {"metadata": {"fly_flyctl_version": "1", "fly_builder_id": "b"}}),
        ({}, {"metadata": {"score_flyio_launch_id": "x", "fly_canary": "true"}}),
        ({}, {"metadata": {"fly_bluegreen_deployment_tag": "safe_to_destroy"}}),
        ({}, {"metadata": {"fly_flyctl_bluegreen_launch_id": "x"}}),
        ({}, {"guest": SMALL}),
        ({}, {"guest": {**SMALL, "gpus": 0, "gpu_kind": ""}}),
        ({"guest": {"cpus": 4}}, {"guest": {"cpu_kind": "shared", "cpus": 4, "memory_mb": 1024}}),
        (
            {"guest": {"cpu_kind": "performance", "cpus": 2, "memory_mb": 4096}},
            {"guest": {"cpu_kind": "performance", "cpus": 2}},
        ),
        ({"size": "shared-cpu-2x"}, {"guest": {"cpu_kind": "shared", "cpus": 2, "memory_mb": 512}}),
        ({"standbys": ["m"]}, {"standbys": ["m"], "env": {"FLY_STANDBY_FOR": "m"}}),
        (service(autostop=False), service(autostop="off")),
        (service(autostop=True), service(autostop="stop")),
        (service(force_instance_key=None), service()),
        (service(ports=[{"port": 1, "tls_options": {}}]), service(ports=[{"port": 1}])),
        (
            service(checks=[{"interval": "1m0s", "timeout": "2s"}]),
            service(checks=[{"interval": "60s", "timeout": "2000ms"}]),
        ),
        (
            {"checks": {"a": {"headers": [{"name": "A"}, {"name": "B"}]}}},
            {"checks": {"a": {"headers": [{"name": "B"}, {"name": "A"}]}}},
        ),
        ({"stop_config": {"timeout": "5s"}}, {"stop_config": {"timeout": "0m5s"}}),
        ({"init": {"tty": False}}, {}),
        ({"mixed": [{"a": 1}, ""]}, {"mixed": [{"a": 1}]}),
        ({"checks": {"a": {"interval": "60s"}}}, {"checks": {"a": {"interval": "1m0s"}}}),
        ({"image": "nginx"}, {"image": "docker.io/library/nginx:latest"}),
        (
            {"containers": [{"name": "a.b", "image": "nginx"}]},
            {"containers": [{"name": "a.b", "image": "docker.io/library/nginx:latest"}]},
        ),
        (
            {"image": "x", "containers": [{"name": "a", "files": [{"image_config": "."}]}]},
            {"image": "x", "containers": [{"name": "a", "files": [{"image_config": "x"}]}]},
        ),
        (
            {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "j"}]},
            {"containers": [{"name": "b", "image": "j"}, {"name": "a", "image": "i"}]},
        ),
    ],
)
def test_what_is_no_difference(desired: dict[str, Any], observed: dict[str, Any]) -> None:
    assert changed(desired, observed) == []
    assert changed(observed, desired) == []


@pytest.mark.parametrize(
    ("desired", "observed"),
    [
        ({}, {"restart": {"policy": "on-failure", "max_retries": 10}}),
        ({}, {"restart": {"policy": "", "max_retries": 3}}),
        ({}, {"restart": {}}),
        (
            {"restart": {"policy": "always"}},
            {"restart": {"policy": "always", "max_retries": 10}},
        ),
        ({}, {"auto_destroy": False, "init": {"tty": False}}),
        (service(), service(ports=[{"force_https": False}])),
        (service(), service(autostop=False, min_machines_running=0)),
        (
            service(),
            service(concurrency={"type": "connections", "soft_limit": 20, "hard_limit": 25}),
        ),
        (
            service(concurrency={"type": "requests", "soft_limit": 5}),
            service(concurrency={"type": "requests", "soft_limit": 5, "hard_limit": 25}),
        ),
        (
            service(ports=[{"port": 443, "handlers": ["http", "tls"]}]),
            service(ports=[{"port": 443, "handlers": ["tls", "http"]}]),
        ),
        (service(checks=[{"interval": "5m"}]), service(checks=[{"interval": "60s"}])),
    ],
)
def test_what_the_platform_fills_in_is_no_difference(
    desired: dict[str, Any], observed: dict[str, Any]
) -> None:
    assert changed(desired, observed) == []


@pytest.mark.parametrize(
    ("desired", "observed", "expected"),
    [
        ({}, {"restart": {"policy": "no"}}, ["restart.policy: no → (none)"]),
        (
            {},
            {"restart": {"policy": "on-failure", "max_retries": 5}},
            ["restart.max_retries: 5 → (none)"],
        ),
        (
            service(concurrency={"hard_limit": 25}),
            service(),
            ["services[0].concurrency.hard_limit: (none) → 25"],
        ),
        (
            service(),
            service(concurrency={"soft_limit": 20, "hard_limit": 500}),
            ["services[0].concurrency.hard_limit: 500 → (none)"],
        ),
        ({"init": {"tty": True}}, {"init": {"tty": False}}, ["init.tty: false → true"]),
        (
            {"checks": {"a": {"interval": "5m"}}},
            {"checks": {"a": {"interval": "60s"}}},
            ["checks.a.interval: 1m0s → 5m0s"],
        ),
        (service(), service(autostart=False), ["services[0].autostart: false → (none)"]),
    ],
)
def test_what_somebody_else_set_is_a_difference(
    desired: dict[str, Any], observed: dict[str, Any], expected: list[str]
) -> None:
    assert changed(desired, observed) == expected


@pytest.mark.parametrize(
    ("desired", "observed", "expected"),
    [
        ({"image": "b"}, {"image": "a"}, ["image: a → b"]),
        ({"env": {"A": "1", "B": ""}}, {"env": {"A": "2"}}, ["env.A: 2 → 1", "env.B: (none) → "]),
        ({}, {"env": {"A": "1"}}, ["env.A: 1 → (none)"]),
        ({"metadata": {"team": "x"}}, {}, ["metadata.team: (none) → x"]),
        ({"guest": {"memory_mb": 512}}, {}, ["guest.memory_mb: 256 → 512"]),
        (service(autostop=False), service(), ["services[0].autostop: (none) → off"]),
        (service(autostart=False), service(), ["services[0].autostart: (none) → false"]),
        (
            service(min_machines_running=0),
            service(min_machines_running=1),
            ["services[0].min_machines_running: 1 → 0"],
        ),
        (
            service(ports=[{"port": 80, "handlers": ["http"]}]),
            service(ports=[{"port": 80, "handlers": ["tls", "http"]}]),
            ['services[0].ports[0].handlers: ["http", "tls"] → ["http"]'],
        ),
        (
            service(checks=[{"interval": "10s"}]),
            service(checks=[{"interval": "11s"}]),
            ["services[0].checks[0].interval: 11s → 10s"],
        ),
        (
            {"services": [{"internal_port": 1}, {"internal_port": 2}]},
            {"services": [{"internal_port": 2}, {"internal_port": 1}]},
            ["services[0].internal_port: 2 → 1", "services[1].internal_port: 1 → 2"],
        ),
        ({"init": {"cmd": ["a", ""]}}, {"init": {"cmd": ["a"]}}, ['init.cmd: ["a"] → ["a", ""]']),
        (
            {"containers": [{"name": "a", "image": "2"}]},
            {"containers": [{"name": "b", "image": "1"}, {"name": "a", "image": "1"}]},
            [
                "containers[a].image: 1 → 2",
                "containers[b].image: 1 → (none)",
                "containers[b].name: b → (none)",
            ],
        ),
        ({"new_member": {"a": 1}}, {}, ["new_member.a: (none) → 1"]),
        (
            {"containers": [{"name": "a", "files": [{"guest_path": "/f", "image_config": "i"}]}]},
            {"containers": [{"name": "a", "files": [{"guest_path": "/f", "image_config": "i:2"}]}]},
            ["containers[a].files[/f].image_config: i:2 → i"],
        ),
        *(
            (
                {"containers": [{"name": "a", "files": [{"guest_path": "/f", "image_config": n}]}]},
                {"containers": [{"name": "a", "files": [{"guest_path": "/f", "image_config": o}]}]},
                [f"containers[a].files[/f].image_config: {o} → {n}"] if differs else [],
            )
            for o, n, differs in (
                ("i:latest", "docker.io/library/i", False),
                ("i:1", f"i:1@sha256:{'a' * 64}", False),
                (f"i:1@sha256:{'b' * 64}", f"i:1@sha256:{'a' * 64}", True),
            )
        ),
        (
            {"checks": {"a": {"odd": {"interval": 1.5}}}},
            {"checks": {"a": {"odd": {"interval": 2.5}}}},
            ["checks.a.odd.interval: 2.5 → 1.5"],
        ),
        ({"new": {"a.b": {"env": {"A": ""}}}}, {}, ["new.a.b.env.A: (none) → "]),
        ({"new": {"env.x": {"A": ""}}}, {}, []),
        ({"stop_config": {"timeout": "5s"}}, {}, ["stop_config.timeout: (none) → 5s"]),
        (
            {"checks": {"a": {"path": "60s", "port": 1}}},
            {"checks": {"a": {"path": "1m0s"}}},
            ["checks.a.path: 1m0s → 60s", "checks.a.port: (none) → 1"],
        ),
        (
            {"checks": {"a": {"interval": "soon"}}},
            {"checks": {"a": {"interval": "later"}}},
            ["checks.a.interval: later → soon"],
        ),
        (
            {"dns": {"image": "nginx"}, "env": {"image": "nginx"}},
            {"dns": {"image": "nginx:latest"}, "env": {"image": "nginx:latest"}},
            ["dns.image: nginx:latest → nginx", "env.image: nginx:latest → nginx"],
        ),
        (
            {"containers": [{"name": "a", "files": [{"guest_path": "/f", "image_config": "x"}]}]},
            {},
            [
                "containers[a].files[/f].guest_path: (none) → /f",
                "containers[a].files[/f].image_config: (none) → x",
                "containers[a].name: (none) → a",
            ],
        ),
        (
            {"containers": [{"name": "a", "stop": {"timeout": "60s"}}]},
            {"containers": [{"name": "a", "stop": {"timeout": "2m"}}]},
            ["containers[a].stop.timeout: 2m0s → 1m0s"],
        ),
        (
            {"image": "i", "containers": [{"name": "a", "image": "i", "secrets": [{"env": "i"}]}]},
            {"image": "i", "containers": [{"name": "a", "image": "i", "secrets": [{"env": "j"}]}]},
            ["containers[a].secrets[0].env: j → i"],
        ),
        (
            {"init": {"cmd": ["é", ""], "tty": True}},
            {"init": {"cmd": []}},
            ['init.cmd: (none) → ["é", ""]', "init.tty: (none) → true"],
        ),
        ({"schedule": ""}, {}, []),
        (
            {"mixed": [{"a": 1}, "text", {"b": ""}]},
            {"mixed": [{"a": 2}, "text"]},
            ["mixed[0].a: 2 → 1"],
        ),
        ({"metadata": {"empty": ""}}, {}, ["metadata.empty: (none) → "]),
    ],
)
def test_what_is_a_difference(
    desired: dict[str, Any], observed: dict[str, Any], expected: list[str]
) -> None:
    assert changed(desired, observed) == expected


def test_durations_as_nanoseconds() -> None:
    check = FlyMachineServiceCheck(interval="15s")
    number = FlyMachineServiceCheck(extra={"interval": 15_000_000_000})
    desired = FlyMachineConfig(services=[FlyMachineService(checks=[check])])
    observed = FlyMachineConfig(services=[FlyMachineService(checks=[number])])
    assert differences(desired, observed) == ()


def test_durations_that_are_none_are_compared_as_they_are() -> None:
    one, other = (
        FlyMachineConfig(
            services=[FlyMachineService(checks=[FlyMachineServiceCheck(extra={"interval": value})])]
        )
        for value in (1.5, 2.5)
    )
    (difference,) = differences(one, other)
    assert str(difference) == "services[0].checks[0].interval: 2.5 → 1.5"


@pytest.mark.parametrize("place", ["env", "containers"])
def test_only_images_are_compared_as_images(place: str) -> None:
    def told(name: str) -> dict[str, Any]:
        env = {"BASE": name}
        return {"env": env} if place == "env" else {"containers": [{"name": "a", "env": env}]}

    (found,) = differences(config(told("docker.io/library/nginx:1")), config(told("nginx:1")))
    assert (found.before, found.after) == ("nginx:1", "docker.io/library/nginx:1")


def test_a_config_is_told_leaf_by_leaf_with_contents_of_files_as_digests() -> None:
    file = {"guest_path": "/a", "raw_value": base64.b64encode(b"secret").decode()}
    assert leaves(config({"image": "x", "env": {"A": "", "B": "1"}, "files": [file]})) == {
        "image": "x",
        "env.A": "",
        "env.B": "1",
        "files[/a].guest_path": "/a",
        "files[/a].raw_value": content(file["raw_value"]),
        "guest.cpu_kind": "shared",
        "guest.cpus": 1,
        "guest.memory_mb": 256,
    }


def test_contents_of_files_are_not_shown() -> None:
    secret = base64.b64encode(b"top secret content").decode()
    file = {"guest_path": "/etc/a", "raw_value": secret}
    (added, path) = differences(
        config({"files": [{**file, "guest_path": "/etc/b"}]}),
        config({"files": []}),
    )
    assert added.path == "files[/etc/b].guest_path"
    assert path.path == "files[/etc/b].raw_value"
    assert path.before is None
    digest = hashlib.sha256(b"top secret content").hexdigest()
    assert path.after == f"sha256:{digest[:16]} (18 bytes)"
    again = {"files": [{**file, "raw_value": base64.b64encode(b"other").decode()}]}
    (difference,) = differences(config(again), config({"files": [file]}))
    assert difference.before != difference.after
    assert secret not in repr(difference)


@pytest.mark.parametrize(("text", "size"), [("plain ünencoded", 16), ("YWJj!", 5)])
def test_text_that_is_no_base64_is_not_shown_either(text: str, size: int) -> None:
    (_, difference) = differences(
        config({"files": [{"guest_path": "/a", "raw_value": text}]}), config({})
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert difference.after == f"sha256:{digest[:16]} ({size} bytes)"


def test_difference_as_text() -> None:
    assert str(Difference(path="a", before=None, after="1")) == "a: (none) → 1"


def test_inputs_are_not_changed() -> None:
    document = {**service(autostop=True), "size": "shared-cpu-2x", "env": {"FLY_STANDBY_FOR": "m"}}
    one = config(document)
    before = deepcopy(one)
    assert differences(one, config({})) != ()
    assert one == before


@given(st.integers(min_value=0, max_value=2**62))
def test_every_spelling_of_a_duration_is_the_same(nanoseconds: int) -> None:
    desired = service(checks=[{"interval": Duration(nanoseconds).text()}])
    assert changed(desired, service(checks=[{"interval": f"{nanoseconds}ns"}])) == []


names = st.sampled_from(["a", "b", "c"])
trees = st.fixed_dictionaries(
    {},
    optional={
        "env": st.dictionaries(names, st.text(max_size=3), max_size=3),
        "image": names,
        "metadata": st.dictionaries(names, names, max_size=3),
        "services": st.lists(
            st.fixed_dictionaries(
                {}, optional={"internal_port": st.integers(1, 3), "autostart": st.booleans()}
            ),
            max_size=2,
        ),
    },
)


@given(trees, trees)
def test_comparing_is_symmetric_and_equal_configs_have_no_difference(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert changed(one, one) == []
    there = differences(config(one), config(other))
    back = differences(config(other), config(one))
    assert [(d.path, d.before, d.after) for d in there] == [
        (d.path, d.after, d.before) for d in back
    ]


def test_modes_of_files_are_told_as_people_write_them() -> None:
    def with_mode(mode: int) -> FlyMachineConfig:
        file = {"guest_path": "/etc/a", "raw_value": "YQ==", "mode": mode}
        return config({"containers": [{"name": "main", "files": [file]}]})

    (found,) = differences(with_mode(0o600), with_mode(0o644))
    assert str(found) == "containers[main].files[/etc/a].mode: 0644 → 0600"
