"""What has no effect, looks secret or cannot be deployed is told, with its line and what to do."""

from __future__ import annotations

import pytest

from score_flyio.flytoml import read_fly_toml

SERVICE = "[[services]]\nprotocol = 'tcp'\n[[services.ports]]\nport = 80\n"


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
        ("[deploy]\nrelease_command = ' # none'", "deploy.release_command: has no effect: there is no command in it"),
        ("[deploy]\nrelease_command = 'x'\nrelease_command_vm = {cpus = 1}", ""),
        ("[deploy]\nrelease_command = 'x'\nrelease_command_timeout = '1m'", ""),
        ("[[vm]]\nprocesses = ['web']", "vm[0].processes: has no effect: no process group is named 'web'"),
        ("[[vm]]\nprocesses = ['app']", ""),
        ("[checks.a]\ntype = 'tcp'\nprocesses = ['web']", "checks.a.processes: "),
        ("[[files]]\nguest_path = '/a'\nprocesses = ['app']", "files[0].processes: "),
        ("[env]\nAPI_KEY = 'x'", "env.API_KEY: looks like a secret"),
        ("[env]\nDATABASE_URL_OLD = 'x'", "env.DATABASE_URL_OLD: looks like a secret"),
        ("[env]\nFLY_PROCESS_GROUP = 'x'", "env.FLY_PROCESS_GROUP: has no effect: "),
        ("primary_region = 'iad'\n[env]\nPRIMARY_REGION = 'fra'", "env.PRIMARY_REGION: has no effect: "),
        ("primary_region = 'iad'\n[env]\nPRIMARY_REGION = 'iad'", ""),
        ("[env]\nPRIMARY_REGION = 'fra'", ""),
        ("[env]\nFLY_APP_NAME = 'x'", "env.FLY_APP_NAME: Fly gives each machine a FLY_APP_NAME of its own"),
        ("[env]\nFLY_OWN = 'x'\n'a.b-c' = 'y'", ""),
        ("[env]\n'A B' = 'x'", 'env[A B]: "A B" has white space'),
        ("[http_service.concurrency]\nsoft_limit = 50\nhard_limit = 20", "http_service.concurrency.soft_limit: 50 is above hard_limit, which is 20"),
        ("[http_service.concurrency]\nsoft_limit = 50", ""),
        (f"{SERVICE}[services.concurrency]\ntype = 'users'", 'services[0].concurrency.type: Fly is not known to count "users"'),
        (f"{SERVICE}[services.concurrency]\ntype = 'requests'\nhard_limit = 9\nsoft_limit = 9", ""),
        (f"{SERVICE}[[services.ports]]\nport = 81\nhandlers = ['http', 'htps']", 'services[0].ports[1].handlers: Fly is not known to have a handler "htps"'),
        (f"{SERVICE}[[services.ports]]\nport = 81\nhandlers = ['pg_tls', 'edge_http']", ""),
        (f"{SERVICE}[[services.tcp_checks]]\ninterval = '5s'\ntimeout = '6s'", "services[0].tcp_checks[0].timeout: 6s is longer than the interval, which is 5s"),
        (f"{SERVICE}[[services.tcp_checks]]\ninterval = '5s'\ntimeout = '5s'", ""),
        ("[checks.a]\ntype = 'tcp'\ninterval = '5s'\ntimeout = '6s'", "checks.a.timeout: "),
        ("[[http_service.checks]]\npath = 'up'", 'http_service.checks[0].path: "up" does not begin with / (the nearest is /up)'),
        ("[[http_service.checks]]\npath = '/up'\ntimeout = '9s'", ""),
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
