"""Outputs that a resource will never have are refused before anything is provisioned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Cli

HEAD = "apiVersion: score.dev/v1b1\nmetadata: {name: shop}\n"
EVERYWHERE = f"""{HEAD}
containers:
  main:
    image: nginx
    variables:
      HOST: ${{resources.db.hots}}
      URL: x-${{resources.cache.uri}}-${{resources.db.host}}
    files:
      /etc/a:
        content: |
          one
          ${{resources.db.nope}}
      /etc/b: {{source: b.conf}}
    volumes:
      /data: {{source: "${{resources.db}}"}}
resources:
  db: {{type: postgres}}
  cache: {{type: redis}}
  settings:
    type: environment
    params: {{a: "${{resources.cache.hostname}}"}}
"""


@pytest.fixture
def project(cli: Cli) -> Cli:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    return cli


def problems(cli: Cli, text: str, *command: str) -> list[dict[str, Any]]:
    (cli.directory / "score.yaml").write_text(text)
    found = cli(*(command or ("generate",)), "score.yaml", "--json")
    assert found.exit_code == 2, found.stderr
    for state in (cli.directory / ".score-flyio").rglob("state.yaml"):
        assert "guid" not in state.read_text(), "nothing may be entered"
    return list(_problems(found.json))


def _problems(document: Any) -> Iterator[dict[str, Any]]:
    """Those of an error of the command, or of the workload in its result."""
    match document:
        case {"problems": [_, *_] as found}:
            yield from found
        case dict():
            for item in document.values():
                yield from _problems(item)
        case list():
            for item in document:
                yield from _problems(item)


@pytest.mark.parametrize("command", [("generate",), ("plan", "--emulate")])
def test_wherever_they_are_read(project: Cli, command: tuple[str, ...]) -> None:
    (project.directory / "b.conf").write_text("a\nb = ${resources.cache.prot}\n")
    found = problems(project, EVERYWHERE, *command)
    of_db = "database, host, name, password, port, url, username"
    of_cache = "host, password, port, url, username"
    assert {(p["line"], p["place"], p["message"], p["hint"]) for p in found} == {
        (
            8,
            "containers.main.variables.HOST",
            f'placeholder ${{resources.db.hots}}: there is no "hots" (there is: {of_db})',
            "did you mean ${resources.db.host}?",
        ),
        (
            9,
            "containers.main.variables.URL",
            f'placeholder ${{resources.cache.uri}}: there is no "uri" (there is: {of_cache})',
            "did you mean ${resources.cache.url}?",
        ),
        (
            12,
            "containers.main.files[/etc/a].content",
            f'placeholder ${{resources.db.nope}}: there is no "nope" (there is: {of_db})',
            "use one of these",
        ),
        (
            15,
            "containers.main.files[/etc/b].source",
            (
                "b.conf, line 2: placeholder ${resources.cache.prot}: "
                f'there is no "prot" (there is: {of_cache})'
            ),
            "did you mean ${resources.cache.port}?",
        ),
        (
            17,
            "containers.main.volumes[/data].source",
            f'placeholder ${{resources.db.source}}: there is no "source" (there is: {of_db})',
            "use one of these",
        ),
        (
            23,
            "resources.settings.params.a",
            (
                "placeholder ${resources.cache.hostname}: "
                f'there is no "hostname" (there is: {of_cache})'
            ),
            "did you mean ${resources.cache.host}?",
        ),
    }


def test_a_deploy_tells_them_and_makes_nothing(project: Cli) -> None:
    (project.directory / "b.conf").write_text("fine")
    (project.directory / "score.yaml").write_text(EVERYWHERE)
    found = project("deploy", "--emulate", "score.yaml")
    assert found.exit_code == 2
    places = [8, 9, 12, 17, 23]
    assert [line for line in places if f"score.yaml:{line}: " not in found.stderr] == []
    for state in (project.directory / ".score-flyio").rglob("state.yaml"):
        assert "guid" not in state.read_text()


ALL = {
    "amqp": "host, password, port, url, username, vhost",
    "dns": "host",
    "mongodb": "connection, host, password, port, url, username",
    "mysql": "database, host, name, password, port, url, username",
    "postgres": "database, host, name, password, port, url, username",
    "postgres-instance": "database, host, name, password, port, url, username",
    "redis": "host, password, port, url, username",
    "route": "host, path, url",
    "s3": "access_key_id, aws_access_key_id, aws_secret_key, bucket, endpoint, region, secret_key",
    "service": "app, host, hostname, name, port, ports, url",
    "service-port": "app, host, hostname, name, port, ports, url",
    "volume": "source",
}


@pytest.mark.parametrize("type_", ALL)
def test_of_every_built_in_type(project: Cli, type_: str) -> None:
    text = f"""{HEAD}
containers: {{main: {{image: nginx, variables: {{A: "${{resources.it.zzzz}}"}}}}}}
resources: {{it: {{type: {type_}, class: any, id: shared}}}}
"""
    found, *_ = problems(project, text)
    assert found["message"].endswith(f'there is no "zzzz" (there is: {ALL[type_]})')
    assert (found["code"], found["line"]) == ("placeholder_invalid", 4)


@pytest.mark.parametrize(
    ("type_", "written", "meant"),
    [
        ("mysql", "hostname", "host"),
        ("mysql", "user", "username"),
        ("mysql", "pass", "password"),
        ("mysql", "db_name", "database"),
        ("postgres", "server", "host"),
        ("postgres", "uri", "url"),
        ("postgres", "dbname", "database"),
        ("redis", "HostName", "host"),
        ("redis", "connection_string", "url"),
        ("mongodb", "usr", "username"),
        ("mongodb", "database_name", None),
        ("amqp", "virtual-host", "vhost"),
        ("s3", "name", "bucket"),
        ("s3", "access_key", "access_key_id"),
        ("s3", "secret_access_key", "secret_key"),
        ("volume", "name", None),
    ],
)
def test_the_hint_has_the_output_of_the_same_meaning(
    project: Cli, type_: str, written: str, meant: str | None
) -> None:
    text = f"""{HEAD}
containers: {{main: {{image: nginx, variables: {{A: "${{resources.it.{written}}}"}}}}}}
resources: {{it: {{type: {type_}}}}}
"""
    (found,) = problems(project, text)
    assert found["hint"] == (
        f"did you mean ${{resources.it.{meant}}}?" if meant else "use one of these"
    )


def test_those_listed_are_those_refused_by(project: Cli) -> None:
    listed = project("provisioners", "list", "--format", "json").json
    outputs = {item["type"]: ", ".join(sorted(item["outputs"])) for item in listed}
    assert {type_: names for type_, names in outputs.items() if type_ != "environment"} == ALL


def test_a_static_provisioner_has_its_outputs_and_others_may_have_any(project: Cli) -> None:
    outputs = json.dumps({"host": "h", "deep": {"a": "1"}})
    project("provisioners", "add", "mine", "thing", "--static-json", outputs)
    text = f"""{HEAD}
containers:
  main:
    image: nginx
    variables:
      A: "${{resources.it.hosts}}"
      B: "${{resources.it.deep.a}}"
      C: "${{resources.env.ANY}}"
resources:
  it: {{type: thing}}
  env: {{type: environment}}
"""
    found, other = problems(project, text)
    assert found["hint"] == "did you mean ${resources.it.host}?"
    assert "ANY is not set" in other["message"]


@pytest.mark.parametrize(
    ("more", "code"), [("optional_outputs: []", 2), ("optional_outputs: [extra]", 0), ("", 0)]
)
def test_files_of_provisioners_may_say_that_they_give_no_others(
    project: Cli, more: str, code: int
) -> None:
    (project.directory / "my.provisioners.yaml").write_text(
        f"""\
- uri: template://my/thing
  type: thing
  expected_outputs: [host]
  {more}
  outputs: |
    host: h
    extra: e
"""
    )
    project("init", "--provisioners", "my.provisioners.yaml")
    (project.directory / "score.yaml").write_text(
        f"""{HEAD}
containers: {{main: {{image: nginx, variables: {{A: "${{resources.it.extra}}"}}}}}}
resources: {{it: {{type: thing}}}}
"""
    )
    assert project("generate", "score.yaml").exit_code == code
