"""Names of what Postgres is made of, and the SQL with them in it."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.base.secret import Secret
from score_flyio.errors import ResourceError
from score_flyio.resources.protocol import decode_request, encode_answer
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.resources.registry import Means
from score_flyio.resources.servers import names
from score_flyio.resources.servers.names import (
    quoted_identifier,
    quoted_literal,
    scram_verifier,
)
from score_flyio.resources.servers.native import ServerProvisioner, builtin_kind
from score_flyio.resources.servers.provisioner import SharedServer
from score_flyio.resources.template.files import built_in_server
from score_flyio.resources.template.surroundings import Surroundings
from score_flyio.score.resources import ResourceUid
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import (
    CommandSpec,
    HttpSpec,
    ProvisionerDefinition,
    ProvisionerSpec,
    StaticSpec,
)


@given(st.text(), st.integers(0, 9))
def test_app_names_have_the_recorded_form(guid: str, attempt: int) -> None:
    name = names.app_name("pfx-", guid, attempt)
    assert re.fullmatch(r"pfx-pg-\d{14}", name)
    assert datetime.strptime(name[-14:], "%Y%m%d%H%M%S").astimezone(UTC)
    assert name == names.app_name("pfx-", guid, attempt)


def test_app_names_differ_by_guid_and_attempt() -> None:
    made = {names.app_name("", f"guid-{n}", a) for n in range(100) for a in range(3)}
    assert len(made) == 300


@pytest.mark.parametrize("prefix", ["x" * 47, "Upper-", "-", "a_b"])
def test_a_prefix_that_gives_no_app_name_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a Fly app"):
        names.app_name(prefix, "guid")


@pytest.mark.parametrize(
    ("resource_id", "pattern"),
    [
        ("shop.db", r"shop-db[1-9]\d{3}"),
        ("a.b.c", r"a-b-c[1-9]\d{3}"),
        ('x";--', r"x----[1-9]\d{3}"),
        ("dbname=evil host=x", r"dbname-evil-host-x[1-9]\d{3}"),
        ("é" * 9, r"-{9}[1-9]\d{3}"),
    ],
)
def test_database_names_have_the_recorded_form(resource_id: str, pattern: str) -> None:
    assert re.fullmatch(pattern, names.database_name(resource_id, "guid", ()))


@given(st.text(max_size=200), st.text())
def test_names_fit_into_what_postgres_keeps(resource_id: str, guid: str) -> None:
    database = names.database_name(resource_id, guid, ())
    assert len(names.user_name(database).encode()) <= names.LONGEST_IDENTIFIER
    other = names.database_name(resource_id, guid, {database})
    assert other != database


def test_long_ids_stay_apart() -> None:
    first, second = (names.database_name("x" * 80 + end, "guid", ()) for end in "ab")
    assert first != second


def test_passwords_are_twenty_hexadecimal_digits_and_new_each_time() -> None:
    first, second = names.new_password(), names.new_password()
    assert re.fullmatch("[0-9a-f]{20}", first.reveal())
    assert first != second


@pytest.mark.parametrize(
    ("text", "identifier", "literal"),
    [
        ("plain", '"plain"', "'plain'"),
        ('a"b', '"a""b"', "'a\"b'"),
        ("a'b", '"a\'b"', "'a''b'"),
        ("a\\b", '"a\\b"', " E'a\\\\b'"),
        ("\\'; DROP", '"\\\'; DROP"', " E'\\\\''; DROP'"),
    ],
)
def test_quoting(text: str, identifier: str, literal: str) -> None:
    assert quoted_identifier(text) == identifier
    assert quoted_literal(text) == literal


@pytest.mark.parametrize("quote", [quoted_identifier, quoted_literal])
def test_sql_cannot_carry_a_nul(quote: type[str]) -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")


def test_the_verifier_is_that_of_the_published_example() -> None:
    """RFC 7677, section 3: user `user`, password `pencil`."""
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    known = scram_verifier(Secret("pencil"), base64.b64decode(salt))
    assert known == (
        f"SCRAM-SHA-256$4096:{salt}$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
        ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_no_password_is_in_the_sql(password: str) -> None:
    if len(password) > 5:
        assert password not in create_database("db", "user", Secret(password))


def create_database(database: str, user: str, password: Secret) -> str:
    surroundings = Surroundings(state=ProjectState.new(""), environ={})
    access: Any = None  # nothing is asked
    work = built_in_server("postgres", Means(lambda: surroundings, lambda: access))
    assert isinstance(work, ServerProvisioner)
    entry = work.entry
    assert entry.admin is not None
    request = ProvisionRequest(uid=ResourceUid("postgres", "default", "x"), guid="guid")
    rendering = SharedServer(entry, access, surroundings, {}).rendering(request, password)
    return rendering.text("create", entry.admin.create, Database=database, User=user)


# --- the protocol


@pytest.mark.parametrize(
    ("binary", "args", "kind"),
    [
        (
            "/usr/bin/score-flyio",
            "builtin-provisioners postgres $SCORE_PROVISIONER_MODE",
            "postgres",
        ),
        (
            "score-flyio.exe",
            "builtin-provisioners postgres-instance $SCORE_PROVISIONER_MODE",
            "postgres-instance",
        ),
        ("/usr/bin/score-flyio", "builtin-provisioners redis $SCORE_PROVISIONER_MODE", None),
        ("/usr/bin/score-flyio", "builtin-provisioners postgres provision", None),
        ("/usr/bin/score-flyio", "", None),
        ("/usr/bin/other", "builtin-provisioners postgres $SCORE_PROVISIONER_MODE", None),
    ],
)
def test_calls_of_our_own_program_are_recognised(binary: str, args: str, kind: str | None) -> None:
    spec = CommandSpec(binary=binary, args=tuple(args.split()))
    assert builtin_kind(ProvisionerDefinition(id="x", resource_type="y", spec=spec)) == kind


@pytest.mark.parametrize("spec", [StaticSpec(), HttpSpec(url="http://score-flyio")])
def test_other_kinds_are_not_our_program(spec: ProvisionerSpec) -> None:
    assert builtin_kind(ProvisionerDefinition(id="x", resource_type="y", spec=spec)) is None


GOOD = (
    '{"resource_uid":"u","resource_type":"postgres","resource_class":"default",'
    '"resource_id":"shop.db","state":{"a":1},"shared":null,"resource_params":null}'
)


def test_a_request_is_read() -> None:
    request = decode_request(GOOD.encode())
    assert str(request.uid) == "postgres.default#shop.db"
    assert (request.guid, request.state, request.shared) == ("u", {"a": 1}, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"uid":"u"}',
        GOOD.replace('"u"', "1"),
        GOOD.replace('{"a":1}', '"secret-text"'),
        GOOD.replace('"shared"', '"unknown"'),
        GOOD + "{}",
    ],
)
def test_a_wrong_request_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ResourceError) as caught:
        decode_request(text.encode())
    assert caught.value.code == "provisioner_input_invalid"
    assert "secret-text" not in str(caught.value)


def test_answers_have_what_was_said_and_nothing_else() -> None:
    assert encode_answer(ProvisionResult()) == ""
    assert encode_answer(ProvisionResult(state={}, shared={"k": None})) == (
        '{"state":{},"shared":{"k":null}}\n'
    )
