"""The page of annotations: what a Score file says to Fly beyond Score."""

from __future__ import annotations

from score_flyio.convert.build import PREFIX as OF_BUILDS
from score_flyio.convert.services import PREFIX
from score_flyio.flytoml.names import HANDLERS
from score_flyio.flytoml.schema import keys_of
from score_flyio.flytoml.spec import Concurrency, HttpOptions
from website.markdown import code, table

SERVICE: dict[str, tuple[str, str]] = {
    "handlers": (
        ", ".join(f"`{name}`" for name in HANDLERS),
        "What Fly's proxy does with connections to the port; several with commas between them.",
    ),
    "http-options": ("a JSON object", "`http_options` of the port in fly.toml; members below."),
    "auto-stop": ("`off`, `stop`, `suspend`", "What becomes of machines that have nothing to do."),
    "min-running": ("a whole number", "How many machines of the primary region stay up."),
    "concurrency": ("a JSON object", "`concurrency` of the service in fly.toml; members below."),
    "public": (
        "`true`, `false`, `dedicated`",
        "Whether the app is reached from the internet; `dedicated` buys an IPv4 address.",
    ),
}
"""Values and effect of each annotation of a port."""
BUILD: dict[str, tuple[str, str]] = {
    "dockerfile": ("a path", "The Dockerfile, relative to the Score file; else `Dockerfile`."),
    "context": ("a path", "The folder that is sent to the builder; else that of the Score file."),
    "target": ("a stage", "Where the build ends."),
    "args": ("a JSON object of strings", "Build arguments."),
}
"""Values and effect of each annotation of a build."""


def page() -> str:
    """Every annotation with its values."""
    lines = [
        "# Annotations",
        (
            "They stand under `metadata.annotations` of a Score file, and begin with "
            f"{code(PREFIX)}. Annotations that begin otherwise are not looked at; unknown "
            "ones that do are refused. An empty value counts as none."
        ),
        (
            "```yaml\nmetadata:\n  name: web\n  annotations:\n"
            f'    {PREFIX}service-web-handlers: "tls,http"\n```'
        ),
        "## Of a port",
        "`PORT` is the name of the port under `service.ports`.",
        _rows(f"{PREFIX}service-PORT-", SERVICE),
        "## Of a build",
        "For the container whose image is `.`",
        _rows(OF_BUILDS, BUILD),
        "## Members of http-options",
        _members(HttpOptions),
        "## Members of concurrency",
        _members(Concurrency),
    ]
    return "\n\n".join(lines) + "\n"


def _rows(prefix: str, keys: dict[str, tuple[str, str]]) -> str:
    rows = [[code(prefix + key), values, effect] for key, (values, effect) in keys.items()]
    return table(["Annotation", "Value", "Effect"], rows)


def _members(section: type) -> str:
    rows = [[code(name), code(key.shape.kind)] for name, key in keys_of(section).items()]
    return table(["Member", "Type"], rows)
