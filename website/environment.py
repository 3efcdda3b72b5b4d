"""The page of environment variables; tests hold the table against what the code reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from website.markdown import code, table
from website.source import constants, trees

GROUPS: dict[str, dict[str, str]] = {
    "score-flyio": {
        "SCORE_FLYIO_STATE": "Where the project state is, as `--state`.",
        "SCORE_FLYIO_STATE_KEY": "Encrypts the state at a remote place.",
        "SCORE_FLYIO_STATE_TOKEN": "The bearer token for a state at `https://`.",
        "SCORE_FLYIO_TARGET": "Where to, as `--target`: `fly`, `emulator` or a URL.",
        "SCORE_FLYIO_FILES_FROM": "More folders that files of containers may come from, with the "
        "path separator of the system between them.",
        "SCORE_FLYIO_LARGEST_FILE": "The most MiB that a file may have that is read as input; 16 "
        "unless given.",
        "SCORE_FLYIO_DEBUG": "`true`: as `--debug`.",
        "SSL_CERT_FILE": "A PEM file with the certificates to trust for HTTPS, instead of those "
        "that come with score-flyio.",
        "SSL_CERT_DIR": "A folder with such certificates, where SSL_CERT_FILE is not set.",
        "NO_COLOR": "Set: no colours.",
        "TERM": "`dumb`: no colours and no board.",
        "_SCORE_FLYIO_COMPLETE": "Set by the completion of the shell.",
    },
    "Fly": {
        "FLY_ACCESS_TOKEN": "The Fly token; counts before `FLY_API_TOKEN`.",
        "FLY_API_TOKEN": "The Fly token.",
        "FLY_CONFIG_DIR": "Folder of flyctl's `config.yml`, for its login; else `~/.fly`.",
        "FLY_ORG": "The organization, as `--org`.",
        "FLY_REGION": "The region where nobody names one.",
        "FLY_REGION_NAME": "The same; counts before it.",
        "FLY_APP": "The app, as `--app`.",
        "FLY_FLAPS_BASE_URL": "Address of the Machines API.",
        "FLY_API_HOSTNAME": "The same, as the Go tool calls it.",
        "FLY_API_BASE_URL": "Address of GraphQL and of the releases.",
        "FLY_UIEX_BASE_URL": "Address of flyctl's newer service for organizations.",
        "FLY_REGISTRY_HOST": "Stands in for registry.fly.io.",
        "FLY_BUILDER_HOST": "Stands in for the host of the remote builder.",
    },
    "Images": {
        "DOCKER_HOST": "Address of the Docker daemon.",
        "DOCKER_TLS_VERIFY": "Set: the daemon at `tcp://` is spoken to over TLS.",
        "DOCKER_CERT_PATH": "Folder of the certificates for it.",
        "DOCKER_CONTEXT": "Context of the Docker daemon, in place of the one in use.",
        "DOCKER_CONFIG": "Folder of Docker's `config.json` and contexts.",
        "DOCKER_AUTH_CONFIG": "Text of a `config.json` with logins, which count before others.",
        "REGISTRY_AUTH_FILE": "File with podman's and buildah's logins.",
        "DOCKER_HUB_USERNAME": "Login at Docker Hub.",
        "DOCKER_HUB_PASSWORD": "Its password or token.",
        "BUILDKIT_HOST": "Address of BuildKit, for `buildctl`.",
    },
    "State in a bucket": {
        "AWS_ACCESS_KEY_ID": "Credentials of the bucket.",
        "AWS_SECRET_ACCESS_KEY": "Credentials of the bucket.",
        "AWS_SESSION_TOKEN": "Credentials of the bucket.",
        "AWS_REGION": "Its region.",
        "AWS_DEFAULT_REGION": "Its region, where `AWS_REGION` is not set.",
        "AWS_ENDPOINT_URL": "A store other than Amazon's.",
        "AWS_ENDPOINT_URL_S3": "The same, for S3 alone; counts before `AWS_ENDPOINT_URL`.",
        "AWS_ENDPOINT_URL_STS": "The service that gives credentials for a web identity.",
        "AWS_ROLE_ARN": "The role of a web identity.",
        "AWS_ROLE_SESSION_NAME": "The name of its session.",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "The token of a web identity.",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "Credentials of a container.",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "Credentials of a container.",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "The token for asking for them.",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "A file with that token.",
    },
    "CI": {
        "CI": "Set: lines in place of the board, on a terminal too.",
        "GITHUB_ACTIONS": "`true`: problems are annotations, the lines of each workload a group.",
        "GITLAB_CI": "`true`: the lines of each workload are a section that can be folded.",
        "GITHUB_WORKSPACE": "The folder that their files are named from.",
        "GITHUB_STEP_SUMMARY": "File of the job summary, which the outcome is appended to.",
    },
    "Provisioners": {
        "SCORE_PROVISIONER_MODE": "Set for programs: `provision` or `deprovision`. They see "
        "`SCORE_FLYIO_TARGET` too.",
    },
    "Folders": {
        "HOME": "Home folder, for logins of Docker, podman and flyctl.",
        "USERPROFILE": "The same, on Windows.",
        "PATH": "Where builders and provisioners are found.",
        "XDG_RUNTIME_DIR": "Where the socket of podman and its logins are looked for.",
        "XDG_CONFIG_HOME": "Where podman's lasting logins are looked for.",
        "TMPDIR": "Where temporary files are.",
    },
}
"""Every variable that is read, by what it is for. Set and empty counts as not set."""

_NAME = re.compile(r"_?[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_READ_FROM = re.compile(r"(environ|variables)$")
_LISTS = re.compile(r"(VARIABLES?|ENDPOINTS|^OWN)$")
"""How constants are called that hold names of variables."""


def page() -> str:
    """Every variable with its meaning."""
    lines = ["# Environment variables", "An empty one counts as one that is not set."]
    for title, variables in GROUPS.items():
        rows = [[code(name), text] for name, text in variables.items()]
        lines += [f"## {title}", table(["Variable", "Meaning"], rows)]
    return "\n\n".join(lines) + "\n"


def read_by_the_code() -> set[str]:
    """The names that the code looks up in an environment."""
    known = constants()
    found = {name for key, names in known.items() if _LISTS.search(key) for name in names}
    for module, tree in trees().items():
        if module.startswith("score_flyio"):
            for node in ast.walk(tree):
                for key in _keys(node):
                    found |= _named(key, known)
    return {name for name in found if _NAME.fullmatch(name)}


def _keys(node: ast.AST) -> Iterator[ast.expr]:
    """What an expression looks up in an environment."""
    match node:
        case ast.Call(func=ast.Attribute(value=where, attr="get"), args=[key, *_]):
            if _is_environment(where):
                yield key
        case ast.Subscript(value=where, slice=key):
            if _is_environment(where):
                yield key
        case ast.Compare(left=key, ops=[ast.In()], comparators=[where]):
            if _is_environment(where):
                yield key
        case ast.Call(func=ast.Name(id="credential"), args=[_, key]):
            yield key


def _is_environment(where: ast.expr) -> bool:
    return _READ_FROM.search(ast.unparse(where)) is not None


def _named(key: ast.expr, known: dict[str, set[str]]) -> set[str]:
    match key:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.Name(id=name):
            return known.get(name, set())
    return set()
