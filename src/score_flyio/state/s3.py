"""Objects in a bucket of any S3-compatible store.

`obstore` is asyncio's alone in its async form, so that its plain calls are made in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import obstore
from anyio import to_thread
from obstore import exceptions as wrong
from obstore.store import S3Store

from score_flyio.errors import ConfigError, StateError
from score_flyio.net.credentials import credential
from score_flyio.net.in_flight import in_flight
from score_flyio.net.web_address import read_web_address
from score_flyio.state.blobs import Found, Listed, Refused, Unavailable

T = TypeVar("T")

VARIABLES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
)
"""Variables that are passed on; the endpoint has its own rules."""
ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
INSTANCE_METADATA: Final = "169.254.169.254"
"""Where obstore asks for credentials when the variables have none."""
NOT_IMPLEMENTED: Final = "501 Not Implemented"
"""What stores answer that know of no conditions."""
CALL_SECONDS: Final = "15s"
CONNECT_SECONDS: Final = "5s"


class S3Blobs:
    """The objects whose keys start with the key of the state."""

    def __init__(self, url: str, environ: Mapping[str, str], *, named: str = "state") -> None:
        """Raises ConfigError for a wrong URL or endpoint."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        if not bucket or not key or key.endswith("/"):
            raise ConfigError(
                f"{named}: {url!r} does not name an object in a bucket",
                hint="give s3://BUCKET/KEY, for example s3://deploys/shop/state.yaml",
            )
        self.shown = f"s3://{bucket}/{key}"
        self._bucket = bucket
        self._key = key
        self._store = _open(bucket, environ, named)

    async def read(self, name: str) -> Found | None:
        def get() -> Found | None:
            try:
                result = obstore.get(self._store, self._key + name)
                data = bytes(result.bytes())
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None
            etag = result.meta["e_tag"]
            if etag is None:
                raise StateError(f"{self.shown}: the store names no version (ETag) of its objects")
            return Found(data=data, etag=etag, at=result.meta["last_modified"].timestamp())

        return await self._call(get)

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str:
        result = await self._call(
            lambda: obstore.put(
                self._store,
                self._key + name,
                data,
                mode="create" if replaces is None else {"e_tag": replaces},
                use_multipart=False,
            )
        )
        return result["e_tag"] or ""

    async def delete(self, name: str, etag: str) -> None:
        # There is no conditional deletion in S3's own form; this look makes a mistake improbable.
        there = await self.read(name)
        if there is None:
            return
        if there.etag != etag:
            raise Refused(f"{self.shown}{name}: someone else changed it")
        await self._call(lambda: obstore.delete(self._store, self._key + name))

    async def listed(self, prefix: str) -> Sequence[Listed]:
        start = self._key + prefix

        def all_pages() -> list[Listed]:
            pages = obstore.list(self._store, start.rpartition("/")[0])
            found = [(item["path"], item["size"]) for page in pages for item in page]
            return [
                Listed(name=path.removeprefix(self._key), size=size)
                for path, size in found
                if path.startswith(start)
            ]

        return await self._call(all_pages)

    async def _call(self, function: Callable[[], T]) -> T:
        """Carry out a call of obstore in a thread, with its errors as ours."""
        try:
            # What goes on alone in a thread is bounded by the time limit of a call.
            with in_flight(self.shown):
                return await to_thread.run_sync(function, abandon_on_cancel=True)
        except (wrong.AlreadyExistsError, wrong.PreconditionError, FileExistsError) as error:
            raise Refused(f"{self.shown}: someone else changed it") from error
        except FileNotFoundError as error:
            raise StateError(
                f"{self.shown}: there is no bucket {self._bucket!r}",
                hint="make it, or check AWS_REGION and AWS_ENDPOINT_URL_S3",
            ) from error
        except (wrong.PermissionDeniedError, wrong.UnauthenticatedError, PermissionError) as error:
            raise StateError(
                f"{self.shown}: access is refused: {_first_line(error)}",
                hint="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; they must be allowed to "
                "read, write, delete and list",
            ) from error
        except wrong.BaseError as error:
            if INSTANCE_METADATA in str(error):
                raise StateError(
                    f"{self.shown}: there are no credentials: AWS_ACCESS_KEY_ID is not set, and "
                    "this machine has no role",
                    hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; profiles are not read",
                ) from error
            if NOT_IMPLEMENTED in str(error):
                raise StateError(
                    f"{self.shown}: the store does not know conditional writes (If-Match, "
                    "If-None-Match), so two runs could change the state at once",
                    hint="keep the state where they work",
                    code="state_unconditional",
                ) from error
            raise Unavailable(
                f"{self.shown}: {_first_line(error)}",
                hint="check the network, AWS_ENDPOINT_URL_S3 and the credentials",
            ) from error


def _open(bucket: str, environ: Mapping[str, str], named: str) -> S3Store:
    found = {name: credential(environ, name) for name in VARIABLES}
    config: dict[str, Any] = {n: secret.reveal() for n, secret in found.items() if secret}
    options: Any = {"timeout": CALL_SECONDS, "connect_timeout": CONNECT_SECONDS}
    if name := next((name for name in ENDPOINTS if environ.get(name)), None):
        endpoint = read_web_address(
            environ[name],
            name=name,
            example="https://s3.example.com",
            code="state_location_invalid",
            confidential=True,
        )
        config["endpoint"] = endpoint.shown
        options["allow_http"] = not endpoint.encrypted
    try:
        # Repeats are made by what calls this: it knows what a lost answer means.
        retry: Any = {"max_retries": 0}
        return S3Store(bucket, config=config, client_options=options, retry_config=retry)  # type: ignore[arg-type]
    except (wrong.BaseError, ValueError) as error:
        raise ConfigError(f"{named}: s3://{bucket}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """What obstore says, without the insides that follow."""
    return str(error).partition("\n")[0]
