"""What the emulated platform remembers.

Records are internal: the documents that callers see are made from them in `documents`. Times are
seconds since the epoch.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from attrs import define, field

Json: TypeAlias = dict[str, Any]
"""A JSON object as it crosses the API's border."""
KEPT_DELETED: Final = 86_400.0
"""Seconds that a deleted volume is kept."""


@define(kw_only=True)
class EventRecord:
    """Something that happened to a machine."""

    id: str
    type: str
    status: str
    source: str
    at: float
    request: Json | None = None


@define(kw_only=True)
class LeaseRecord:
    """An exclusive hold on a machine; it ends by itself at `expires_at`."""

    nonce: str
    owner: str
    expires_at: float
    description: str = ""


@define(kw_only=True)
class Version:
    """One configuration that a machine has or had."""

    instance_id: str
    config: Json
    created_at: float
    image: Json = field(factory=dict)
    """What its image name meant when the version was made: registry, repository, tag, digest."""


@define(kw_only=True)
class Step:
    """What happens to a machine by itself, and when."""

    name: str
    at: float
    ticket: int


@define(kw_only=True)
class Visit:
    """A state that a machine was in, since when, and after which event."""

    state: str
    at: float
    instance_id: str
    event_id: str


@define(kw_only=True)
class CheckRecord:
    """What a check of a running process found, and since when it is so."""

    passes: bool
    output: str
    at: float


@define(kw_only=True)
class MachineRecord:
    """A machine with all its versions; the last one is the present one."""

    id: str
    name: str
    app: str
    region: str
    host: str
    private_ip: str
    created_at: float
    updated_at: float
    visible_at: float
    number: int
    """Place in the order of all things created in the world."""
    state: str = "created"
    versions: list[Version] = field(factory=list)
    events: list[EventRecord] = field(factory=list)
    """Oldest first."""
    visits: list[Visit] = field(factory=list)
    """The latest states, oldest first: what a waiting caller may have missed."""
    pending: Step | None = None
    lease: LeaseRecord | None = None
    cordoned: bool = False
    launch: bool = True
    """Whether the present version is to be started once it is in place."""
    left_at_rest: bool = False
    """Whether the update to the present version found it not running, and leaves it so."""
    busy_until: float = 0.0
    """The end of what an update leaves to do: until then a start is refused."""
    started_at: float | None = None
    boot: float = 0.0
    healthy_at: float | None = None
    """When its checks pass; None: never."""
    observed: dict[str, CheckRecord] = field(factory=dict)
    """What the checks of its process found, where it has one; else the model says how they are."""
    exit_code: int = 0
    exits: int = 0
    """Exits not asked for, since the last start that was asked for, in the last minutes."""
    first_exit_at: float = 0.0
    """When the first of these exits was."""
    failed_to_stay: bool = False
    """Came to rest by its own exit, not because somebody asked for it."""
    secrets_version: int = 0
    """Secrets that the running process was started with."""
    memory_limit_mb: int | None = None

    @property
    def version(self) -> Version:
        return self.versions[-1]

    @property
    def instance_id(self) -> str:
        return self.versions[-1].instance_id

    @property
    def config(self) -> Json:
        return self.versions[-1].config

    @property
    def destroyed(self) -> bool:
        return self.state == "destroyed"

    def lease_at(self, now: float) -> LeaseRecord | None:
        """The lease that holds now."""
        return self.lease if self.lease is not None and self.lease.expires_at > now else None


@define(kw_only=True)
class SnapshotRecord:
    """A snapshot of a volume."""

    id: str
    created_at: float
    volume_gb: int
    digest: str
    retention_days: int


@define(kw_only=True)
class VolumeRecord:
    """A volume; it lives on one host."""

    id: str
    name: str
    app: str
    region: str
    host: str
    zone: str
    size_gb: int
    created_at: float
    number: int
    ready_at: float
    encrypted: bool = True
    fstype: str = "ext4"
    snapshot_retention: int = 5
    auto_backup_enabled: bool = True
    attached_machine_id: str | None = None
    deleted_at: float | None = None
    snapshots: list[SnapshotRecord] = field(factory=list)

    def gone_at(self, now: float) -> bool:
        """Whether it was deleted so long ago that nothing is left."""
        return self.deleted_at is not None and now >= self.deleted_at + KEPT_DELETED


@define(kw_only=True)
class SecretRecord:
    """A secret of an app, with its value."""

    name: str
    value: str = field(repr=False)
    digest: str
    created_at: float
    updated_at: float


@define(kw_only=True)
class KeyRecord:
    """A secret key of an app, which the platform uses and never shows."""

    name: str
    type: str
    value: str = field(repr=False)
    """In base64, as it was given."""
    created_at: float
    updated_at: float


@define(kw_only=True)
class ClusterRecord:
    """A cluster of Managed Postgres: what is told of it; no server runs."""

    id: str
    name: str
    organization: str
    region: str
    plan: str
    disk_gb: int
    major_version: str
    postgis: bool
    password: str = field(repr=False)
    created_at: float


@define(kw_only=True)
class IpRecord:
    """An address of an app; `type` is what it was asked for as."""

    ip: str
    type: str
    region: str
    created_at: float
    network: str = ""
    service_name: str = ""


@define(kw_only=True)
class EgressRecord:
    """An address that connections to the outside come from."""

    id: str
    ip: str
    version: int
    """4 or 6."""
    region: str
    machine: str | None
    """The machine that has it; None: all machines of the app in the region."""
    updated_at: float


@define(kw_only=True)
class TokenRecord:
    """A token that somebody had made, with its value."""

    id: str
    name: str
    organization: str
    app: str | None
    """The app that it was made for; None: all of the organization."""
    profile: str
    token: str = field(repr=False)
    user: str
    created_at: float
    expires_at: float
    revoked_at: float | None = None

    def valid_at(self, now: float) -> bool:
        return self.revoked_at is None and now < self.expires_at


@define(kw_only=True)
class CertificateRecord:
    """A host name of an app and which certificates it is to have."""

    hostname: str
    created_at: float
    acme: bool = False
    custom: bool = False
    checked: bool = False
    issued_at: float | None = None
    """When the certificate asked for by `acme` is there; None: not validated yet."""


@define(kw_only=True)
class ReleaseRecord:
    """A release, as the deployer told the platform of it."""

    id: str
    version: int
    created_at: float
    image: str
    strategy: str
    """In capitals."""
    definition: Json
    """The fly.toml as JSON."""
    user: str
    status: str = "pending"
    """`pending`, `running`, `complete`, `failed` or `interrupted`."""
    metadata: Json | None = None

    @property
    def in_progress(self) -> bool:
        return self.status in {"pending", "running"}


@define(kw_only=True)
class BuildRecord:
    """The build of an image, as the deployer told the platform of it."""

    id: int
    started_at: float
    status: str = "started"
    finished_at: float | None = None


@define(kw_only=True)
class App:
    """An app with what belongs to it; machines and volumes by id, in the order of creation."""

    id: str
    name: str
    organization: str
    number: int
    created_at: float
    visible_at: float
    network: str = "default"
    role: str = ""
    machines: list[str] = field(factory=list)
    volumes: list[str] = field(factory=list)
    secrets: dict[str, SecretRecord] = field(factory=dict)
    secrets_version: int = 0
    secrets_changed_at: float = 0.0
    keys: dict[str, KeyRecord] = field(factory=dict)
    policies: dict[str, Json] = field(factory=dict)
    """By id, what its machines may send and receive: the documents as they were given."""
    ips: list[IpRecord] = field(factory=list)
    egress: list[EgressRecord] = field(factory=list)
    certificates: dict[str, CertificateRecord] = field(factory=dict)
    releases: list[ReleaseRecord] = field(factory=list)
    """Oldest first."""
    builds: list[BuildRecord] = field(factory=list)
    deployed: bool = False
    """Whether it ever had a machine."""


@define(kw_only=True)
class Host:
    """A computer that machines and volumes live on."""

    id: str
    region: str
    zone: str
    memory_mb: int
    used_mb: int = 0
    status: str = "ok"
