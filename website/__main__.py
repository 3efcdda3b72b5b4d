"""`python -m website [FOLDER]`: the pages of `docs` and those made from the code, as one site.

The pages go to `docs` in FOLDER, by default `build`, and the site to `site` beside it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from website.pages import GENERATED, SCHEMAS, moved
from website.source import ROOT

CONFIG = ROOT / "mkdocs.yml"
STYLE = "style.css"


def main(folder: Path) -> int:
    """Make the site; what is wrong with a page or a link is told, and ends it with 1."""
    write(folder / "docs")
    return build(folder)


def write(folder: Path) -> None:
    """All pages, as Markdown."""
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "reference" / "schemas").mkdir(parents=True)
    for path, text in moved().items():
        (folder / path).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "website" / STYLE, folder / STYLE)
    for path, schema in SCHEMAS.items():
        text = json.dumps(schema(), indent=2, ensure_ascii=False)
        (folder / path).write_text(f"{text}\n", encoding="utf-8")
    for path, page in GENERATED.items():
        (folder / path).write_text(page(), encoding="utf-8")


def build(folder: Path) -> int:
    """The site of the pages; its exit code."""
    config = folder / CONFIG.name
    text = CONFIG.read_text(encoding="utf-8")
    config.write_text(re.sub(r"(?m)^(docs|site)_dir: build/", r"\1_dir: ", text), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "-f", str(config)]
    return subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build")))
