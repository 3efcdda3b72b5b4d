from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fly_machines.models import FlyFile
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.files import merged_files
from score_flyio.flytoml.spec import FileSpec
from tests.unit.deploy.desired.conftest import MemoryFiles


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_the_first_source_wins() -> None:
    entries = [
        FileSpec(guest_path="/a", local_path="a", secret_name="S", raw_value="r"),
        FileSpec(guest_path="/b", secret_name="S", raw_value="r"),
        FileSpec(guest_path="/c", raw_value="grün"),
        FileSpec(guest_path="/d"),
    ]
    assert merged_files(entries, MemoryFiles({"a": b"\x00\xff"})) == [
        FlyFile(guest_path="/a", raw_value=encoded(b"\x00\xff")),
        FlyFile(guest_path="/b", secret_name="S"),
        FlyFile(guest_path="/c", raw_value=encoded("grün".encode())),
        FlyFile(guest_path="/d"),
    ]


def test_an_empty_local_file_is_content() -> None:
    entries = [
        FileSpec(guest_path="/a", raw_value="x"),
        FileSpec(guest_path="/a", local_path="empty"),
    ]
    assert merged_files(entries, MemoryFiles({"empty": b""})) == [
        FlyFile(guest_path="/a", raw_value="")
    ]


def test_an_empty_text_is_content() -> None:
    entries = [FileSpec(guest_path="/a", raw_value="x"), FileSpec(guest_path="/a", raw_value="")]
    assert merged_files(entries, MemoryFiles()) == [FlyFile(guest_path="/a", raw_value="")]


def test_later_entries_take_the_place_of_earlier_ones_or_delete_them() -> None:
    entries = [
        FileSpec(guest_path="/a", raw_value="1"),
        FileSpec(guest_path="/b", raw_value="2"),
        FileSpec(guest_path="/a", secret_name="S"),
        FileSpec(guest_path="/b"),
    ]
    assert merged_files(entries, MemoryFiles()) == [FlyFile(guest_path="/a", secret_name="S")]


def test_no_files() -> None:
    assert merged_files([], MemoryFiles()) is None


def test_a_missing_local_file() -> None:
    with pytest.raises(ConversionError, match=r"cannot read 'gone\.conf'") as raised:
        merged_files([FileSpec(guest_path="/a", local_path="gone.conf")], MemoryFiles())
    assert (raised.value.field, raised.value.code) == ("files.local_path", "file_not_found")
    assert raised.value.hint


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x", "y"])), max_size=8))
def test_merging_keeps_one_entry_a_path(entries: list[tuple[str, str]]) -> None:
    files = merged_files(
        [FileSpec(guest_path=path, raw_value=text) for path, text in entries], MemoryFiles()
    )
    paths = [file.guest_path for file in files or []]
    assert len(paths) == len(set(paths))
    assert set(paths) <= {path for path, _ in entries}
