"""Score files as people write them: from `init` to a deploy to an empty plan."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli

FAST = ("--emulate", "--no-smoke-checks", "--ha=false", "--region=ams")


def settled(cli: Cli, text: str) -> None:
    """Deploys a Score file, and then there is nothing to do."""
    (cli.directory / "score.yaml").write_text(text)
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    made = cli("deploy", "score.yaml", *FAST)
    assert made.exit_code == 0, made.stderr
    plan = cli("plan", "--emulate", "--ha=false", "--region=ams", "--detailed-exitcode")
    assert plan.exit_code == 0, plan.stdout


def test_a_volume_resource(cli: Cli) -> None:
    settled(
        cli,
        """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: nginx
    volumes: {/data: {source: "${resources.data}"}}
resources: {data: {type: volume}}
""",
    )


@pytest.mark.parametrize("source", ["data", '"${resources.disk}"'])
@pytest.mark.parametrize("command", ["plan", "deploy"])
def test_a_volume_needs_a_region_and_the_hint_fits_a_score_file(
    cli: Cli, command: str, source: str
) -> None:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    (cli.directory / "score.yaml").write_text(
        f"""\
apiVersion: score.dev/v1b1
metadata: {{name: shop}}
containers: {{main: {{image: nginx, volumes: {{/data: {{source: {source}}}}}}}}}
resources: {{disk: {{type: volume}}}}
"""
    )
    refused = cli(command, "score.yaml", "--emulate")
    assert refused.exit_code == 2
    place = 'score.yaml:3: containers.main.volumes[/data]: the volume at "/data" needs a region'
    assert place in refused.stderr
    assert "(give --region iad, or another one" in refused.stderr
    assert "mounts" not in refused.stderr


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("files: {b/c: {content: a}}", "files[b/c]: 'b/c' is not an absolute path"),
        ("volumes: {data: {source: x}}", "volumes.data: 'data' is not an absolute path"),
    ],
)
def test_what_fly_cannot_take_has_its_place_in_the_score_file(
    cli: Cli, part: str, told: str
) -> None:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    (cli.directory / "score.yaml").write_text(
        f"""\
apiVersion: score.dev/v1b1
metadata: {{name: shop}}
containers: {{main: {{image: nginx, {part}}}}}
"""
    )
    refused = cli("deploy", "score.yaml", "--emulate", "--region", "iad")
    assert refused.exit_code == 2
    assert f"score.yaml:3: containers.main.{told}" in refused.stderr


RESOURCES = """\
resources:
  db: {type: postgres, class: large, id: shared-db}
  cache: {type: redis}
"""


def test_secrets_of_containers_and_in_files(cli: Cli) -> None:
    settled(
        cli,
        """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: nginx
    variables:
      URL: "postgres://${resources.db.username}:${resources.db.password}@${resources.db.host}/"
      spring.datasource.password: ${resources.db.password}
      1PASS: ${resources.cache.password}
    files:
      - {target: /etc/a, mode: "0600", content: "pw=${resources.db.password}"}
  side:
    image: busybox
    variables: {URL: "${resources.cache.url}", HOST: "${resources.cache.host}"}
"""
        + RESOURCES,
    )


def test_secrets_of_a_single_process(cli: Cli) -> None:
    settled(
        cli,
        """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: nginx
    variables: {URL: "x:${resources.db.password}", USER: "${resources.db.username}"}
    files: {/etc/a: {content: "pw=${resources.db.password} ${resources.cache.host}"}}
"""
        + RESOURCES,
    )
