"""Where a Score file may take the files of its containers from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from score_flyio.engine.project import Project
from score_flyio.errors import InputError

SCORE = """\
apiVersion: score.dev/v1b1
metadata: {{name: web}}
containers: {{main: {{image: "nginx:1", files: {{/etc/it: {{source: "{source}", noExpand: {as_is}}}}}}}}}
"""


def resolve(folder: Path, source: str, *, as_is: str = "false", **environ: str) -> str:
    (folder / "score.yaml").write_text(SCORE.format(source=source, as_is=as_is))
    project = Project.open(folder, environ=environ)
    return repr(project.load("score.yaml").resolve("x-web", {}).spec)


@pytest.mark.parametrize("as_is", ["true", "false"])
@pytest.mark.parametrize("source", ["../secret", "/proc/self/environ", "{tmp}/secret", "link"])
def test_files_outside_are_refused_with_place_and_way_out(
    tmp_path: Path, source: str, as_is: str
) -> None:
    (tmp_path / "secret").write_text("s3cret")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match=r"score\.yaml.*files.*it lies outside of") as caught:
        resolve(folder, source.replace("{tmp}", str(tmp_path)), as_is=as_is)
    assert "SCORE_FLYIO_FILES_FROM" in str(caught.value.problems)


def test_folders_can_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "conf").write_text("allowed")
    folder = tmp_path / "project"
    folder.mkdir()
    allowed = os.pathsep.join([str(tmp_path / "other"), str(tmp_path / "shared")])
    assert "conf" in resolve(folder, "../shared/conf", SCORE_FLYIO_FILES_FROM=allowed)


def test_files_beside_a_score_file_elsewhere_are_taken(tmp_path: Path) -> None:
    for name in ("project", "app"):
        (tmp_path / name).mkdir()
    (tmp_path / "app" / "conf").write_text("mine")
    (tmp_path / "app" / "score.yaml").write_text(SCORE.format(source="conf", as_is="false"))
    project = Project.open(tmp_path / "project", environ={})
    assert "conf" in repr(project.load("../app/score.yaml").resolve("x-web", {}).spec)
