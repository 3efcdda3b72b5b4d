"""What a fly.toml says without any effect is told, with its line and what to do."""

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
        ("[[statics]]\nguest_path = 'public'\nurl_prefix = '/'", "statics[0]: has no effect: the folder is not uploaded"),
        ("[[statics]]\nguest_path = '/app/public'\nurl_prefix = '/'", ""),
        ("[[statics]]\nguest_path = 'x'\nurl_prefix = '/'\ntigris_bucket = 'b'", ""),
    ],
)  # fmt: skip
def test_told(text: str, told: str) -> None:
    document = read_fly_toml(f'app = "shop"\n{text}', file="fly.toml")
    assert document.valid
    assert document.verdict()["warnings"] == []
    found = [str(problem) for problem in document.unused]
    assert len(found) == bool(told)
    assert all(f": {told}" in each and each.endswith(")") for each in found)
    assert all((problem.line or 0) > 1 for problem in document.unused)
