"""Registries: which image a name means, whether it is there, and further names for it.

Rules: the OCI distribution specification and Docker's token authentication. A login goes to the
registry, and to where it sends us for a token; never along with a redirect to elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, Self

import anyio
import httpx

from score_flyio._version import __version__
from score_flyio.base.printable import one_line
from score_flyio.base.record import evolve, frozen
from score_flyio.errors import ImageError, ImageNotFound, RegistryDenied, RegistryUnavailable
from score_flyio.images.access import REFUSED, Access, base_url, is_safe
from score_flyio.images.logins import Logins
from score_flyio.images.reference import PLATFORM, ImageReference
from score_flyio.net.exchange import network_reason, retry_after
from score_flyio.net.http import http_client

INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT: Final = {"accept": ", ".join((*INDEXES, *MANIFESTS))}
"""Without it, registries answer that an image is missing, or with a digest that never runs."""
CONFIGS: Final = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
"""What a manifest names that says what one image is for."""
NOT_SAID: Final = "/"
"""The platform of an image that names none."""
NO_IMAGE: Final = "unknown/unknown"
"""How indexes list what belongs to an image, such as where it comes from."""
PAUSES: Final = (0.3, 1.0)
"""Seconds before each repeat of a call that failed for a reason that may pass."""
LONGEST_PAUSE: Final = 20.0
MOST_REDIRECTS: Final = 5
TIMEOUT: Final = httpx.Timeout(20.0, connect=8.0, pool=None)
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class _TooMany(RegistryUnavailable):
    """Questions of this kind, just now."""


@frozen(kw_only=True)
class Manifest:
    """A manifest or index as the registry has it, byte for byte."""

    digest: str
    media_type: str
    content: bytes
    document: Mapping[str, Any]


class Registries:
    """A client for all registries of a run, to be entered as a context manager."""

    def __init__(
        self,
        logins: Logins,
        *,
        mirror: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        """`mirror` is the URL of what is asked in place of all registries, without logins."""
        agent = {"user-agent": f"score-flyio/{__version__}"}
        encrypted = mirror is None or mirror.startswith("https:")
        self._client = http_client(
            transport=transport, encrypted=encrypted, timeout=TIMEOUT, headers=agent
        )
        self._mirror = mirror
        self._pauses = pauses
        self._access = Access(logins, self._client, self._exchange)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        with anyio.move_on_after(5, shield=True):
            await self._client.aclose()

    async def check_login(self, host: str) -> None:
        """Log in, and do nothing. Raises RegistryDenied or RegistryUnavailable."""
        await self._call("GET", ImageReference(host=host, repository=""), "")

    async def resolve(self, image: ImageReference) -> str:
        """The digest of an image that can run at Fly.

        Raises ImageNotFound, RegistryDenied and RegistryUnavailable for the registry's answers, and
        ImageError where there is no variant of the image for Fly's machines.
        """
        try:
            manifest = await self.manifest(image)
        except _TooMany:  # Docker Hub limits pulls, of which this is one and HEAD is none
            response = await self._manifest("HEAD", image)
            if digest := str(response.headers.get("docker-content-digest", "")):
                return digest
            raise
        _check_platform(image, await self._platforms(image, manifest))
        return manifest.digest

    async def manifest(self, image: ImageReference) -> Manifest:
        """What the registry has by that name. Raises as `resolve` does."""
        response = await self._manifest("GET", image)
        digest = f"sha256:{hashlib.sha256(response.content).hexdigest()}"
        if image.digest.startswith("sha256:") and digest != image.digest:
            raise RegistryUnavailable(
                f"{image}: {image.host} gave something else, with the digest {digest}",
                hint="try again; if it persists, a proxy in between may be changing answers",
            )
        kind = str(response.headers.get("content-type", "")).partition(";")[0].strip()
        document = _object(response.content)
        if document is None:
            raise RegistryUnavailable(
                f"{image}: {image.host} gives no manifest, but {kind or 'something else'}",
                hint="check the name of the registry; a proxy in between may be answering",
            )
        if kind not in {*INDEXES, *MANIFESTS}:  # what is behind a simple web server
            kind = str(document.get("mediaType") or kind)
        return Manifest(digest=digest, media_type=kind, content=response.content, document=document)

    async def _platforms(self, image: ImageReference, manifest: Manifest) -> set[str]:
        """What the image is for; empty where it says nothing that can be understood."""
        document = manifest.document
        try:
            if manifest.media_type in INDEXES:
                return {_platform(entry.get("platform")) for entry in document["manifests"]}
            config = document.get("config") or {}
            if config.get("mediaType") not in CONFIGS:
                return set()
            response = await self._call("GET", image, f"/blobs/{config['digest']}")
            return {_platform(_object(response.content))}
        except (KeyError, TypeError, AttributeError):
            return set()
        except ImageError:  # blobs may be elsewhere, out of our reach if not out of Fly's
            return set()

    async def tag(self, image: ImageReference, tag: str) -> ImageReference:
        """Give an image that the registry has one more tag. Raises as `resolve` does."""
        manifest = await self.manifest(image)
        headers = {"content-type": manifest.media_type}
        await self._call("PUT", image, f"/manifests/{tag}", headers, manifest.content)
        return evolve(image, tag=tag, digest=manifest.digest)

    async def _manifest(self, method: str, image: ImageReference) -> httpx.Response:
        return await self._call(method, image, f"/manifests/{image.version}", ACCEPT)

    async def _call(
        self,
        method: str,
        image: ImageReference,
        path: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """One call with a login, or with a new one where the first does not do.

        Without a repository, it is about the registry itself.

        Raises ImageNotFound, RegistryDenied and RegistryUnavailable.
        """
        query = f"?ns={image.host}" if self._mirror else ""
        url = f"{self._mirror or base_url(image.host)}/v2/{image.repository}{path}{query}"
        actions = "pull" if content is None else "pull,push"

        async def ask(refused: httpx.Response | None = None) -> httpx.Response:
            named = dict(headers or {})
            if self._mirror is None:
                named |= await self._access.authorization(image, actions, refused=refused)
            request = self._client.build_request(method, url, headers=named, content=content)
            return await self._exchange(request)

        try:
            response = await ask()
            if response.status_code == httpx.codes.UNAUTHORIZED and self._mirror is None:
                response = await ask(response)
        except httpx.HTTPError as error:
            raise RegistryUnavailable(
                f"{image}: {image.host} does not answer: {network_reason(error)}",
                hint="check the name of the registry, the network, proxies and firewalls",
            ) from error
        if not response.is_success:
            raise await self._refusal(response, image)
        return response

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        """One request and the redirects after it, repeated as long as that may help."""
        for pause in self._pauses:
            wanted: float | None = None
            with suppress(httpx.TransportError):
                response = await self._followed(request)
                if response.status_code not in _PASSING:
                    return response
                wanted = retry_after(response.headers)
            await anyio.sleep(min(wanted or pause, LONGEST_PAUSE))
        return await self._followed(request)

    async def _followed(self, request: httpx.Request) -> httpx.Response:
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._client.send(request)
            following = response.next_request  # without the login where it goes elsewhere
            if request.method not in {"GET", "HEAD"} or following is None:
                return response
            if not is_safe(following.url):
                return response
            request = following
        return response

    async def _refusal(self, response: httpx.Response, image: ImageReference) -> ImageError:
        status, host, said = response.status_code, image.host, _said(response)
        if status == httpx.codes.NOT_FOUND:
            return ImageNotFound(
                f"{image}: {host} does not have it{said}",
                hint="check its name and tag; it may have to be pushed first",
            )
        if status in REFUSED:
            anonymous, hint = await self._access.refused(image)
            return RegistryDenied(
                f"{image}: {host} refuses it{said}", anonymous=anonymous, hint=hint
            )
        kind = _TooMany if status == httpx.codes.TOO_MANY_REQUESTS else RegistryUnavailable
        return kind(f"{image}: {host} answers {status}{said}", hint="try again")


def _object(content: bytes) -> dict[str, Any] | None:
    """What a registry says, where it is a JSON object."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _said(response: httpx.Response) -> str:
    """The registry's own words, if it has any."""
    try:
        errors = (_object(response.content) or {}).get("errors") or []
        text = "; ".join(str(error["message"]) for error in errors if error.get("message"))
    except (TypeError, AttributeError):
        return ""
    words = one_line(" ".join(text.split())[:200])
    return f": {words}" if words else ""


def _platform(said: Any) -> str:
    found = said or {}
    return f"{found.get('os') or ''}/{found.get('architecture') or ''}"


def _check_platform(image: ImageReference, found: set[str]) -> None:
    if not found or found & {PLATFORM, NOT_SAID}:
        return
    there = ", ".join(sorted(found - {NO_IMAGE})) or "none"
    raise ImageError(
        f"{image}: it is not for {PLATFORM}, on which Fly's machines run",
        hint=f"there is {there}; build it with docker buildx build --platform {PLATFORM}",
        code="image_platform",
    )
