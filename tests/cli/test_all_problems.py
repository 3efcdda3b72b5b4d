"""What is wrong with Score files is told in one run: each once, with the file and line to blame."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cli.conftest import Cli

WRONG = """\
apiVersion: score.dev/v1b1
metadata:
  name: shop
containers:
  main:
    image: nginx
    imag: x
    variables:
      A: ${resources.nope.host}
      B: 1
      C: ${resources.db.host}
    files:
      /etc/x:
        source: missing.txt
      /etc/y:
        source: page.html
resources:
  db:
    type: postgers
"""


@pytest.fixture
def project(cli: Cli) -> Cli:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    (cli.directory / "page.html").write_text("<p>\n${user}\n")
    return cli


def told(problems: list[dict[str, Any]]) -> list[tuple[str, int | None, str, str]]:
    return sorted((p["file"], p["line"], p["place"], p["code"]) for p in problems)


@pytest.mark.parametrize("command", [("generate",), ("deploy", "--emulate"), ("plan", "--emulate")])
def test_what_one_step_finds_does_not_hide_the_next(project: Cli, command: tuple[str, ...]) -> None:
    (project.directory / "score.yaml").write_text(WRONG)
    found = project(*command, "score.yaml")
    assert found.exit_code == 2
    lines = re.findall(r"score\.yaml:\d.*", found.stderr)
    assert [(line.split(": ")[0], line.split(": ")[1]) for line in lines] == [
        ("score.yaml:5", "containers.main"),
        ("score.yaml:10", "containers.main.variables.B"),
        ("score.yaml:9", "containers.main.variables.A"),
        ("score.yaml:14", "containers.main.files[/etc/x].source"),
        ("score.yaml:16", "containers.main.files[/etc/y].source"),
        ("score.yaml:18", "resources.db"),
    ]
    source = lines[4]
    assert "page.html, line 2: placeholder ${user}" in source
    assert "noExpand: true" in source
    assert "$${" not in source
    assert "did you mean postgres?" in lines[5]


def test_a_part_that_is_taken_out_makes_no_problems_of_its_own(project: Cli) -> None:
    (project.directory / "score.yaml").write_text(
        """\
apiVersion: score.dev/v1b1
metadata:
  name: shop
  annotations:
    score-flyio.astromechza.github.com/service-web-handlers: http
containers:
  main:
    image: nginx
    variables: {HOST: "${resources.db.host}", Q: "${resources.q.host}"}
    before: {side: {ready: healthy}}
    readinessProbe: {httpGet: {path: /, port: "80"}}
  side: {}
service:
  ports: {web: {port: eighty}}
resources:
  db: {}
  q: {type: redis}
"""
    )
    problems = project("generate", "score.yaml", "--json").json["error"]["problems"]
    assert told(problems) == [
        ("score.yaml", 11, "containers.main.readinessProbe.httpGet.port", "schema_invalid"),
        ("score.yaml", 12, "containers.side", "schema_invalid"),
        ("score.yaml", 14, "service.ports.web.port", "schema_invalid"),
        ("score.yaml", 16, "resources.db", "schema_invalid"),
        ("score.yaml", 17, "resources.q", "schema_invalid"),
    ]


def test_what_reads_a_part_with_a_fault_is_not_blamed(project: Cli) -> None:
    (project.directory / "score.yaml").write_text(
        """\
apiVersion: score.dev/v1b1
metadata: {name: shop, annotations: {"my.org/x": "1", deep: {a: b}}}
service: {ports: {web: {port: eighty}}}
containers:
  main:
    image: nginx
    variables:
      A: ${metadata.annotations.my\\.org/x}
      B: ${metadata.annotations.deep}
resources:
  way: {type: route, params: {host: shop.example.com, port: 8080}}
"""
    )
    problems = project("generate", "score.yaml", "--json").json["error"]["problems"]
    assert [p["place"] for p in problems] == [
        "metadata.annotations[my.org/x]",
        "metadata.annotations.deep",
        "service.ports.web.port",
    ]


@pytest.mark.parametrize(
    ("limits", "ways"),
    [
        ("{limits: {cpu: 0.5, memory: 4Gi}}", ["limits.cpu"]),
        ("{limits: {memory: 500Mi}, requests: {cpu: 2, memory: 4G}}", ["requests.cpu"]),
        ("{limits: {cpu: 2, memory: 4}}", ["limits.cpu", "limits.memory"]),
    ],
)
def test_a_size_without_what_is_wrong_in_it_is_not_judged(
    project: Cli, limits: str, ways: list[str]
) -> None:
    (project.directory / "score.yaml").write_text(
        f"""\
apiVersion: score.dev/v1b1
metadata: {{name: shop}}
containers: {{main: {{image: nginx, resources: {limits}}}}}
"""
    )
    problems = project("generate", "score.yaml", "--json").json["error"]["problems"]
    assert [p["place"] for p in problems] == [f"containers.main.resources.{way}" for way in ways]


def test_resources_that_nobody_serves_and_wrong_params_have_their_lines(project: Cli) -> None:
    (project.directory / "score.yaml").write_text(
        """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers: {main: {image: nginx}}
resources:
  events:
    type: kafka-topic
  disk: {type: volume}
  search:
    type: elasticsearch
  settings:
    type: environment
    params:
      a: ${resources.disk.nope}
"""
    )
    found = project("generate", "score.yaml", "--json")
    assert found.exit_code == 2
    assert told(found.json["error"]["problems"]) == [
        ("score.yaml", 5, "resources.events", "provisioner_not_found"),
        ("score.yaml", 8, "resources.search", "provisioner_not_found"),
        ("score.yaml", 13, "resources.settings.params.a", "params_substitution_failed"),
    ]
    deployed = project("deploy", "--emulate", "score.yaml").stderr.split("Error: ")[-1]
    assert "score.yaml:5: resources.events" in deployed
    assert "score.yaml:8: resources.search" in deployed


def test_conversion_problems_have_their_lines_and_those_of_resources_come_with_them(
    project: Cli,
) -> None:
    (project.directory / "score.yaml").write_text(
        """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: nginx
    volumes:
      - target: /a
        source: one
      - target: /b
        source: two
resources:
  events:
    type: kafka-topic
"""
    )
    problems = project("generate", "score.yaml", "--json").json["error"]["problems"]
    assert told(problems) == [
        ("score.yaml", 9, "containers.main.volumes[/b]", "unsupported_feature"),
        ("score.yaml", 12, "resources.events", "provisioner_not_found"),
    ]


def test_what_an_override_wrote_or_removed_is_blamed_on_it(project: Cli) -> None:
    (project.directory / "score.yaml").write_text(
        """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: nginx
    args: ["a"]
    volumes: {/a: {source: one}}
    variables: {A: "${resources.no.x}"}
"""
    )
    (project.directory / "over.yaml").write_text(
        "containers:\n  main:\n    volumes:\n      /b: {source: two}\n    args: [1]\n"
    )
    over = [
        *("--overrides-file", "over.yaml"),
        *("--override-property", "containers.main.image="),
        *("--override-property", "containers.main.args.-1=2"),
        *("--override-property", "containers.main.variables.B=${user}"),
        *("--override-property", "containers.main.variables.A=fine"),
        *("--override-property", "containers.main.command.0=made a map"),
    ]
    problems = project("generate", "score.yaml", *over, "--json").json["error"]["problems"]
    option = "--override-property containers.main"
    assert sorted((p["file"], p["line"], p["place"]) for p in problems) == sorted(
        [
            (f"{option}.image", None, "containers.main"),
            ("over.yaml", 5, "containers.main.args[0]"),
            (f"{option}.args.-1", None, "containers.main.args[1]"),
            (f"{option}.variables.B", None, "containers.main.variables.B"),
            ("over.yaml", 4, "containers.main.volumes[/b]"),
            (f"{option}.command.0", None, "containers.main.command"),
        ]
    )


def test_two_wrong_files_are_told_together(project: Cli) -> None:
    for name in ("one", "two"):
        text = WRONG.replace("name: shop", f"name: {name}").replace("    imag: x\n", "")
        (project.directory / f"{name}.yaml").write_text(text)
    found = project("generate", "one.yaml", "two.yaml", "--json")
    assert found.exit_code == 2
    files = [problem["file"] for problem in found.json["error"]["problems"]]
    assert files == ["one.yaml"] * 5 + ["two.yaml"] * 5


BROKEN = {
    "schema": ("image: nginx", "imag: nginx"),
    "placeholder": ("A: a", 'A: "${resources.none.x}"'),
    "conversion": ("A: a", "A: a}\n    volumes: {/a: {source: one}, /b: {source: two}"),
    "output": ("A: a", 'A: "${resources.db.hots}"'),
    "provisioner": ("type: postgres", "type: kafka-topic"),
}


def pair(project: Cli, wrong: str, instead: str) -> list[str]:
    """Two new files that share what cannot be shared; one is wrong in a way of its own, too."""
    for name, line in (("one", "{a: 1}"), ("two", "{a: 2}")):
        text = f"""\
apiVersion: score.dev/v1b1
metadata: {{name: {name}}}
containers:
  main:
    image: nginx
    variables: {{A: a}}
resources:
  db: {{type: postgres}}
  disk: {{type: volume, id: shared}}
  settings: {{type: environment, id: both, params: {line}}}
  way: {{type: route, params: {{host: shop.example.com}}}}
"""
        (project.directory / f"{name}.yaml").write_text(text)
    path = project.directory / "one.yaml"
    path.write_text(path.read_text().replace(wrong, instead))
    return ["one.yaml", "two.yaml"]


CONFLICTS = {
    ("resources.disk.id", "resource_conflict"),
    ("resources.settings.params", "resource_conflict"),
    ("resources.way.params.host", "resource_conflict"),
}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("wrong", BROKEN)
def test_what_new_files_cannot_share_is_told_with_all_else(
    project: Cli, wrong: str, order: int
) -> None:
    files = pair(project, *BROKEN[wrong])
    found = project("generate", *files[::order], "--json")
    assert found.exit_code != 0
    problems = found.json["error"]["problems"]
    assert {(p["place"], p["code"]) for p in problems} > CONFLICTS
    assert all(p["file"] and p["line"] for p in problems)
    assert len(problems) == len({(p["place"], p["message"]) for p in problems})


def test_a_missing_image_does_not_hide_what_cannot_be_shared(project: Cli) -> None:
    files = pair(project, "image: nginx", "image: .")
    found = project("deploy", *files, "--emulate")
    assert found.exit_code == 2
    assert "Dockerfile" in found.stderr
    for place, _ in CONFLICTS:
        assert f": {place}: " in found.stderr


def test_the_failure_of_a_provisioner_has_the_place_that_asks_for_the_resource(
    project: Cli,
) -> None:
    project("provisioners", "add", "bad", "thing", "--cmd-binary", "false")
    for name, id_ in (("one", "first"), ("two", "other")):
        (project.directory / f"{name}.yaml").write_text(
            f"""\
apiVersion: score.dev/v1b1
metadata: {{name: {name}}}
containers: {{main: {{image: nginx}}}}
resources:
  fine: {{type: volume}}
  it: {{type: thing, id: {id_}}}
"""
        )
    alone = project("generate", "one.yaml", "--json")
    assert alone.exit_code == 1
    (problem,) = alone.json["error"]["problems"]
    assert (problem["file"], problem["line"], problem["place"]) == ("one.yaml", 6, "resources.it")
    assert "thing.default#first" in problem["message"]
    both = project("generate", "one.yaml", "two.yaml", "--json").json["error"]["problems"]
    assert [(p["file"], p["line"]) for p in both] == [("one.yaml", 6), ("two.yaml", 6)]
    text = project("deploy", "one.yaml", "two.yaml", "--emulate", "--report", "r.html").stderr
    for name in ("one", "two"):
        assert f"Error: {name}.yaml:6: resources.it: " in text


KINDS = {
    "one.yaml": """\
apiVersion: score.dev/v1b1
metadata:
  name: one
  annotations:
    score-flyio.astromechza.github.com/service-web-handlers: gopher
containers:
  main:
    image: nginx
    command: run
    variables:
      A: ${resources.db.hots}
    files:
      /etc/x:
        source: missing.txt
service:
  ports:
    web: {port: 80, targetPort: 8080}
    also: {port: 80, targetPort: 8081}
resources:
  db:
    type: postgres
  disk: {type: volume, id: shared}
""",
    "two.yaml": """\
apiVersion: score.dev/v1b1
metadata:
  name: two
containers:
  main:
    image: nginx
    volumes:
      /data:
        source: ${resources.disk}
      /b: {source: "two"}
    resources: {limits: {memory: 900Gi, cpu: "3"}}
    files:
      relative/path:
        content: x
resources:
  disk: {type: volume, id: shared}
  events: {type: kafka-topic}
  way: {type: route, params: {host: shop.example.com, port: 8080}}
  name: {type: environment, params: {a: "${resources.disk.size}"}}
""",
    "three.yaml": """\
apiVersion: score.dev/v1b1
metadata:
  name: three
containers:
  main:
    image: "NG INX"
    variables:
      C: ${metadata.nam}
    volumes:
      /data: {source: ""}
service:
  ports:
    web: {port: 80, targetPort: 8080}
    raw: {port: 81, protocol: SCTP}
resources:
  db: {type: postgrs}
  way: {type: route, params: {host: shop.example.com}}
""",
}
LINES = {
    "one.yaml": [5, 9, 11, 14, 17, 22],
    "two.yaml": [10, 11, 13, 17, 18, 19],
    "three.yaml": [6, 8, 10, 14, 16, 17],
}


@pytest.mark.parametrize(
    "command", [("generate",), ("plan", "--emulate"), ("deploy", "--emulate", "--region", "nil")]
)
def test_faults_of_every_kind_in_three_files_are_told_in_one_round(
    project: Cli, command: tuple[str, ...]
) -> None:
    for name, text in KINDS.items():
        (project.directory / name).write_text(text)
    found = project(*command, *KINDS)
    assert found.exit_code == 2
    told = [line.strip() for line in found.stderr.splitlines()]
    told = [line.removeprefix("Error: ") for line in told if not line.endswith("problems")]
    lines = {
        name: sorted(int(each.split(":")[1]) for each in told if each.startswith(f"{name}:"))
        for name in KINDS
    }
    assert lines == LINES
    assert sum(line.startswith("--region: Fly has no region 'nil'") for line in told) == (
        "deploy" in command
    )


GOOD = """\
apiVersion: score.dev/v1b1
metadata: {name: NAME}
containers: {main: {image: nginx, variables: {A: "${resources.db.host}"}}}
resources: {db: {type: mysql}}
"""
OPTIONS = ("--region", "nil", "--vm-memory", "900gb", "--only-regions", "nowhere")


@pytest.mark.parametrize("broken", [(), ("schema",), ("schema", "output")])
@pytest.mark.parametrize("command", ["plan", "deploy"])
def test_wrong_options_are_told_once_with_all_else(
    project: Cli, command: str, broken: tuple[str, ...]
) -> None:
    faults = {"schema": ("image:", "imag:"), "output": ("db.host", "db.hots")}
    files = ["one.yaml", "two.yaml"]
    for name, fault in zip(files, (*broken, None, None), strict=False):
        text = GOOD.replace("NAME", name.removesuffix(".yaml"))
        (project.directory / name).write_text(text.replace(*faults[fault]) if fault else text)
    found = project(command, "--emulate", *OPTIONS, *files)
    assert found.exit_code == 2
    for option in OPTIONS[::2]:
        assert found.stderr.count(f"{option}: ") == 1
    for name, _ in zip(files, broken, strict=False):
        assert f"{name}:" in found.stderr
    for state in (project.directory / ".score-flyio").rglob("state.yaml"):
        assert "provisioner: server" not in state.read_text(), "nothing may be made"


def test_nothing_is_made_for_an_app_that_cannot_be_deployed(project: Cli) -> None:
    text = GOOD.replace("NAME", "one")
    (project.directory / "two.yaml").write_text(GOOD.replace("NAME", "two"))
    (project.directory / "one.yaml").write_text(
        text.replace("image: nginx,", "image: nginx, volumes: {/data: {source: data}},")
    )
    found = project("deploy", "--emulate", "one.yaml", "two.yaml")
    assert found.exit_code == 2
    assert "one.yaml:3: containers.main.volumes[/data]: " in found.stderr
    resources = project("resources", "list", "--emulate", "--json").json
    assert {r["uid"]: bool(r["outputs"]) for r in resources} == {
        "mysql.default#one.db": False,
        "mysql.default#two.db": True,
    }


@pytest.mark.parametrize("command", ["plan", "deploy"])
def test_a_missing_token_hides_no_problem_of_the_files(project: Cli, command: str) -> None:
    for name, text in KINDS.items():
        (project.directory / name).write_text(text)
    found = project(command, *KINDS, "--json")
    assert found.exit_code == 2
    problems = found.json["error"]["problems"]
    lines = {n: sorted(p["line"] for p in problems if p["file"] == n) for n in KINDS}
    assert lines == LINES
    assert [p["message"] for p in problems if p["code"] == "token_missing"] == [
        "there is no Fly token"
    ]
    text = GOOD.replace("NAME", "good")
    (project.directory / "good.yaml").write_text(text.replace("mysql", "kafka-topic"))
    both = project(command, "good.yaml", "--json").json["error"]["problems"]
    assert [p["code"] for p in both] == ["provisioner_not_found", "token_missing"]
    (project.directory / "good.yaml").write_text(text)
    alone = project(command, "good.yaml", "--json").json["error"]
    assert (alone["code"], alone["problems"]) == ("token_missing", [])
