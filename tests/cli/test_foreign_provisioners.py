"""Files as people write them for score-compose and score-k8s: a result, or what to write here.

Each file of `foreign/` has one construct, and says in its first lines what comes of it: `told` by
`init`, or what `generate` gives, warns of or fails with, or what is told once it is `gone`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

FILES = sorted((Path(__file__).parent / "foreign").iterdir())
SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers: {main: {image: nginx, variables: {HOST: "${resources.it.host}"}}}
service: {ports: {web: {port: 80, targetPort: 8080}}}
resources: {it: {type: thing}}
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.partition(".")[0])
def test_each_construct_gives_a_result_or_says_what_to_write(cli: Cli, file: Path) -> None:
    said = [line[2:].split(": ", 1) for line in file.read_text().splitlines() if line[:1] == "#"]
    texts = {key: [text for other, text in said if other == key] for key, _ in said}
    assert texts
    (cli.directory / file.name).write_bytes(file.read_bytes())
    (cli.directory / "score.yaml").write_text(SCORE)
    made = cli("init", "--fly-app-prefix", "pfx-", "--provisioners", file.name)
    assert "end of print statement" not in made.stderr
    for text in texts.get("told", ()):
        assert text in made.stderr
    assert made.exit_code == (2 if "told" in texts else 0), made.stderr
    if "told" in texts:
        assert not list((cli.directory / ".score-flyio").glob("*.provisioners.yaml"))
        return
    assert cli("provisioners", "list").exit_code == 0
    result = cli("generate", "score.yaml")
    assert result.exit_code == (1 if "fails" in texts else 0), result.stderr
    for text in (*texts.get("fails", ()), *texts.get("warns", ())):
        assert text in result.stderr
    if "gives" in texts:
        written = tomllib.loads((cli.directory / "fly_shop.toml").read_text())
        assert texts["gives"] == [written["env"]["HOST"]]
    if "gone" in texts:
        gone = cli("resources", "deprovision", "thing.default#shop.it")
        assert gone.exit_code == 0, gone.stderr
        assert texts["gone"][0] in gone.stderr
