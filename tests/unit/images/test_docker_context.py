"""Which daemon Docker's contexts mean."""

from __future__ import annotations

import json
import ssl
from hashlib import sha256
from pathlib import Path

import pytest

from score_flyio.errors import ConfigError
from score_flyio.images.builders.address import DaemonAddress, find_daemon
from score_flyio.images.builders.choose import BuilderContext, choose_builder
from score_flyio.images.logins import Logins


class Contexts:
    """A folder of Docker's settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"DOCKER_CONFIG": str(folder)}

    def add(self, name: str, host: str, **endpoint: object) -> Path:
        key = sha256(name.encode()).hexdigest()
        meta = self.folder / "contexts" / "meta" / key
        meta.mkdir(parents=True)
        docker = {"Host": host, "SkipTLSVerify": False, **endpoint}
        document = {"Name": name, "Metadata": {}, "Endpoints": {"docker": docker}}
        (meta / "meta.json").write_text(json.dumps(document))
        return self.folder / "contexts" / "tls" / key / "docker"

    def use(self, name: str) -> None:
        (self.folder / "config.json").write_text(json.dumps({"currentContext": name}))

    def found(self, **environ: str) -> DaemonAddress | None:
        return find_daemon({**self.environ, **environ})


@pytest.fixture
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contexts:
    monkeypatch.setattr("score_flyio.images.builders.address.SOCKETS", ())
    return Contexts(tmp_path)


def test_which_context_counts(contexts: Contexts) -> None:
    contexts.add("used", "unix:///run/used.sock")
    contexts.add("named", "tcp://10.0.0.7")
    assert contexts.found() is None
    contexts.use("used")
    used, named = contexts.found(), contexts.found(DOCKER_CONTEXT="named")
    assert used is not None
    assert used.socket == "/run/used.sock"
    assert named is not None
    assert (named.url, named.trust) == ("http://10.0.0.7:2375", None)
    assert contexts.found(DOCKER_CONTEXT="default") is None
    both = contexts.found(DOCKER_CONTEXT="named", DOCKER_HOST="tcp://d:1")
    assert both is not None
    assert both.url == "http://d:1"


def test_a_context_whose_daemon_takes_any_connection_with_tls(contexts: Contexts) -> None:
    contexts.add("any", "tcp://10.0.0.7", SkipTLSVerify=True)
    found = contexts.found(DOCKER_CONTEXT="any")
    assert found is not None
    assert found.url == "https://10.0.0.7:2376"
    assert found.trust is not None
    assert found.trust.verify_mode == ssl.CERT_NONE


def test_a_context_with_certificates(contexts: Contexts) -> None:
    certificates = contexts.add("far", "tcp://10.0.0.7:9")
    certificates.mkdir(parents=True)
    found = contexts.found(DOCKER_CONTEXT="far")
    assert found is not None
    assert found.url == "https://10.0.0.7:9"
    assert found.trust is not None
    assert found.trust.verify_mode == ssl.CERT_REQUIRED
    (certificates / "ca.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match="the certificates for the Docker daemon") as raised:
        contexts.found(DOCKER_CONTEXT="far")
    assert "docker context create" in (raised.value.hint or "")


def test_a_context_without_an_address_means_the_usual_one(contexts: Contexts) -> None:
    contexts.add("empty", "")
    contexts.add("desktop", "npipe:////./pipe/dockerDesktopLinuxEngine")
    assert contexts.found(DOCKER_CONTEXT="empty") is None
    assert contexts.found(DOCKER_CONTEXT="desktop") is None


async def test_without_its_context_docker_is_one_of_several_builders(contexts: Contexts) -> None:
    contexts.use("gone")
    environ = {**contexts.environ, "PATH": str(contexts.folder)}
    context = BuilderContext(environ=environ, logins=Logins(environ))
    for name in ("auto", "docker"):
        with pytest.raises(ConfigError, match="the Docker context 'gone'"):
            await choose_builder(context, name)
    (contexts.folder / "buildah").write_text("#!/bin/sh\n")
    (contexts.folder / "buildah").chmod(0o755)
    assert (await choose_builder(context)).name == "buildah"
    with pytest.raises(ConfigError, match="the Docker context 'gone'"):
        await choose_builder(context, "docker")


def test_a_context_that_is_not_there(contexts: Contexts) -> None:
    contexts.use("gone")
    with pytest.raises(ConfigError, match=r"config\.json: the Docker context 'gone'") as raised:
        contexts.found()
    assert "docker context use" in (raised.value.hint or "")
    with pytest.raises(ConfigError, match=r"^DOCKER_CONTEXT: the Docker context 'x' .*not there"):
        contexts.found(DOCKER_CONTEXT="x")


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"Endpoints": 1}', '{"Endpoints": {"docker": 1}}', "[" * 100_000]
)
def test_a_context_that_cannot_be_read(contexts: Contexts, text: str) -> None:
    contexts.add("bad", "")
    (file,) = contexts.folder.rglob("meta.json")
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"the Docker context 'bad' cannot be used: .*meta\.json"):
        contexts.found(DOCKER_CONTEXT="bad")


@pytest.mark.parametrize("host", ["ssh://me@d", "d:1", "tcp://"])
def test_a_context_with_an_address_that_cannot_be_used(contexts: Contexts, host: str) -> None:
    contexts.add("bad", host)
    with pytest.raises(ConfigError, match=r"meta\.json: Endpoints\.docker\.Host: ") as raised:
        contexts.found(DOCKER_CONTEXT="bad")
    assert raised.value.hint
