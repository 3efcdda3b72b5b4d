"""How images are built and resolved, as the command line and embedding programs say. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from score_flyio.base.record import field, frozen
from score_flyio.base.secret import Secret


@frozen(kw_only=True)
class ImageOptions:
    """Settings of images. Those of one build are for every image that the run builds."""

    builder: str = "auto"
    """What builds; `auto`: the first that is there; `local`: the same, but never Fly."""
    no_cache: bool = False
    """Carry out every step anew, also where nothing changed."""
    args: Mapping[str, str] = field(factory=dict)
    """Over those of the file."""
    secrets: Mapping[str, Secret] = field(factory=dict, repr=False)
    """For `RUN --mount=type=secret,id=NAME`, by name."""
    target: str = ""
    """Where the file names none."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of the images."""
    dockerfile: str = ""
    """Where the file names none."""
    ignorefile: str = ""
    """Where the file names none."""
    tag: str = ""
    """Empty: a new one for each build."""
    idle_timeout: float = 1800.0
    """Seconds without a sign of progress after which a build or push is given up."""
    resolve: bool = True
    """Whether images are held by their digests, where a registry can be asked."""
    push: bool = True
    """Whether images are pushed that are only built; those that are deployed always are."""
