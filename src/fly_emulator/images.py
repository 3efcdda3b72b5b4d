"""Images by name: what the platform makes of a reference, and which image a tag means just now."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from attrs import define, field

from fly_emulator.records import Json

_IMAGE: Final = re.compile(r"(?P<name>[^@]+?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>sha256:\w+))?")
_HUB: Final = "docker-hub-mirror.fly.io"
_HUB_NAMES: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


@define
class Registries:
    """All registries of the world: every image that is named is there."""

    pushes: dict[str, int] = field(factory=dict)
    """How often a tag was moved to another image, by `REGISTRY/REPOSITORY:TAG`."""
    tags: dict[str, str] = field(factory=dict)
    """The digests of images that were pushed over HTTP, likewise."""

    def push(self, image: str) -> None:
        """Another image gets the tag; what was made before keeps running the old one."""
        place = _place(self.reference(image))
        self.pushes[place] = self.pushes.get(place, 0) + 1

    def reference(self, image: str) -> Json:
        """An image as the platform names it: short names are those of Docker Hub, by its mirror."""
        match = _IMAGE.fullmatch(image)
        name = match["name"] if match else image
        registry, _, repository = name.partition("/")
        if not repository or not ("." in registry or ":" in registry or registry == "localhost"):
            registry, repository = _HUB, name if "/" in name else f"library/{name}"
        elif registry in _HUB_NAMES:
            registry = _HUB
        tag = (match["tag"] if match else None) or "latest"
        found = {"registry": registry, "repository": repository, "tag": tag}
        digest = (match["digest"] if match else None) or self.tags.get(_place(found))
        made = f"sha256:{hashlib.sha256(self._manifest(_place(found))).hexdigest()}"
        return {**found, "digest": digest or made}

    def manifest(self, image: str) -> bytes:
        """What stands for the manifest of an image that nobody pushed."""
        return self._manifest(_place(self.reference(image)))

    def _manifest(self, place: str) -> bytes:
        named = {"place": place, "push": str(self.pushes.get(place, 0))}
        return json.dumps({"schemaVersion": 2, "annotations": named}).encode()


def image_of(config: Json) -> str:
    """The image that a machine of this config runs."""
    containers = config.get("containers") or [{}]
    return str(config.get("image") or containers[0].get("image") or "")


def _place(reference: Json) -> str:
    return "{registry}/{repository}:{tag}".format(**reference)
