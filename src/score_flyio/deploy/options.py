"""Settings of a deploy, as the command line and embedding programs give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from score_flyio.base.record import field, frozen
from score_flyio.flytoml.names import StrategyName
from score_flyio.flytoml.spec import FileSpec
from score_flyio.images.options import ImageOptions

OnFailure: TypeAlias = Literal["rollback", "keep", "stop"]
OnChange: TypeAlias = Literal["replan", "refuse"]


@frozen(kw_only=True)
class GuestOptions:
    """The size of machines of groups that name none in fly.toml, as `--vm-*` gives it."""

    size: str | None = None
    """A named size, such as `shared-cpu-2x`."""
    cpus: int | None = None
    """How many."""
    cpu_kind: str | None = None
    """`shared` or `performance`."""
    memory: str | None = None
    """A size text such as `512mb`."""


@frozen(kw_only=True)
class DeployOptions:
    """How to deploy; `None` means: as the fly.toml says, else as flyctl does by default."""

    strategy: StrategyName | None = None
    """In which order machines are replaced."""
    ha: bool = True
    """Two machines for groups with services, a standby for groups without, on a first deploy."""
    max_unavailable: float | None = None
    """A count (1 or more) or a share of the group's machines (below 1)."""
    wait_timeout: float | None = None
    """Seconds a machine may take until it is started and its checks pass."""
    release_command_timeout: float | None = None
    """Seconds."""
    region: str | None = None
    """Primary region, over the one of the file."""
    image: str | None = None
    """What runs, over the image of the file."""
    force: bool = False
    """Update machines that do not differ, too: a tag then means what it means now."""
    images: ImageOptions = field(factory=ImageOptions)
    """How images are built, and whether they are resolved."""
    env: Mapping[str, str] = field(factory=dict)
    """Extra variables, over those of the file."""
    guest: GuestOptions | None = None
    """CPUs and memory of new machines, over those of the file."""
    only_regions: tuple[str, ...] = ()
    """Machines of other regions stay as they are."""
    exclude_regions: tuple[str, ...] = ()
    """Machines of these regions stay as they are."""
    process_groups: tuple[str, ...] = ()
    """Other groups stay as they are; empty: all are deployed."""
    only_machines: tuple[str, ...] = ()
    """Ids; other machines stay as they are, and none is created. Empty: all."""
    exclude_machines: tuple[str, ...] = ()
    """Ids of machines that stay as they are."""
    update_only: bool = False
    """Create no machines for groups that have none."""
    volume_initial_size: int | None = None
    """GB of new volumes whose mount names no size."""
    files: tuple[FileSpec, ...] = ()
    """Files of every machine beside those of the fly.toml."""
    fallback_regions: tuple[str, ...] = ()
    """Regions where a machine, with its volume if that is new, may be created when its own region
    has no room."""
    skip_release_command: bool = False
    """Whether the command that comes before the first change is left out."""
    smoke_checks: bool = True
    """Whether a started machine is watched for crashes."""
    smoke_window: float = 10.0
    """Seconds a machine is watched for crashes after its start; flyctl's value."""
    public_ips: bool = True
    """Whether an app with public services gets public addresses."""
    dedicated_ipv4: bool = False
    """Allocate an IPv4 of its own to each public app, which costs money."""
    flycast: bool = False
    """Allocate a private address instead of public ones."""
    detach: bool = False
    """Return when every change is made, without waiting for start or health."""
    start: bool = False
    """Start machines at rest, whether or not they get a new config."""
    concurrency: int = 8
    """Machines changed at a time by the immediate strategy; flyctl's `--max-concurrent`."""
    on_failure: OnFailure = "rollback"
    """What happens to machines already updated when a rolling update turns out bad."""
    on_change: OnChange = "replan"
    """What a run does when somebody else changed the app before it held the machines."""
    bluegreen_pause: float = 10.0
    """Seconds the proxy is given to learn of new machines, and again before old ones stop;
    flyctl waits 10 s each."""
    lease_ttl: float = 30.0
    """Seconds; a killed run's leases end after this time. Those of more than 1,500 machines last up
    to two minutes, so that renewals keep up."""
    lease_wait: float = 40.0
    """Seconds to wait for a lease that someone else holds, and as much longer as those of so many
    machines last; a killed run's own ends in time."""
    release_record: bool = True
    """Tell Fly of the release, so that `fly releases` shows it."""
    allow_destructive: bool = False
    """Consent to what becomes of machines whose mounts change, or whose group left the app
    (`--yes`)."""
