"""`python -m tests.meta.locked`: locks what runs by name, version and hash, and lists it for scanners.

`requirements.lock` is for `pip install --require-hashes`, `sbom.cdx.json` is a CycloneDX document.
Both go into the wheel, so that an image has them too. `uv` asks the package registry for hashes;
where that is stands in neither file.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from typing import Final

from attrs import frozen
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tests.meta.source import ROOT

LOCK: Final = ROOT / "requirements.lock"
SBOM: Final = ROOT / "sbom.cdx.json"
EXTRAS: Final = ("buildkit", "encryption", "s3")
"""What a deploy may need beside the tool itself."""


@frozen
class Locked:
    """One distribution."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of each of its files."""


def lock() -> str:
    """What the constraints allow, with the hashes of all platforms."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--constraints", "constraints.txt"]
    command += [word for extra in EXTRAS for word in ("--extra", extra)]
    command += ["--universal", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def locked(text: str) -> Iterator[Locked]:
    """What a lock file holds."""
    for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        if found := re.match(r"([\w.-]+)==([^\s;\\]+)", entry):
            hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)
            yield Locked(found[1], found[2], tuple(hashes))


def bill(distributions: Iterator[Locked]) -> str:
    """The CycloneDX document of what a lock file holds: the same for the same file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bom = Bom()
    bom.metadata.component = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        bom_ref=project["name"],
    )
    for each in distributions:
        purl = PackageURL("pypi", name=each.name, version=each.version)
        hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in each.hashes]
        component = Component(
            type=ComponentType.LIBRARY,
            name=each.name,
            version=each.version,
            purl=purl,
            bom_ref=purl.to_string(),
            hashes=hashes,
        )
        bom.components.add(component)
        bom.register_dependency(bom.metadata.component, [component])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["serialNumber"], document["metadata"]["timestamp"]
    return json.dumps(document, indent=1) + "\n"


if __name__ == "__main__":
    text = lock()
    LOCK.write_text(text)
    SBOM.write_text(bill(locked(text)))
