"""From `--state` to a store.

Stores at other places come as entry points of the group `score_flyio.state_stores`: the name is the
URL's scheme, and it loads to a function from the URL to a `StateStore`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from score_flyio.base.own_folder import OWN_FOLDER
from score_flyio.errors import ConfigError
from score_flyio.state.file import FileStore
from score_flyio.state.store import StateStore, Warn

if TYPE_CHECKING:
    from score_flyio.state.encrypted import EncryptedForm, PlainForm

ENTRY_POINTS = "score_flyio.state_stores"


def open_store(
    url: str | None,
    directory: Path,
    environ: Mapping[str, str] | None = None,
    *,
    warn: Warn | None = None,
    named: str = "state",
) -> StateStore:
    """The store at `url`: a folder, or `SCHEME://…`; None: `.score-flyio` in `directory`.

    Credentials and the key of an encrypted state come from `environ`, os.environ if it is None.
    What goes wrong beside a save that is done is told to `warn`. `named` says where the URL was
    given, for messages.
    Raises ConfigError for a scheme that nothing serves, and for what its store cannot use.
    """
    if url is None:
        return FileStore(directory / OWN_FOLDER)
    scheme, separator, rest = url.partition("://")
    if not separator:
        return FileStore(directory / url)
    variables = os.environ if environ is None else environ
    match scheme:
        case "file":
            return FileStore(Path(rest))
        case "s3":
            from score_flyio.state.remote import RemoteStoreWithHistory

            try:
                from score_flyio.state.s3 import S3Blobs
            except ModuleNotFoundError as error:
                raise ConfigError(
                    f"{named}: s3:// needs a package that is not installed",
                    hint="pip install 'score-flyio[s3]'",
                ) from error
            return RemoteStoreWithHistory(
                S3Blobs(url, variables, named=named),
                form=_form(variables),
                folder=directory / OWN_FOLDER,
                warn=warn,
            )
        case "https" | "http":
            from score_flyio.state.https import HttpsBlobs
            from score_flyio.state.remote import RemoteStore

            blobs = HttpsBlobs(url, variables, named=named)
            return RemoteStore(blobs, form=_form(variables), folder=directory / OWN_FOLDER)
        case _:
            return _added(url, scheme, named)


def _form(environ: Mapping[str, str]) -> PlainForm | EncryptedForm:
    from score_flyio.base.secret import Secret
    from score_flyio.state.encrypted import VARIABLE, EncryptedForm, PlainForm

    key = environ.get(VARIABLE)
    return EncryptedForm(Secret(key)) if key else PlainForm()


def _added(url: str, scheme: str, given: str) -> StateStore:
    from importlib.metadata import entry_points

    from score_flyio.errors.packages import loading, named
    from score_flyio.state.added import added_store

    for point in entry_points(group=ENTRY_POINTS, name=scheme):
        with loading("state store", point):
            return added_store(point.load()(url), named("state store", point))
    raise ConfigError(
        f"{given}: nothing installed keeps state at {scheme}://",
        hint="give a folder, s3://BUCKET/KEY or https://…, or install what adds this scheme",
    )
