"""Messages of protobuf, as far as those of BuildKit need it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field. Raises ValueError or IndexError for what is no message."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(message, at)
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(message):
            raise ValueError("it is cut")
        yield key >> 3, message[at : at + size]
        at += size


def text_of(value: int | bytes | None) -> str:
    """The text of a field; empty for one that is not there, or is none."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def encoded(values: Mapping[int, str | bytes | int]) -> bytes:
    """A message of texts, bytes and numbers from 0 on, by the numbers of their fields."""
    found = b""
    for number, value in values.items():
        if isinstance(value, int):
            found += _from_int(number << 3) + _from_int(value)
        else:
            content = value if isinstance(value, bytes) else value.encode()
            found += _from_int(number << 3 | 2) + _from_int(len(content)) + content
    return found


def _from_int(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
