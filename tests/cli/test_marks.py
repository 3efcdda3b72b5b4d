"""No secret shows, wherever it stands and whatever it looks like: every command is run with marks."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Cli
from tests.cli.every_command import lines, uncovered, write_provisioner
from tests.cli.platform import FLY_TOML, Platform, platform
from tests.integration.state_servers import WebServer, web_server

SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: web}
containers:
  main:
    image: nginx:1
    variables: {HOST: "${resources.db.host}", PASSWORD: "${resources.db.password}"}
resources:
  db: {type: thing, params: {size: small, key: MARK-param-1}}
"""
ANSWER = {
    "values": {"host": "db.internal"},
    "secrets": {"password": "MARK-output-1"},
    "state": {"note": "MARK-note-1"},
    "shared": {"all": "MARK-shared-1"},
}
ENVIRON = {
    "SCORE_FLYIO_STATE_TOKEN": "MARK-state-token",
    "SCORE_FLYIO_STATE_KEY": "MARK-state-key-0123456789",
    "AWS_ACCESS_KEY_ID": "MARK-aws-id",
    "AWS_SECRET_ACCESS_KEY": "MARK-aws-key",
    "AWS_SESSION_TOKEN": "MARK-aws-session",
}
TOKEN = "fm2_MARK-fly-token"
WRONG = {
    "line end": "{}\n",
    "line break": "{}\nMARK-second-line",
    "carriage return": "{}\r\nX-Injected: MARK-header",
    "double quotes": '"{}"',
    "single quotes": "'{}'",
    "not ASCII": "{}é",
    "NUL": "{}\x01",
    "spaces": " {} MARK-rest ",
    "template": "{{{{ {} }}}} ${{{}}} %s",
}
ASKED_FOR = {"secrets.env", "score.yaml", "make.py.json"}
"""Files that are there for what they hold, or are inputs."""


@pytest.fixture(scope="module")
def served() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


@pytest.fixture
def marked(cli: Cli, web: WebServer, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    (cli.directory / "score.yaml").write_text(SCORE)
    (cli.directory / "fly.toml").write_text(FLY_TOML)
    write_provisioner(cli.directory, ANSWER)
    state = web.url.replace("//", "//joe:MARK-url-password@") + "/state.yaml?key=MARK-url-query"
    temporary = tmp_path_factory.mktemp("temporary")
    cli.environ |= {"SCORE_FLYIO_STATE": state, "TMPDIR": str(temporary), "CI": "1", **ENVIRON}
    return cli


MARK_FORMS = ("MARK-", "mark-", "TUFSSy", "1BUkst", "NQVJL")
"""The mark as it is, as names of hosts write it, and as base64 does behind 0, 1 or 2 bytes."""


def shown(cli: Cli, given: str, *more: str) -> list[str]:
    """Runs all commands; where a mark was found."""
    found: list[str] = []
    for line in lines(cli.directory, given):
        result = cli(*line, *more)
        for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
            found += [f"{' '.join(line)}: {name}: {each}" for each in marks(text)]
    for path in sorted(cli.directory.rglob("*")):
        if path.is_file() and path.name not in ASKED_FOR and ".score-flyio" not in path.parts:
            found += [f"{path.name}: {each}" for each in marks(path.read_text(errors="replace"))]
    return found


def marks(text: str) -> list[str]:
    return [line for line in text.splitlines() if any(form in line for form in MARK_FORMS)]


def test_all_commands_are_run() -> None:
    assert uncovered() == set()


@pytest.mark.parametrize("more", [(), ("--json",), ("--debug",)], ids=["text", "json", "debug"])
def test_where_secrets_belong(marked: Cli, served: Platform, more: tuple[str, ...]) -> None:
    marked.environ |= {"FLY_FLAPS_BASE_URL": served.url, "FLY_API_TOKEN": TOKEN}
    assert shown(marked, "MARK-given", *more) == []
    assert "MARK-output-1" in (marked.directory / "secrets.env").read_text()
    assert {"Machines_create", "Secrets_update", "Apps_delete"} <= {
        entry.operation for entry in served.emulator.journal.entries if entry.status < 300
    }


@pytest.mark.parametrize("form", WRONG.values(), ids=WRONG)
def test_in_wrong_forms(marked: Cli, served: Platform, form: str) -> None:
    marked.environ |= {"FLY_FLAPS_BASE_URL": served.url, "FLY_API_TOKEN": form.format(TOKEN, TOKEN)}
    marked.environ |= {name: form.format(value, value) for name, value in ENVIRON.items()}
    assert shown(marked, form.format("MARK-given", ""), "--debug") == []


@pytest.mark.parametrize(
    "answer",
    [
        {"fail": 3},
        {"fail": "MARK-said-on-the-way-out"},
        ["MARK-not-a-map"],
        {"values": "MARK-not-a-map"},
        {"secrets": {"password": ["MARK-a-list"]}},
        {"values": {"host": 1}, "secrets": {"other": "MARK-other"}},
        {"unknown": "MARK-unknown", "secrets": {"password": "MARK\u2028x"}},
    ],
    ids=str,
)
def test_answers_of_provisioners(marked: Cli, served: Platform, answer: object) -> None:
    marked.environ |= {"FLY_FLAPS_BASE_URL": served.url, "FLY_API_TOKEN": TOKEN}
    write_provisioner(marked.directory, answer)
    assert shown(marked, "MARK-given", "--debug") == []


@pytest.mark.parametrize(
    "variables",
    [
        {"FLY_FLAPS_BASE_URL": "http://u:MARK-api@127.0.0.1:1/?key=MARK-query"},
        {"FLY_FLAPS_BASE_URL": "https://u:MARK-api@127.0.0.1:99999/?key=MARK-query"},
        {"FLY_FLAPS_BASE_URL": "ftp://u:MARK-api@127.0.0.1/#MARK-fragment"},
        {"SCORE_FLYIO_STATE": "https://u:MARK-api@127.0.0.1:1/x?key=MARK-query"},
        {"SCORE_FLYIO_STATE": "https://u:MARK-api@[::1/x?key=MARK-query"},
        {
            "SCORE_FLYIO_STATE": "s3://b/k",
            "AWS_ENDPOINT_URL": "http://u:MARK-e@127.0.0.1:1/?MARK-q",
        },
        {"SCORE_FLYIO_STATE": "s3://b/k", "AWS_ENDPOINT_URL": "u:MARK-e@x"},
        {"HTTPS_PROXY": "socks9://u:MARK-proxy@127.0.0.1:1"},
        {"SCORE_FLYIO_TARGET": "http://u:MARK-target@127.0.0.1:1/?MARK-q"},
    ],
    ids=lambda variables: next(iter(variables.values()))[:24],
)
def test_addresses(marked: Cli, variables: dict[str, str]) -> None:
    marked.environ |= {"FLY_FLAPS_BASE_URL": "http://127.0.0.1:1", "FLY_API_TOKEN": TOKEN}
    marked.environ |= variables
    for line in ("init --no-sample", "state show", "doctor"):
        result = marked(*line.split(), "--debug")
        assert marks(result.stdout + result.stderr) == [], line


def test_a_service_that_provisions(marked: Cli, web: WebServer) -> None:
    url = web.url.replace("//", "//joe:MARK-http@") + "/make?key=MARK-http-query"
    del marked.environ["SCORE_FLYIO_STATE"]
    marked("init", "--no-sample", "--fly-app-prefix", "x-")
    for line in (
        ["provisioners", "add", "maker", "thing", "--http-url", url],
        ["provisioners", "list"],
        ["provisioners", "list", "--json"],
        ["generate", "score.yaml", "--debug"],
    ):
        result = marked(*line)
        assert marks(result.stdout + result.stderr) == [], line


def test_the_marks_are_found() -> None:
    for before in ("", "a", "joe", "joe:", "joe:a"):
        assert marks(base64.b64encode(f"{before}MARK-xyz".encode()).decode())
    assert marks("a MARK-x")
    assert not marks("nothing")
