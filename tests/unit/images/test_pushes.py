"""Which pushes are repeated, and when."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from score_flyio.base.secret import Secret
from score_flyio.errors import ImageError
from score_flyio.images.build import BuildSettings, Progress, prepare
from score_flyio.images.builders.pushes import pushed
from score_flyio.images.logins import Login, Logins
from score_flyio.images.reference import ImageReference
from tests.passwords import lasting

RESET = "writing blob: read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer"
SERVER_ERROR = "received unexpected HTTP status: 500 Internal Server Error"
UNAUTHORIZED = "unexpected status: 401 Unauthorized"


@define
class Pushes:
    """Fails for each of the reasons, then does it."""

    reasons: list[str]
    logins: Logins = field(factory=lambda: Logins({}))
    told: list[str] = field(factory=list)
    passwords: list[str] = field(factory=list)
    seconds: float = 0.0
    takes: float = 0.0
    """Seconds of each push."""

    def run(self, folder: Path) -> str:
        (folder / "Dockerfile").write_text("FROM scratch\n")

        async def main() -> str:
            image = ImageReference.parse("registry.fly.io/app:1")
            build = await prepare(BuildSettings(name="web", folder=folder), image)

            async def push(login: Login | None) -> str:
                self.passwords.append(login.password.reveal() if login else "")
                await anyio.sleep(self.takes)
                if self.reasons:
                    message = f"cannot be pushed: exit code 1\n  {self.reasons.pop(0)}"
                    raise build.failed(message, code="push_failed")
                return "sha256:abc"

            try:
                return await pushed(build, self.logins, self._listen, push, repeats_itself=20)
            finally:
                self.seconds = trio.current_time() - start

        clock = MockClock(autojump_threshold=0)
        start = clock.current_time()
        return trio.run(main, clock=clock)

    def _listen(self, progress: Progress) -> None:
        self.told.append(progress.text)


@pytest.mark.parametrize(
    "reason",
    [
        RESET,
        SERVER_ERROR,
        "writing manifest: StatusCode: 429,",
        "error parsing HTTP 429 response body: unexpected end of JSON input",
        "toomanyrequests: slow down",
        "write tcp 127.0.0.1:1->127.0.0.1:2: use of closed network connection",
        "Patch http://127.0.0.1/: EOF",
        "net/http: TLS handshake timeout",
    ],
)
def test_what_may_pass_is_tried_again(tmp_path: Path, reason: str) -> None:
    pushes = Pushes([reason, reason])
    assert pushes.run(tmp_path) == "sha256:abc"
    assert pushes.told == [f"{reason}: the push is repeated in {pause} s" for pause in (1, 5)]
    assert pushes.seconds == pytest.approx(6)


def test_what_the_builder_has_tried_again_itself_is_told_at_once(tmp_path: Path) -> None:
    pushes = Pushes([RESET], takes=20)
    with pytest.raises(ImageError, match=RESET):
        pushes.run(tmp_path)
    assert pushes.told == []
    assert pushes.seconds == pytest.approx(20)


def test_what_does_not_pass_is_told_in_the_end(tmp_path: Path) -> None:
    pushes = Pushes([RESET, SERVER_ERROR, RESET, SERVER_ERROR, RESET])
    with pytest.raises(ImageError, match=SERVER_ERROR):
        pushes.run(tmp_path)
    assert len(pushes.passwords) == 4


@pytest.mark.parametrize(
    "reason",
    [UNAUTHORIZED, "denied: no room", "dial tcp 127.0.0.1:1: connect: connection refused"],
)
def test_what_is_certain_is_told_at_once(tmp_path: Path, reason: str) -> None:
    pushes = Pushes([reason], logins=Logins({}, fly=lasting(Secret("one"))))
    with pytest.raises(ImageError, match=reason):
        pushes.run(tmp_path)
    assert pushes.told == []


def test_a_token_that_ended_meanwhile_is_renewed(tmp_path: Path) -> None:
    """While the push was under way, as that of a large image may be for long."""
    pushes = Pushes([UNAUTHORIZED])

    async def password() -> Secret:
        return Secret("new" if pushes.passwords else "old")

    pushes.logins = Logins({}, fly=password)
    assert pushes.run(tmp_path) == "sha256:abc"
    assert pushes.passwords == ["old", "new"]
