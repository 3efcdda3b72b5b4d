"""Apps that are deployed to be measured."""

from __future__ import annotations

from pathlib import Path

from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.flytoml.document import read_fly_toml


def app(name: str, text: str) -> FlyTomlApp:
    """An app from the text of its fly.toml."""
    document = read_fly_toml(text, file=f"{name}.toml")
    assert document.spec is not None, document.problems
    return FlyTomlApp(app=name, document=document, spec=document.spec, directory=Path())


def web_toml(name: str, *, version: int = 1, extra: str = "") -> str:
    """The fly.toml of a service with a check, of two machines."""
    return f"""
app = "{name}"
primary_region = "iad"
[build]
image = "nginx:{version}"
{extra}
[http_service]
internal_port = 8080
[[http_service.checks]]
interval = "5s"
timeout = "2s"
path = "/"
"""


def web(name: str, *, version: int = 1, extra: str = "") -> FlyTomlApp:
    """A service with a check, of two machines."""
    return app(name, web_toml(name, version=version, extra=extra))
