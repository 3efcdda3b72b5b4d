"""The registries of the world at `/v2/`, as the OCI distribution specification has them.

With `ns=REGISTRY` it is a mirror of that registry, as container runtimes ask their mirrors: every
image that is named there is there. Without, it is the platform's own: it has what was pushed to it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, Final

from attrs import evolve

from fly_emulator.calls import Call, Interface
from fly_emulator.wire import ApiRequest, ApiResponse, Outcome, Refusal
from fly_emulator.world import World

_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_BYTES: Final = "application/octet-stream"
_DIGEST: Final = "docker-content-digest"
_PATHS: Final = {
    "ping": re.compile(r"/v2/"),
    "manifest": re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)"),
    "uploads": re.compile(r"/v2/(?P<name>.+)/blobs/uploads/"),
    "upload": re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<upload>[^/]+)"),
    "blob": re.compile(r"/v2/(?P<name>.+)/blobs/(?P<digest>[^/]+)"),
    "tags": re.compile(r"/v2/(?P<name>.+)/tags/list"),
}


class DistributionApi(Interface):
    """The interface under `/v2`."""

    prefix = "/v2/"

    def name(self, request: ApiRequest) -> str:
        return f"Registry_{_matched(request)[0]}"

    def is_public(self, request: ApiRequest) -> bool:
        """Whether everybody may ask: what is mirrored is for all."""
        return "ns" in dict(request.query)

    def handle(self, call: Call) -> Outcome:
        world, request = call.world, call.request
        kind, parts = _matched(request)
        if kind == "unknown" or not world.settings.registry:
            raise Refusal(404, f"no such path: {request.method} {request.path}")
        registry = call.query("ns")
        if registry is not None:
            return _mirrored(world, registry, parts) if kind == "manifest" else ApiResponse()
        return _HANDLERS[kind](evolve(call, path=parts))


def _kept(call: Call, digest: str) -> tuple[str, bytes]:
    """Media type and bytes of what a repository has. Raises Refusal."""
    found = call.world.pushed.get((call.path["name"], digest))
    if found is None:
        raise _refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
    return found


def _keep(call: Call, media: str, content: bytes, wanted: str | None = "") -> str:
    """The digest of what was pushed. Raises Refusal where it has another one than wanted."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if wanted not in {"", digest}:
        raise _refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    call.world.pushed[call.path["name"], digest] = media, content
    return digest


def _matched(request: ApiRequest) -> tuple[str, dict[str, str]]:
    for kind, pattern in _PATHS.items():
        if match := pattern.fullmatch(request.path):
            return kind, match.groupdict()
    return "unknown", {}


def _mirrored(world: World, registry: str, parts: dict[str, str]) -> ApiResponse:
    name, version = parts["name"], parts["reference"]
    image = f"{registry}/{name}{'@' if ':' in version else ':'}{version}"
    short = {f"{name.removeprefix('library/')}:{version}", f"{name}:{version}", image}
    if short & world.settings.missing_images:
        raise _refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
    content = world.registries.manifest(image)
    return _content(_MANIFEST, content, world.registries.reference(image)["digest"])


def _uploads(call: Call) -> ApiResponse:
    """Begin an upload, or have a blob of another repository without one."""
    found = call.world.pushed.get((call.query("from") or "", call.query("mount") or ""))
    if found is not None:
        return _created(call, "blobs", _keep(call, *found))
    upload = call.world.letters(20)
    call.world.uploads[upload] = b""
    return _going_on(call, upload)


def _upload(call: Call) -> ApiResponse:
    upload = call.path["upload"]
    if upload not in call.world.uploads:
        raise _refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
    call.world.uploads[upload] += call.request.body
    if call.request.method == "PUT":
        content = call.world.uploads.pop(upload)
        return _created(call, "blobs", _keep(call, _BYTES, content, call.query("digest")))
    if call.request.method == "DELETE":
        del call.world.uploads[upload]
        return ApiResponse(status=204)
    return _going_on(call, upload)


def _manifest(call: Call) -> ApiResponse:
    reference, registries = call.path["reference"], call.world.registries
    place = f"{_host(call)}/{call.path['name']}:{reference}"
    if call.request.method == "PUT":
        content = call.request.body
        for digest in _needed(content):
            _kept(call, digest)
        media = call.request.headers.get("content-type", _MANIFEST)
        digest = _keep(call, media, content, reference if ":" in reference else "")
        if ":" not in reference:
            registries.tags[place] = digest
        return _created(call, "manifests", digest)
    digest = reference if ":" in reference else registries.tags.get(place, "")
    try:
        return _content(*_kept(call, digest), digest)
    except Refusal as refusal:
        raise _refusal(404, "MANIFEST_UNKNOWN", "manifest unknown") from refusal


def _tags(call: Call) -> ApiResponse:
    start = f"{_host(call)}/{call.path['name']}:"
    places = call.world.registries.tags
    tags = [place.removeprefix(start) for place in places if place.startswith(start)]
    return ApiResponse(document={"name": call.path["name"], "tags": sorted(tags) or None})


def _needed(content: bytes) -> list[str]:
    """The digests that a manifest or index names. Raises Refusal for something else."""
    try:
        document: dict[str, Any] = json.loads(content)
        config = [document["config"]] if "config" in document else []
        parts = [*config, *document.get("layers", []), *document.get("manifests", [])]
        return [part["digest"] for part in parts]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refusal(400, "MANIFEST_INVALID", "manifest invalid") from error


def _host(call: Call) -> str:
    return call.request.headers.get("host", "")


def _content(media: str, content: bytes, digest: str) -> ApiResponse:
    return ApiResponse(raw=content, media_type=media, headers={_DIGEST: digest})


def _created(call: Call, kind: str, digest: str) -> ApiResponse:
    place = f"/v2/{call.path['name']}/{kind}/{digest}"
    return ApiResponse(status=201, headers={"location": place, _DIGEST: digest})


def _going_on(call: Call, upload: str) -> ApiResponse:
    last = max(len(call.world.uploads[upload]) - 1, 0)
    place = f"/v2/{call.path['name']}/blobs/uploads/{upload}"
    headers = {"location": place, "range": f"0-{last}", "docker-upload-uuid": upload}
    return ApiResponse(status=202, headers=headers)


def _refusal(status: int, code: str, message: str) -> Refusal:
    return Refusal(status, message, document={"errors": [{"code": code, "message": message}]})


_HANDLERS: Final[dict[str, Callable[[Call], ApiResponse]]] = {
    "ping": lambda _call: ApiResponse(document={}),
    "uploads": _uploads,
    "upload": _upload,
    "blob": lambda call: _content(*_kept(call, call.path["digest"]), call.path["digest"]),
    "manifest": _manifest,
    "tags": _tags,
}
