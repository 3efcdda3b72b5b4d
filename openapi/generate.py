"""Makes the package `fly_machines` from the Machines API document and its corrections.

    python openapi/generate.py           write generated/fly_machines
    python openapi/generate.py --check   compare, print a diff, exit 1 when something differs

Steps: apply corrections.yaml to fly-machines.yaml; datamodel-codegen (settings in pyproject.toml,
templates/dataclass.jinja2) makes models.py; templates/model.jinja2 makes their base, model.py, and
templates/operations.jinja2 makes operations.py.
The output depends on nothing but these files and the versions of the tools.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jinja2
import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
if str(ROOT) not in sys.path:  # run as a script, only this folder is on the path
    sys.path.insert(0, str(ROOT))

from openapi.operations import OperationView, operations  # noqa: E402  (needs the path above)
from openapi.overlay import apply_overlay  # noqa: E402  (needs the path above)

OUTPUT = ROOT / "generated" / "fly_machines"
HEADER = "# Made by openapi/generate.py from the document and its corrections; do not edit."


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make generated/fly_machines.")
    parser.add_argument("--check", action="store_true", help="only compare with what is there")
    options = parser.parse_args(arguments)
    files = generate(corrected_document())
    if options.check:
        return 1 if report_drift(files) else 0
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (OUTPUT / name).write_text(text, encoding="utf-8")
    return 0


def corrected_document() -> dict[str, Any]:
    """The published document with the corrections applied."""
    published = yaml.safe_load((HERE / "fly-machines.yaml").read_text(encoding="utf-8"))
    corrections = yaml.safe_load((HERE / "corrections.yaml").read_text(encoding="utf-8"))
    return apply_overlay(published, corrections)


def generate(document: dict[str, Any]) -> dict[str, str]:
    """File name → text of each generated file."""
    views = list(operations(document))
    models = make_models(document)
    check_names(views, models)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  (Python text, not HTML)
        keep_trailing_newline=True,
    )
    version = document["info"]["version"]
    init = templates.get_template("init.jinja2").render(header=HEADER, version=version)
    calls = templates.get_template("operations.jinja2").render(header=HEADER, operations=views)
    model = templates.get_template("model.jinja2").render(header=HEADER)
    return {
        "__init__.py": formatted(init),
        "model.py": formatted(model),
        "models.py": formatted(models),
        "operations.py": formatted(calls),
        "openapi.json": json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n",
        "py.typed": "",
    }


def make_models(document: dict[str, Any]) -> str:
    """The text of models.py, by datamodel-codegen."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "document.json"), Path(folder, "models.py")
        source.write_text(json.dumps(document), encoding="utf-8")
        command = [sys.executable, "-m", "datamodel_code_generator"]
        command += ["--input", str(source), "--output", str(output)]
        command += ["--custom-file-header", HEADER]
        subprocess.run(command, cwd=ROOT, check=True)
        return output.read_text(encoding="utf-8")


def check_names(views: list[OperationView], models: str) -> None:
    """Stop when an operation needs a class that models.py lacks, or two have one name."""
    defined = set(re.findall(r"^(?:class )?(\w+)[:(]", models, re.MULTILINE))
    used = " ".join(f"{view.response} {view.body}" for view in views)
    if missing := set(re.findall(r"models\.(\w+)", used)) - defined:
        sys.exit(f"no such classes in models.py: {', '.join(sorted(missing))}")
    names = [view.name for view in views]
    if twice := {name for name in names if names.count(name) > 1}:
        sys.exit(f"operation ids used more than once: {', '.join(sorted(twice))}")


def formatted(text: str) -> str:
    """The text as `ruff check --fix` for unused and unsorted imports and `ruff format` leave it."""
    ruff = [sys.executable, "-m", "ruff"]
    name = ["--stdin-filename", str(OUTPUT / "any.py"), "-"]
    fix = [*ruff, "check", "--quiet", "--isolated", "--select", "F401,I001", "--fix-only", *name]
    for command in (fix, [*ruff, "format", "--quiet", "--isolated", "--line-length=100", *name]):
        text = subprocess.run(
            command, input=text, capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
    return text


def report_drift(files: dict[str, str]) -> bool:
    """Print how the files on disk differ from these; True when they do."""
    drifted = False
    present = {path.name for path in OUTPUT.glob("*") if path.is_file()}
    for name in sorted(present | files.keys()):
        path = OUTPUT / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = files.get(name, "")
        if name in present and name in files and old == new:
            continue
        drifted = True
        shown = f"generated/fly_machines/{name}"
        diff = difflib.unified_diff(
            old.splitlines(), new.splitlines(), shown, f"{shown} (made anew)", lineterm=""
        )
        print(f"{shown} is not what the generator makes; run: python openapi/generate.py")
        print("\n".join(diff))
    return drifted


if __name__ == "__main__":
    sys.exit(main())
