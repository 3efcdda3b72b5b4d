"""What has no effect, looks secret or cannot be deployed is told, with its line and what to do."""

from __future__ import annotations

import pytest

from score_flyio.flytoml import read_fly_toml


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('console_command = "rails c"', "console_command: has no effect: there is no console here"),
        ('container = "a"', "container: has no effect: the machine has no containers"),
        ('container = "a"\n[build.compose]', ""),
        ("[experimental]\nenable_consul = true", "experimental.enable_consul: "),
        ("[experimental]\nauto_rollback = true", "experimental.auto_rollback: "),
        ('[deploy]\nseed_command = "x"', "deploy.seed_command: has no effect: only `fly launch`"),
        ("[deploy]\nrelease_command_vm = {cpus = 1}", "deploy.release_command_vm: "),
        ("[deploy]\nrelease_command = 'x'\nrelease_command_vm = {cpus = 1}", ""),
        ("[deploy]\nrelease_command = 'x'\nrelease_command_timeout = '1m'", ""),
        ("[[vm]]\nprocesses = ['web']", "vm[0].processes: has no effect: no process group is named 'web'"),
        ("[[vm]]\nprocesses = ['app']", ""),
        ("[checks.a]\ntype = 'tcp'\nprocesses = ['web']", "checks.a.processes: "),
        ("[[files]]\nguest_path = '/a'\nprocesses = ['app']", "files[0].processes: "),
        ("[env]\nAPI_KEY = 'x'", "env.API_KEY: looks like a secret"),
        ("[env]\nDATABASE_URL_OLD = 'x'", "env.DATABASE_URL_OLD: looks like a secret"),
        ("[env]\nAWS_ACCESS_KEY_ID = 'x'\napi_key = 'y'\nPORT = '1'", ""),
    ],
)  # fmt: skip
def test_told(text: str, told: str) -> None:
    document = read_fly_toml(f'app = "shop"\n{text}', file="fly.toml")
    assert document.valid
    assert document.verdict().warnings == ()
    found = [str(problem) for problem in document.remarks]
    assert len(found) == bool(told)
    assert all(f": {told}" in each and each.endswith(")") for each in found)
    assert all((problem.line or 0) > 1 for problem in document.remarks)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[mounts]]\nsource = 'a'\ndestination = '/a'\n[[mounts]]\nsource = 'b'\ndestination = '/b'", "fly.toml:5: mounts[1]: process group 'app' has 2 mounts"),
        ("[processes]\na = ''\nb = ''\n[[mounts]]\nsource = 'a'\ndestination = '/a'\n[[mounts]]\nsource = 'b'\ndestination = '/b'\nprocesses = ['b']", ""),
        ("[[statics]]\nguest_path = 'public'\nurl_prefix = '/'", "fly.toml:3: statics[0].guest_path: 'public' is a folder of this computer"),
        ("[[statics]]\nguest_path = '/app/public'\nurl_prefix = '/'", ""),
        ("[[statics]]\nguest_path = 'x'\nurl_prefix = '/'\ntigris_bucket = 'b'", ""),
    ],
)  # fmt: skip
def test_cannot_be_deployed(text: str, told: str) -> None:
    document = read_fly_toml(f'app = "shop"\n{text}', file="fly.toml")
    assert document.valid
    found = [str(problem) for problem in document.undeployable]
    assert len(found) == bool(told)
    assert all(each.startswith(told) and each.endswith(")") for each in found)
