"""Local files that live in memory, and a release."""

from __future__ import annotations

import errno

import pytest
from attrs import field, frozen

from score_flyio.state.deployments import Release


@frozen
class MemoryFiles:
    """A `FileSource` of given files."""

    content: dict[str, bytes] = field(factory=dict)

    def read(self, path: str) -> bytes:
        if path not in self.content:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return self.content[path]


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles({})


@pytest.fixture
def release() -> Release:
    return Release(id="rel-1", version=3, tool_version="score-flyio/test")
