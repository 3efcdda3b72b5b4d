"""Changes that the API does not let one repeat blindly, made safe to repeat.

After a doubtful outcome (a lost answer, 408, 5xx) each of these looks at what is there before it
sends the change again, so that nothing is made twice and nothing made is overlooked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, MutableSet
from typing import Final, TypeVar

import anyio

from fly_machines import FlyMachinesApi, models
from score_flyio.base.record import frozen
from score_flyio.base.secret import Secret
from score_flyio.errors import (
    Conflict,
    FlyApiError,
    FlyError,
    FlyProtocolError,
    InvalidRequest,
    NameTaken,
    NotAuthorized,
    NotFound,
    PreconditionFailed,
    Request,
)
from score_flyio.fly.errors import is_doubtful
from score_flyio.fly.present import ip_type, kept

T = TypeVar("T")

TRIES: Final = 6
LOOKS: Final = (0.5, 1.0)
"""Seconds before each look at what is there; reads lag behind changes."""
AT_REST: Final = frozenset(
    {"created", "stopped", "stopping", "suspended", "destroyed", "destroying"}
)
"""States in which no process of a machine runs, or soon none does."""
RUNNING: Final = frozenset({"started", "starting", "restarting"})
"""States in which a machine runs without being started."""
STARTABLE_WITHIN: Final = 60.0
"""Seconds within which an updated machine must let itself be started; 30 were observed."""
KNOWN_WITHIN: Final = 30.0
"""Seconds within which hosts must know an image that was pushed, or secrets set, just now."""
VISIBLE_WITHIN: Final = 60.0
"""Seconds within which a new app must become readable."""
MET_WITHIN: Final = 5.0
"""Seconds that a name which is taken may need to turn out to be that of another run's new app."""


@frozen(kw_only=True)
class SecretsVersion:
    """What setting secrets brought."""

    version: int | None
    """Pass it as `min_secrets_version` when machines must see the change."""
    digests: Mapping[str, str]
    """Digest by name, of the secrets that the platform listed in its answer."""


async def repeat(send: Callable[[], Awaitable[T]], look: Callable[[], Awaitable[T | None]]) -> T:
    """Send; after a doubtful outcome look for what it made, and only then send again."""
    for left in reversed(range(TRIES)):
        try:
            return await send()
        except FlyError as error:
            if not (is_doubtful(error) or _met_another(error)):
                raise
            found = await _seen(look, LOOKS)
            if found is not None:
                return found
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


async def _seen(look: Callable[[], Awaitable[T | None]], pauses: Iterable[float]) -> T | None:
    for pause in pauses:
        await anyio.sleep(pause)
        found = await look()
        if found is not None:
            return found
    return None


def _met_another(error: FlyError) -> bool:
    """Whether a change was refused because another one was under way: it can go out again."""
    return isinstance(error, FlyApiError) and "concurrent update" in error.answer.message.lower()


def naming(answer: T, name: str | None, path: str) -> T:
    """The answer to a POST, unless it does not name what the change made, as `null` does not.

    Raises FlyProtocolError, whose outcome is doubtful.
    """
    if name is None:
        message = f"POST {path}: the answer does not name what was made"
        raise FlyProtocolError(message, request=Request(method="POST", path=path))
    return answer


# --- apps


async def ensure_app(api: FlyMachinesApi, name: str, org: str) -> models.App:
    """The app of this name, created unless it is there; returns once it can be read.

    Raises NameTaken when someone else has the name.
    """
    found = await create_app(api, name, org)
    return await once_visible(lambda: api.apps_show(name)) if found is None else found


async def create_app(
    api: FlyMachinesApi, name: str, org: str, *, role: str | None = None
) -> models.App | None:
    """Create the app unless it is there; gives it when it had to be read to know.

    An app made just now may be missing from answers for a moment: see `once_visible`.

    Raises NameTaken when someone else has the name.
    """
    request = models.CreateAppRequest(name=name, org_slug=org, app_role_id=role)

    async def create() -> models.App | None:
        await api.apps_create(request, wait=True)
        return None

    async def present() -> models.App | None:
        try:
            return await api.apps_show(name)
        except (NotFound, NotAuthorized):
            return None

    try:
        return await repeat(create, present)
    except (NameTaken, InvalidRequest, Conflict) as error:
        told = _name_taken(error)
        within = MET_WITHIN if isinstance(told, NameTaken) else 0.0
        try:
            return await once_visible(lambda: api.apps_show(name), within=within)
        except (NotFound, NotAuthorized):
            raise told from error


async def once_visible(call: Callable[[], Awaitable[T]], *, within: float = VISIBLE_WITHIN) -> T:
    """Make a call about an app made just now.

    404, 401 and 400 "could not find app" are normal for a moment: two services answer.
    """
    return await resent(call, _not_visible_yet, within=within, longest=2.0)


def _not_visible_yet(error: FlyApiError) -> bool:
    """Whether the app may be missing for a moment, and not the image of a machine."""
    text = error.answer.message.lower()
    unseen = isinstance(error, NotFound) or error.status == 401 or "could not find app" in text
    return unseen and not ("image" in text or "manifest" in text)


def _name_taken(error: FlyApiError) -> FlyApiError:
    text = error.answer.message.lower()
    if isinstance(error, NameTaken) or "taken" in text or isinstance(error, Conflict):
        hint = (
            "it belongs to another organization, or to one that this token does not cover: app "
            "names are unique on the whole platform. Choose another name, or use a token of the "
            "organization that has it"
        )
        return NameTaken(error.request, error.answer, hint=hint)
    return error


# --- machines


async def resent(
    send: Callable[[], Awaitable[T]],
    passing: Callable[[FlyApiError], bool],
    *,
    within: float,
    longest: float,
) -> T:
    """Send again while the refusal is one that passes by itself.

    After so many seconds it is raised; between two tries there are at most the `longest`.
    """
    end = anyio.current_time() + within
    pause = 0.25
    while True:
        try:
            return await send()
        except FlyApiError as error:
            left = end - anyio.current_time()
            if not passing(error) or left <= 0:
                raise
        await anyio.sleep(min(pause, left))
        pause = min(longest, pause * 2)


async def once_hosts_know(send: Callable[[], Awaitable[T]], secrets: int | None) -> T:
    """Send again while a host may not know what is new: the secrets (412), or an image.

    One that is asked for by its digest is there, for its digest was read from it.
    """
    return await resent(
        send,
        lambda error: (
            _lacks_a_manifest(error)
            or (secrets is not None and isinstance(error, PreconditionFailed))
        ),
        within=KNOWN_WITHIN,
        longest=4.0,
    )


def _lacks_a_manifest(error: FlyApiError) -> bool:
    text = error.answer.message.lower()
    missing = any(words in text for words in ("not found", "manifest_unknown", "manifest unknown"))
    return missing and "manifest" in text and "@sha256:" in text


async def update_machine(
    api: FlyMachinesApi,
    app: str,
    machine_id: str,
    request: models.UpdateMachineRequest,
    *,
    nonce: str | None = None,
    previous_instance_id: str | None,
) -> models.Machine:
    """Replace the configuration of a machine.

    After a doubtful outcome, a version other than `previous_instance_id` tells that the update was
    carried out; hold the lease, so that nobody else's update can be meant. One that met another
    update is in doubt, too.
    """

    async def send() -> models.Machine:
        made = await once_hosts_know(
            lambda: api.machines_update(app, machine_id, request, fly_machine_lease_nonce=nonce),
            request.min_secrets_version,
        )
        return naming(made, made.id, f"/v1/apps/{app}/machines/{machine_id}")

    async def updated() -> models.Machine | None:
        machine = await api.machines_show(app, machine_id)
        changed = machine.instance_id not in (None, previous_instance_id)
        return machine if changed and previous_instance_id is not None else None

    return await repeat(send, updated)


async def start_machine(
    api: FlyMachinesApi, app: str, machine_id: str, *, nonce: str | None = None
) -> None:
    """Start a machine; one that runs, or is about to, is fine.

    For a while after an update the platform refuses: "machine getting replaced, refusing to start"
    and the like. That is waited out.
    """
    lost = False

    async def start() -> None:
        nonlocal lost
        try:
            await api.machines_start(app, machine_id, fly_machine_lease_nonce=nonce)
        except PreconditionFailed:
            machine = await api.machines_show(app, machine_id)
            lost = machine.host_status not in {None, "ok"}
            if machine.state not in RUNNING:
                raise

    await resent(
        start,
        lambda error: isinstance(error, PreconditionFailed) and not lost,
        within=STARTABLE_WITHIN,
        longest=4.0,
    )


async def stop_machine(
    api: FlyMachinesApi, app: str, machine_id: str, *, nonce: str | None = None
) -> None:
    """Ask the processes of a machine to end; one that rests already, or is gone, is fine.

    What the platform answers then is not documented, so a refusal is held against the machine.
    """
    try:
        await api.machines_stop(
            app, machine_id, models.StopRequest(), fly_machine_lease_nonce=nonce
        )
    except NotFound:
        return
    except (Conflict, InvalidRequest, PreconditionFailed):
        if (await api.machines_show(app, machine_id)).state not in AT_REST:
            raise


async def delete_machine(
    api: FlyMachinesApi, app: str, machine_id: str, *, nonce: str | None = None
) -> None:
    """Delete a machine even while it runs; one that is gone already is fine."""
    try:
        await api.machines_delete(app, machine_id, force=True, fly_machine_lease_nonce=nonce)
    except NotFound:
        return


# --- volumes, addresses, certificates


async def create_volume(
    api: FlyMachinesApi, app: str, request: models.CreateVolumeRequest, known_ids: MutableSet[str]
) -> models.Volume:
    """Create a volume.

    After a doubtful outcome, a volume of the same name and region whose id is not among
    `known_ids` is taken for the new one, so create volumes of one name and region one after
    another. The id of the new volume is added to `known_ids`.
    """

    async def send() -> models.Volume:
        made = await api.volumes_create(app, request)
        return naming(made, made.id, f"/v1/apps/{app}/volumes")

    async def created() -> models.Volume | None:
        for volume in await api.volumes_list(app):
            same = volume.name == request.name and request.region in (None, volume.region)
            if same and volume.id not in known_ids and kept(volume):
                return volume
        return None

    volume = await repeat(send, created)
    if volume.id is not None:
        known_ids.add(volume.id)
    return volume


async def assign_ip(
    api: FlyMachinesApi, app: str, request: models.AssignIPRequest, known: MutableSet[str]
) -> models.IPAssignment:
    """Give the app an address of `request.type` (`v4`, `v6`, `shared_v4` or `private_v6`).

    After a doubtful outcome, an address of that type which is not among `known` is taken for the
    new one. The new address is added to `known`. Where the app has one already, and can have no
    other, that one is given.
    """

    async def send() -> models.IPAssignment:
        made = await api.app_ip_assignments_create(app, request)
        return naming(made, made.ip, f"/v1/apps/{app}/ip_assignments")

    async def assigned(*, but: Collection[str] = known) -> models.IPAssignment | None:
        listed = (await api.app_ip_assignments_list(app)).ips or []
        found = (each for each in listed if ip_type(each) == request.type and each.ip not in but)
        return next(found, None)

    try:
        assignment = await repeat(send, assigned)
    except (Conflict, InvalidRequest) as error:
        if "already" not in error.answer.message.lower():
            raise
        # Lists may lack the one that it has: then it is given without its text.
        there = await _seen(lambda: assigned(but=()), (0.0, *LOOKS))
        assignment = there or models.IPAssignment()
    if assignment.ip is not None:
        known.add(assignment.ip)
    return assignment


async def ask_for_certificate(
    api: FlyMachinesApi, app: str, hostname: str
) -> models.CertificateDetail:
    """Have the platform make a certificate; one that was asked for before is given as it is."""
    request = models.CreateAcmeCertificateRequest(hostname=hostname)

    async def send() -> models.CertificateDetail:
        made = await api.app_certificates_acme_create(app, request)
        return naming(made, made.hostname, f"/v1/apps/{app}/certificates/acme")

    async def present() -> models.CertificateDetail | None:
        try:
            return await api.app_certificates_show(app, hostname)
        except NotFound:
            return None

    try:
        return await repeat(send, present)
    except (InvalidRequest, Conflict):
        found = await present()
        if found is None:
            raise
        return found


# --- secrets


async def set_secrets(
    api: FlyMachinesApi, app: str, values: Mapping[str, Secret | None]
) -> SecretsVersion:
    """Set secrets, and delete those given as None, in one call."""
    plain = {name: None if value is None else value.reveal() for name, value in values.items()}
    answer = await api.secrets_update(app, models.AppSecretsUpdateRequest(values=plain))
    secrets = answer.secrets
    if secrets is None:  # what was set is asked for where the answer does not tell it
        secrets = (await api.secrets_list(app)).secrets
    return SecretsVersion(
        version=answer.version if answer.version is not None else answer.Version,
        digests={
            secret.name: secret.digest
            for secret in secrets or []
            if secret.name is not None and secret.digest is not None
        },
    )
