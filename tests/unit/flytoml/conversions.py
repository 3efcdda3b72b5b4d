"""Conversions of Score texts, for tests."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from score_flyio.base.secret import Secret
from score_flyio.convert import Conversion, convert
from score_flyio.flytoml import to_workload_toml
from score_flyio.score.load import workload_from_document
from score_flyio.score.resources import Outputs
from score_flyio.yaml.reader import read_yaml

HEAD = "apiVersion: score.dev/v1b1\nmetadata:\n  name: shop\n"
PREFIX = "score-flyio.astromechza.github.com/"
DB = Outputs({"host": "db.internal", "port": 5432}, {"password": Secret("s3cret")})
FILES = {
    "svc/plain.txt": b"5$ each",
    "svc/tmpl.txt": b"for ${metadata.name}",
    "svc/odd.sh": b"#!/bin/sh\necho ${HOME}\n",
    "svc/logo": b"\x89\xff",
}


def _read(path: str) -> bytes:
    if path not in FILES:
        raise FileNotFoundError(2, "No such file or directory")
    return FILES[path]


def converted(
    text: str,
    outputs: Mapping[str, Outputs] | None = None,
    *,
    known_later: bool = False,
    **options: Any,
) -> Conversion:
    """The conversion of a Score text without its head; resource `db` has outputs."""
    document = read_yaml(HEAD + text).value
    loaded = workload_from_document(document, "svc/score.yaml")
    given = {"db": DB} if outputs is None else outputs
    if known_later:
        options["known_later"] = dict.fromkeys(loaded.workload.resources)
    return convert(loaded, app_name="pfx-shop", outputs=given, read_file=_read, **options)


def container(body: str) -> str:
    """A Score text whose container `main` has these lines."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"containers:\n  main:\n    image: nginx:1\n{lines}"


def annotated(annotations: str, ports: str = "{web: {port: 443, targetPort: 8080}}") -> str:
    """A Score text with annotations (`KEY: VALUE` lines, prefix left out) and service ports."""
    lines = "".join(f"    {PREFIX}{line}\n" for line in annotations.splitlines())
    return f"  annotations:\n{lines}{container('')}service:\n  ports: {ports}\n"


def toml(conversion: Conversion) -> dict[str, Any]:
    """The written fly.toml, read back; `app` and `build` left out."""
    document = tomllib.loads(to_workload_toml(conversion.spec))
    return {key: value for key, value in document.items() if key not in {"app", "build"}}


RESOURCE = "resources: {db: {type: postgres}}\n"
