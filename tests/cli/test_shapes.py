"""Score files in the shapes that people write them in: what comes of each, or what is said."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.cli.conftest import Cli

HEAD = "apiVersion: score.dev/v1b1\n"
NGINX = "containers: {main: {image: nginx}}\n"
QUOTED = f"""{HEAD}
metadata: {{"name": 'shop', "annotations": {{'note': "a: b # c"}}}}
containers:
  "main":
    "image": 'docker.io/library/nginx:1.27'
    variables:
      "EMPTY": ""
      NUM: "8080"
      WORD: yes
      JSON: '{{"a": [1], "b": "${{metadata.name}}"}}'
      LINES: |
        one
        two
      FOLDED: >-
        a
        b
      DOLLAR: $HOME costs $5, $${{not}}
      NOTE: ${{metadata.annotations.note}}
      WHEN: 2024-01-31
"""
ANCHORS = f"""# a comment
---
{HEAD}
metadata:
    name:    shop
containers:
    web: &base
        image: nginx
        variables: &env {{LEVEL: info}}
        resources: {{limits: {{cpu: 500m, memory: 256Mi}}}}
    worker:
        <<: *base
        image: busybox
        variables:
            <<: *env
            LEVEL: debug
...
"""
LISTS = f"""{HEAD}
metadata: {{name: shop}}
containers:
  main:
    image: nginx
    files:
      - target: /etc/a.conf
        content: [one, "two ${{metadata.name}}"]
"""


def toml(cli: Cli) -> dict[str, Any]:
    return tomllib.loads((cli.directory / "fly_shop.toml").read_text(encoding="utf-8"))


@pytest.fixture
def project(cli: Cli) -> Cli:
    assert cli("init", "--fly-app-prefix", "pfx-", "--no-sample").exit_code == 0
    return cli


def generate(cli: Cli, text: str, *options: str) -> Any:
    (cli.directory / "score.yaml").write_bytes(text.encode())
    return cli("generate", "score.yaml", *options)


def test_any_quoting(project: Cli) -> None:
    assert generate(project, QUOTED).exit_code == 0
    assert toml(project)["env"] == {
        "EMPTY": "",
        "NUM": "8080",
        "WORD": "yes",
        "JSON": '{"a": [1], "b": "shop"}',
        "LINES": "one\ntwo\n",
        "FOLDED": "a b",
        "DOLLAR": "$HOME costs $5, ${not}",
        "NOTE": "a: b # c",
        "WHEN": "2024-01-31",
    }


def test_anchors_merges_and_marks_of_documents(project: Cli) -> None:
    result = generate(project, ANCHORS)
    assert result.exit_code == 0, result.stderr
    config = toml(project)["machine_config"]
    assert '"LEVEL":"info"' in config
    assert '"LEVEL":"debug"' in config


def test_deprecated_lists_are_taken_and_told(project: Cli) -> None:
    result = generate(project, LISTS)
    assert result.exit_code == 0, result.stderr
    assert toml(project)["files"] == [{"guest_path": "/etc/a.conf", "raw_value": "one\ntwo shop"}]
    assert "is written in a deprecated form" in result.stderr


@pytest.mark.parametrize(
    ("before", "after", "ends"),
    [("\ufeff", "", "\n"), ("", "", "\r\n"), ("", "---\n", "\n")],
    ids=["byte order mark", "windows", "empty second document"],
)
def test_marks_of_editors(project: Cli, before: str, after: str, ends: str) -> None:
    text = f"{HEAD}metadata: {{name: shop}}\n{NGINX}"
    result = generate(project, before + (text + after).replace("\n", ends))
    assert result.exit_code == 0, result.stderr
    assert toml(project)["build"] == {"image": "nginx"}


def body(lines: str) -> str:
    return f"{HEAD}metadata: {{name: shop}}\n{lines}"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (body(NGINX + "---\n" + HEAD), 4, "keep one workload a file"),
        ("metadata:\n\tname: shop\n", 2, "fix the YAML"),
        (body("containers: {main: {image: nginx, variables: {PORT: 80}}}"), 3, "put it in quotes"),
        (body(NGINX + "service:\n"), 4, "leave the key out"),
        (f"x-common: {{}}\n{body(NGINX)}", 1, 'unknown key "x-common"'),
        (
            body(NGINX + "resources:\n  db:\n    type: postgres\n    properties: {host: {}}\n"),
            5,
            "give inputs as params",
        ),
        (body(NGINX).replace("v1b1", "v1b2"), 1, '"score.dev/v1b1"'),
        (
            body("containers: {main: {image: nginx, variables: {TAG: '${TAG}'}}}"),
            3,
            "${resources.NAME.TAG} of a resource of type environment is the variable",
        ),
        (body("containers: {main: {image: 'nginx:${TAG}'}}"), 3, "give the image with --image"),
        (body("containers: {main: {image: '{{ .Image }}'}}"), 3, "not the name of an image"),
        (body(NGINX).replace("shop", "My_Shop"), 2, "2 to 63 of a-z, 0-9 and -"),
        (body(NGINX + "resources: {db: {type: postgresql}}"), 4, "did you mean postgres?"),
        (body(NGINX + "resources: {bus: {type: rabbitmq}}"), 4, "did you mean amqp?"),
        (body(NGINX + "resources: {db: {type: mariadb}}"), 4, "did you mean mysql?"),
        (body(NGINX + "resources: {files: {type: minio}}"), 4, "did you mean s3?"),
        (body(NGINX + "resources: {it: {type: elasticsearch}}"), 4, "describe a server of it"),
    ],
)
def test_what_is_refused_has_its_line_and_what_to_do(
    project: Cli, text: str, line: int, words: str
) -> None:
    result = generate(project, text)
    assert result.exit_code != 0
    assert f"score.yaml:{line}: " in result.stderr
    assert words in result.stderr
    assert not (project.directory / "fly_shop.toml").exists()
