from __future__ import annotations

import base64

import pytest

from fly_machines.models import FlyContainerConfig
from score_flyio.deploy.desired.compose import compose_containers
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.fly.codec import unstructure
from tests.unit.deploy.desired.conftest import MemoryFiles

LONG = """depends_on:
  db: {condition: service_healthy}
  c: {condition: service_completed_successfully}
  d: {condition: other}
  e: ~"""


def converted(text: str, **others: bytes) -> list[FlyContainerConfig]:
    files = {"compose.yml": text.encode(), **others}
    return compose_containers("compose.yml", MemoryFiles(files))


def one(text: str) -> FlyContainerConfig:
    body = "\n".join(f"    {line}" for line in text.strip().splitlines())
    (container,) = converted(f"services:\n  web:\n    image: i\n{body}\n")
    return container


@pytest.mark.parametrize(
    ("text", "member", "value"),
    [
        ("environment: {A: 1, B: true, C: yes, D: 0.50, E: ~}", "env",
         {"A": "1", "B": "true", "C": "yes", "D": "0.50", "E": ""}),
        ("environment: {}", "env", None),
        ("command: run it", "cmd", ["run it"]),
        ("command: [run, 5, on, '5', 12:30]", "cmd", ["run", "on", "5", "12:30"]),
        ("command: [run, 2024-05-17, 1e3, 0o17, 08, .inf, TRUE, 1_000, '1e3', 5s]", "cmd",
         ["run", "1e3", "5s"]),
        ("command: 5", "cmd", None),
        ("command: []", "cmd", None),
        ("command: [5]", "cmd", None),
        ("entrypoint: []", "entrypoint", None),
        ("environment: {on: yes, 5: ~, ~: x, 0x1F: 2024-05-17}", "env",
         {"on": "yes", "5": "", "0x1F": "2024-05-17"}),
        ("entrypoint: [/bin/sh, -c]", "entrypoint", ["/bin/sh", "-c"]),
        ("user: 1000", "user", "1000"),
        ("ports: ['80:80']\nrestart: always\nnetworks: [x]", "cmd", None),
    ],
)  # fmt: skip
def test_values(text: str, member: str, value: object) -> None:
    assert getattr(one(text), member) == value


def test_a_built_service_gets_the_deployed_image() -> None:
    found = converted("services: {b: {image: x, build: .}, a: {image: y}}")
    assert [(c.name, c.image) for c in found] == [("a", "y"), ("b", ".")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("depends_on: [b, a, b]", [("a", "started"), ("b", "started")]),
        (
            LONG,
            [("c", "exited_successfully"), ("d", "started"), ("db", "healthy"), ("e", "started")],
        ),
    ],
)
def test_dependencies(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(d.name, d.condition) for d in one(text).depends_on or []] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("test: curl x", {"exec": {"command": ["curl x"]}}),
        ("test: CMD", {"exec": {"command": ["CMD"]}}),
        ("test: [CMD, curl, x]", {"exec": {"command": ["curl", "x"]}}),
        ("test: [CMD-SHELL, 'a || b']", {"exec": {"command": ["a || b"]}}),
        ("interval: 5s\n  timeout: 99s\n  retries: 3",
         {"interval": 30, "timeout": 10, "failure_threshold": 3}),
        ("retries: 0", {}),
        ("retries: -1", {}),
        ("retries: ~", {}),
        ("retries: 2.9", {"failure_threshold": 2}),
        ("retries: 0x10", {"failure_threshold": 16}),
        ("retries: 1e2", {"failure_threshold": 100}),
        ("test: [CMD-SHELL]", {}),
        ("test: ~", {}),
        ("interval: ''", {}),
        ("interval: 5", {"interval": 30}),
    ],
)  # fmt: skip
def test_healthcheck(text: str, expected: dict[str, object]) -> None:
    (check,) = one(f"healthcheck:\n  {text}").healthchecks or []
    assert unstructure(check) == {"name": "", **expected}


def test_host_files_are_read_beside_the_compose_file() -> None:
    text = (
        "services: {web: {image: i, volumes: "
        "['./a.conf:/etc/a.conf:ro', 'data:/data', '/anonymous', 'x:ro', '/abs:/etc/abs']}}"
    )
    source = MemoryFiles({"sub/c.yml": text.encode(), "sub/./a.conf": b"A", "/abs": b"B"})
    (container,) = compose_containers("sub/c.yml", source)
    assert [(f.guest_path, f.raw_value) for f in container.files or []] == [
        ("/etc/a.conf", base64.b64encode(b"A").decode()),
        ("/etc/abs", base64.b64encode(b"B").decode()),
    ]


def test_anchors_and_merge_keys() -> None:
    (container,) = converted(
        "x-env: &env {A: '1'}\nservices: {web: {image: i, environment: {<<: *env, B: '2'}}}"
    )
    assert container.env == {"A": "1", "B": "2"}


def test_the_usual_names_are_searched_in_order() -> None:
    files = MemoryFiles(
        {
            "docker-compose.yml": b"services: {second: {image: i}}",
            "compose.yml": b"services: {first: {image: i}}",
        }
    )
    assert [c.name for c in compose_containers("", files)] == ["first"]
    assert compose_containers("", MemoryFiles()) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("services: {a: {command: x}}", "service_without_image"),
        ("services: {a: {build: .}, b: {build: {context: .}}}", "multiple_build_services"),
        ("services: {}", "no_services"),
        ("version: '3'", "no_services"),
        ("", "no_services"),
        ("services: [", "invalid_compose"),
        ("services: [a]", "invalid_compose"),
        ("[a]", "invalid_compose"),
        ("services: {a: text}", "invalid_compose"),
        ("services: {a: {image: i, environment: [A=1]}}", "invalid_compose"),
        ("services: {a: {image: i, healthcheck: {retries: many}}}", "invalid_compose"),
        ("services: {a: {image: i, depends_on: b}}", "invalid_compose"),
        ("services: {a: {image: i, healthcheck: b}}", "invalid_compose"),
        ("services: {a: {image: i, volumes: b}}", "invalid_compose"),
        ("services: {a: {image: i, volumes: [{type: bind}]}}", "invalid_compose"),
        ("services: {a: {image: i, ports: [{target: 80}]}}", "invalid_compose"),
        ("services: {a: {image: i, ports: 80}}", "invalid_compose"),
        ("services: {a: {image: [i]}}", "invalid_compose"),
        ("services: {a: {image: i, user: [1]}}", "invalid_compose"),
        ("services: {a: {image: i, deploy: [1]}}", "invalid_compose"),
        ("services: {a: {image: i, configs: {a: b}}}", "invalid_compose"),
        ("services: {a: {image: i, environment: {A: [1]}}}", "invalid_compose"),
        ("services: {a: {image: i, healthcheck: {interval: [5s]}}}", "invalid_compose"),
        ("services: {a: {image: i, healthcheck: {retries: '3'}}}", "invalid_compose"),
        ("services: {a: {image: i, depends_on: {5: ~}}}", "invalid_compose"),
        ("services: {a: {depends_on: 5}}", "invalid_compose"),
        ("services: {a: {image: i, image: j}}", "invalid_compose"),
        ("services: {a: {image: i}}\nvolumes: [a]", "invalid_compose"),
        ("services: {a: {image: i}}\nversion: [3]", "invalid_compose"),
        ("services: {~: {image: i}}", "no_services"),
    ],
)
def test_refused(text: str, code: str) -> None:
    with pytest.raises(ConversionError) as raised:
        converted(text)
    assert (raised.value.field, raised.value.code) == ("build.compose.file", code)
    assert raised.value.hint


def test_a_missing_file() -> None:
    with pytest.raises(ConversionError) as raised:
        compose_containers("compose.yml", MemoryFiles())
    assert raised.value.code == "file_not_found"


def test_what_is_no_yaml_is_told_with_its_line() -> None:
    with pytest.raises(ConversionError, match=r"compose\.yml:2: not YAML: "):
        converted("services:\n  a: {image: [")


def test_a_file_that_contains_itself() -> None:
    with pytest.raises(ConversionError) as raised:
        converted("services: &s {a: *s}")
    assert raised.value.code == "invalid_compose"
