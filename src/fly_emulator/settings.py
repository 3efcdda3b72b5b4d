"""How the emulated platform behaves: times, room, limits and who may call it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from fly_emulator.regions import REGIONS, Region

PERSONAL: Final = "personal"
"""Slug that every interface accepts for the caller's own organization."""


@frozen(kw_only=True)
class Organization:
    """An organization that owns apps."""

    slug: str
    """How calls and tokens name it."""
    name: str
    """How it is called where people read."""
    number: int = 1
    """Its numeric id, which GraphQL shows beside the opaque one."""


@frozen(kw_only=True)
class Principal:
    """Who a token speaks for, and in which organizations (by slug)."""

    user: str = "user@example.com"
    """E-mail address of the user."""
    organizations: frozenset[str] = frozenset({PERSONAL})
    """Slugs of the organizations that it may see and change."""


@frozen(kw_only=True)
class EmulatorSettings:
    """Settings of one emulated platform. All times are in seconds."""

    seed: int = 0
    """Seed of every id, name and choice."""

    latency: float | tuple[float, float] = 0.0
    """Time an answer takes, half of it before the call is executed; a pair is a uniform range."""

    prepare: float = 0.1
    """From the creation of a machine that is not launched to its rest in `stopped`."""
    boot: float = 0.5
    """From the creation or start of a machine to `started`."""
    stop: float = 0.1
    """Time a process takes to stop when asked."""
    suspend: float = 0.1
    """Time from the request to `suspended`."""
    destroy: float = 0.1
    """How long a machine needs to go; until then it has its volume."""
    lists_those_that_go: bool = True
    """Whether lists show a machine meanwhile."""
    lists_deleted_volumes: bool = False
    """Whether an app's volumes are listed until they are gone for good: none is in the recorded
    list, but flyctl leaves such volumes out, and has an option that shows them."""
    restart_delay: float = 0.5
    """Pause before a crashed process runs again; doubles with each crash, up to a minute."""
    one_shot: float = 0.3
    """How long a machine runs that exits by itself, such as a release command."""
    first_check_after: float = 0.05
    """From `started` to the first check results; before that the list is empty."""
    healthy_after: float = 1.0
    """From `started` to passing checks."""
    checks_wait_for_grace: bool = False
    """Whether checks also stay critical for their `grace_period`."""
    visibility_delay: float = 0.0
    """Time until a new app or machine is seen by reads; until then they answer 404."""
    unknown_below: float = 0.0
    """How long what lies below a new app is answered as if there were none, changes included: one
    service has the app, another all the rest. Clients are seen to wait this out."""
    organization_lists_lag: float = 1.0
    """How old machines and volumes are when lists of a whole organization show and count them."""
    forget_destroyed: float = 3600.0
    """How long a destroyed machine can still be read."""
    volume_ready: float = 0.0
    """How long a new volume is in state `creating`."""

    certificate_issue: float = 5.0
    """From the validation of a host name to its certificate."""

    regions: tuple[Region, ...] = REGIONS
    """The regions there are; by default those that the public documentation lists."""
    nearest: str = "iad"
    """Region used when a machine or volume names none."""
    hosts_per_region: int = 8
    """How many hosts each region has; machines are spread over them."""
    host_memory_mb: int = 1_048_576
    """Memory a host has for machines."""
    region_hosts: Mapping[str, int] = field(factory=dict)
    """Number of hosts of single regions, where it is not `hosts_per_region`."""
    capacity_status: int = 412
    """Status of an answer that there is no room; 409 and 412 were observed, before them 422."""
    capacity_text: str | None = None
    """What all such answers say; None: each says what it was seen to say most."""
    capacity_code: str | None = None
    """Their `status` member, where they have `capacity_text`."""
    capacity_plain: bool = False
    """Whether such an answer is plain text instead of a document."""
    region_list_in_capitals: bool = True
    """Whether the members of the answer with all regions are `Regions` and `Nearest`, as in a probe
    of August 2026; the document has them in lower case."""

    rate_limits: bool = True
    """Whether calls over the documented rates are refused with 429: one a second, in bursts of
    three, for each action and machine; `fly_emulator.limits` has the exceptions."""
    retry_after: bool = False
    """Whether a 429 carries a `retry-after` header; the documentation does not promise one."""

    organizations: tuple[Organization, ...] = (Organization(slug=PERSONAL, name="Personal"),)
    """The organizations there are; the first one answers to `personal` if none has that slug."""
    tokens: Mapping[str, Principal] | None = None
    """Known tokens. None: any token that is not empty, with access to all organizations."""

    autostop_every: float | None = None
    """How often the proxy stops a machine of each region that it may stop and nobody visits."""

    # What nobody knows of the platform: a client must do with every answer.

    update_launches: frozenset[str] = frozenset({"started", "starting", "restarting"})
    """States in which an update starts the machine again; any other machine comes to rest, even
    when it was to be launched. Observed in 2026; the documentation does not say it."""
    default_restart: Mapping[str, Any] | None = field(
        factory=lambda: {"policy": "on-failure", "max_retries": 10}
    )
    """What is filled into the `restart` of a config that is read back; None: nothing. In 2024 it
    was nothing, in 2022 `{"policy": "", "max_retries": 3}`."""
    fills_defaults: bool = True
    """Whether a config that is read back has values that it was not given: false, the limits of
    concurrency, handlers in an order of their own."""
    longest_check_interval: str | None = "60s"
    """To what longer intervals of service checks are cut; None: to nothing."""
    spells_with_numbers: bool = False
    """Whether configs read back with durations in nanoseconds, `autostop` as a number and sizes
    as floats. All spellings were observed; which are seen when is not known."""
    checks_numbered_in_service: bool = True
    """Whether checks of services are numbered within their service, so that names of two services
    on one port collide and one result is shown; else they are numbered within the machine."""
    secrets_arrive_after: float = 0.0
    """Seconds after a change of secrets in which a host does not know them: a create or update
    that needs them (`min_secrets_version`) is refused with 412. It was seen, but seldom."""
    gpus: bool = False
    """Whether there are graphics processors; they went in August 2026."""
    below_missing_app: int = 404
    """Status of calls about what lies below an app that does not exist, or is not known there yet;
    400 "could not find app", 401 and 403 were seen, too: two services answer them."""
    foreign_app: int = 403
    """Status of calls about an app of an organization that the token is not for; 403 or 404."""
    current_token: int | None = None
    """Status with which a token may not ask what it is for; None: it may. Users' own tokens are
    likely refused."""
    registry: bool = False
    """Whether there is a registry at `/v2/`, which has every image that is named, and what is
    pushed to it; else images go by their tags."""
    missing_images: frozenset[str] = frozenset()
    """Images that no registry has: a create answers 404; an update is accepted, and given up when
    the image cannot be pulled, so that the version before stays (a `revert` event; the vendor's
    client and others met it)."""
    discharge_life: float = 600.0
    """Seconds that a discharge for a user's macaroon is valid."""
    launch_fails_for_good: bool = False
    """Whether a new machine whose process cannot begin is `launch_failed`, and destroyed then; else
    it stays, `failed`. The documentation has both states, and does not say which comes when."""
    busy_after_update: float = 3.0
    """Seconds after an update in which `start` is refused with 412; up to 30 were observed."""

    limits_per_token: bool = False
    """Whether each token has rate limits of its own."""
    default_lease_ttl: int = 30
    """Seconds that a lease holds when the request names no `ttl`."""
    max_lease_ttl: int = 86_400
    """Most seconds that a lease may be asked for; longer ones are refused with 400."""
    long_leases_are_cut: bool = False
    """Whether a lease longer than allowed is shortened instead of refused."""
    default_volume_gb: int = 1
    """Gigabytes of a volume when the request names no size."""
    extend_needs_restart: bool = False
    """Whether the answer to an extension of an attached volume says `needs_restart`."""
    show_secrets: bool = True
    """Whether `show_secrets=true` gives values back; the documentation and the API differ."""
    salted_digests: bool = False
    """Whether a secret has another digest each time it is set, even to the same value."""
    secrets_over_env: bool = False
    """Whether a secret beats a variable of the same name in the config's `env`."""
    secret_names: str = "[A-Za-z_][A-Za-z0-9_]*"  # noqa: S105 - a pattern
    """Pattern of the names that secrets may have."""
    unique_machine_names: bool = True
    """Whether two machines of one app cannot have the same name."""
    name_taken_status: int = 409
    """Status of a create with the name of another machine, where names are unique."""
    version_mismatch_status: int = 412
    """Status of an update whose `current_version` is not the present one."""
    largest_config: int | None = None
    """Bytes of JSON that a config may have; None: no limit."""
    longest_exec: int = 60
    """Seconds after which a command executed in a machine is ended."""
    largest_exec_output: int | None = None
    """Characters of a command's output that are given back; None: all."""
    repeats_are_refused: bool = False
    """Whether starting a started machine, or stopping a stopped one, is an error."""
    suspend_falls_back: bool = False
    """Whether a machine that cannot be suspended is stopped instead."""
    longest_metadata: int | None = None
    """Most characters that a value of metadata may have; whether there is a limit is not
    documented."""
    lists_egress: bool = True
    """Whether lists have the addresses that connections to the outside come from, as the public Go
    client reads them; the documentation does not say it."""
    single_addresses: frozenset[str] = frozenset({"shared_v4"})
    """Types of addresses of which an app has one at most: another is "already allocated"."""
    address_there_status: int = 422
    """Status of that answer; 409 was seen, too."""
    update_restarts_unchanged: bool = True
    """Whether an update with an unchanged config is a restart, too; it is not documented."""

    def region(self, code: str) -> Region | None:
        """The region of that code, if the platform has it."""
        return next((region for region in self.regions if region.code == code), None)

    def organization(self, slug: str) -> Organization | None:
        """The organization of that slug; `personal` is the first one when none has that slug."""
        for organization in self.organizations:
            if organization.slug == slug:
                return organization
        return self.organizations[0] if slug == PERSONAL and self.organizations else None

    def owner(self, slug: str) -> Organization:
        """The organization that something belongs to: it is there."""
        found = self.organization(slug)
        assert found is not None
        return found
