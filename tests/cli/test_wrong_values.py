"""Wrong, empty and doubled values of options and arguments: refused before anything is done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, WEB, Platform, platform, project, use

EMPTY = (
    "destroy --yes -a",
    "status -a",
    "status --org",
    "deploy --target",
    "deploy -c",
    "deploy",
    "generate",
    "deploy --only-machines",
    "deploy --exclude-regions",
    "deploy --process-groups",
    "deploy --report",
    "scale web 3 --region",
    "scale web --vm-memory 512mb --group",
    "logs web --machine",
    "ips allocate web v6 --region",
    "state show --state",
)


@pytest.fixture(scope="module")
def served() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture
def deployed(cli: Cli, served: Platform) -> Iterator[Platform]:
    """Workload `web`, deployed."""
    use(cli, served)
    project(cli, {"web.yaml": WEB, "fly.toml": FLY_TOML})
    assert cli("deploy", "web.yaml", "--detach").exit_code == 0
    yield served
    assert cli("destroy", "--yes").exit_code == 0


@pytest.mark.parametrize("value", ["", " "])
@pytest.mark.parametrize("line", EMPTY)
def test_a_name_that_is_empty_is_refused(cli: Cli, line: str, value: str) -> None:
    project(cli, {"web.yaml": WEB, "fly.toml": FLY_TOML})
    result = cli(*line.split(), value)
    assert result.exit_code == 2
    last = line.rsplit(maxsplit=1)[-1]
    assert f"{value!r} names nothing: is a variable empty?" in result.stderr
    assert f"{last}: " in result.stderr or last in {"-a", "-c", "deploy", "generate"}
    assert "Hint: see score-flyio " in result.stderr


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("not a host", "one such as www.example.com, or *.example.com"),
        ("https://www.example.com:443/shop", "www.example.com"),
        ("www.example.com/", "www.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("localhost", "one such as"),
        ("192.0.2.1", "one such as"),
        ("a..example.com", "one such as"),
        ("*.*.example.com", "one such as"),
        ("a-.example.com", "one such as"),
        ("a" * 64 + ".example.com", "one such as"),
        ("", "one such as"),
    ],
)
@pytest.mark.parametrize("command", ["add", "check", "remove"])
def test_what_is_no_host_name_is_refused_with_the_one_that_is_meant(
    cli: Cli, served: Platform, command: str, host: str, meant: str
) -> None:
    use(cli, served)
    result = cli("certs", command, "-a", "x-none", host)
    assert result.exit_code == 2
    assert f"{host!r} is no host name\nHint: write {meant}" in result.stderr


@pytest.mark.parametrize("host", ["www.example.com", "*.example.com", "A_b-c.example.co.uk."])
def test_host_names_are_taken(cli: Cli, deployed: Platform, host: str) -> None:
    assert cli("certs", "add", "web", host).exit_code == 0
    assert deployed.url


def test_an_address_in_a_region_that_there_is_not_is_refused(cli: Cli, deployed: Platform) -> None:
    result = cli("ips", "allocate", "web", "v6", "--region", "amss")
    assert result.exit_code == 2
    assert "--region: Fly has no region 'amss' (use ams)" in result.stderr
    assert cli("ips", "allocate", "web", "v6", "--region", "ams").exit_code == 0
    assert deployed.url


def test_two_counts_of_one_group_are_refused(cli: Cli, deployed: Platform) -> None:
    result = cli("scale", "web", "3", "app=2")
    assert result.exit_code == 2
    assert "there are two counts for group app, 3 and 2" in result.stderr
    assert cli("scale", "web", "3", "app=3", "--dry-run").exit_code == 0
    assert deployed.url


def test_releases_of_an_app_that_nobody_knows_are_refused(cli: Cli, deployed: Platform) -> None:
    result = cli("releases", "--app", "typo")
    assert result.exit_code == 2
    assert "app typo: there is no such app\nHint: deploy it first" in result.stderr
    cli("destroy", "--yes")
    assert cli("releases", "web").exit_code == 0
    assert deployed.url


def test_a_status_of_what_is_not_reached_says_what_to_do(cli: Cli) -> None:
    cli.environ |= {"FLY_FLAPS_BASE_URL": "http://127.0.0.1:1", "FLY_API_TOKEN": "fm2_dummy"}
    (cli.directory / "a.toml").write_text("app = 'a'")
    (cli.directory / "b.toml").write_text("app = 'b'")
    result = cli("status", "-c", "a.toml", "-c", "b.toml")
    assert result.exit_code == 1
    assert result.stderr.count("Hint: is http://127.0.0.1:1 reachable from here?") == 1
    (app,) = cli("status", "-a", "a", "--json").json["apps"]
    assert app["hint"].startswith("is http://127.0.0.1:1")


@pytest.mark.parametrize("command", ["get-outputs", "deprovision"])
def test_a_resource_that_there_is_not_is_wrong_input(cli: Cli, command: str) -> None:
    project(cli)
    assert cli("resources", command, "postgres.default#nope").exit_code == 2


def test_an_image_that_is_none_is_refused_by_render(cli: Cli) -> None:
    (cli.directory / "fly.toml").write_text(FLY_TOML)
    result = cli("config", "render", "--image", "::")
    assert result.exit_code == 2
    assert "--image: '::' is not the name of an image" in result.stderr


def test_unset_takes_names_and_shows_no_value(cli: Cli) -> None:
    project(cli, {"web.yaml": WEB})
    result = cli("secrets", "unset", "-a", "x-web", "A", "PASSWORD=swordfish")
    assert result.exit_code == 2
    assert "'PASSWORD' has a value behind it\nHint: give names alone" in result.stderr
    assert "swordfish" not in result.stderr


def test_a_sample_is_for_a_folder_that_is_there(cli: Cli) -> None:
    result = cli("init", "--fly-app-prefix", "x-", "--file", "none/score.yaml")
    assert result.exit_code == 2
    assert "--file: 'none/score.yaml' is in a folder that does not exist" in result.stderr
    assert not (cli.directory / ".score-flyio").exists()


@pytest.mark.parametrize("text", [WEB, "[", "a: 1\n---\nb: 1\n---\nc: 1\n"])
def test_what_is_no_state_is_wrong_input_of_push(cli: Cli, text: str) -> None:
    project(cli)
    (cli.directory / "odd.yaml").write_text(text)
    result = cli("state", "push", "odd.yaml", "--yes")
    assert result.exit_code == 2
    assert "odd.yaml:" in result.stderr
    assert "Hint: give what `state pull` wrote; the state stays as it is" in result.stderr


STATES = ("ftp://x/y", "s3://x", "http://example.com/x", "https://", "https://example.com/")
BESIDE = "FLY_REGION"
"""A variable that the other one counts more than."""


@pytest.mark.parametrize(
    ("name", "value", "option", "line"),
    [
        *(("SCORE_FLYIO_STATE", each, "--state", "status") for each in STATES),
        ("SCORE_FLYIO_TARGET", "moon", "--target", "status"),
        ("SCORE_FLYIO_TARGET", "https://", "--target", "status"),
        ("SCORE_FLYIO_TARGET", "http://example.com", "--target", "status"),
        ("FLY_APP", "Bad_Name", "--app", "plan -c fly.toml"),
        ("FLY_REGION", "nowhere", "--region", "plan -c fly.toml"),
        ("FLY_REGION_NAME", "nowhere", "--region", "plan web.yaml"),
        ("FLY_ACCESS_TOKEN", "fm2_a b", "--access-token", "status"),
    ],
)
def test_what_is_wrong_is_told_with_where_it_was_given(
    cli: Cli, served: Platform, name: str, value: str, option: str, line: str
) -> None:
    project(cli, {"web.yaml": WEB, "fly.toml": FLY_TOML.replace("primary_region = 'ams'\n", "")})
    use(cli, served, **({BESIDE: "ams"} if name == "FLY_REGION_NAME" else {}), **{name: value})
    told = cli(*line.split())
    assert told.exit_code == 2
    assert f"{name}: " in told.stderr
    assert option not in told.stderr.partition("Hint")[0]
    del cli.environ[name]
    use(cli, served)
    told = cli(*line.split(), option, value)
    assert told.exit_code == 2
    assert f"{option}: " in told.stderr
    assert name not in told.stderr.partition("Hint")[0]


@pytest.mark.parametrize("name", ["FLY_API_BASE_URL", "FLY_UIEX_BASE_URL"])
def test_an_address_beside_the_machines_api_that_is_none(
    cli: Cli, served: Platform, name: str
) -> None:
    use(cli, served, **{name: "nonsense"})
    told = cli("logs", "-a", "x-none").stderr
    assert f"{name}: 'nonsense' is not an http or https address\nHint: give one such as " in told


def test_a_variable_with_the_size_of_files_is_spelt_as_it_is(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(cli, {"web.yaml": WEB})
    monkeypatch.setenv("SCORE_FLYIO_LARGEST_FILE", "BIG")
    told = cli("generate", "web.yaml").stderr
    assert "the variable SCORE_FLYIO_LARGEST_FILE has 'BIG', which is no number of MiB" in told


def test_a_command_without_a_project_says_how_to_do_without(cli: Cli, served: Platform) -> None:
    use(cli, served)
    assert "; or name an app with --app NAME\n" in cli("status").stderr
