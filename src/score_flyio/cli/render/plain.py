"""One line an event: the log of a CI job, and what a pipe or a file gets."""

from datetime import datetime, tzinfo

from score_flyio.cli.render.wording import detail, is_alarm, sentence, subject
from score_flyio.cli.sink import Sink
from score_flyio.events import Event


class PlainRenderer:
    """Writes `TIME SUBJECT: WORDS` lines.

    Args:
        stream: where the lines go.
        debug: write what interests only who looks for a fault, too.
        zone: of the times; None for the local one.
    """

    def __init__(self, stream: Sink, *, debug: bool = False, zone: tzinfo | None = None) -> None:
        self._stream = stream
        self._debug = debug
        self._zone = zone

    def handle(self, event: Event) -> None:
        words = sentence(event) or (detail(event) if self._debug else None)
        if words is not None:
            self._stream.write(f"{self.line(event, words)}\n")

    def line(self, event: Event, words: str) -> str:
        """One event as one line, whatever line breaks its words have."""
        time = datetime.fromtimestamp(event.at, tz=self._zone).strftime("%H:%M:%S")
        level = "WARN " if is_alarm(event) else ""
        about = subject(event.scope)
        return " ".join(f"{time} {level}{f'{about}: ' if about else ''}{words}".split())

    def close(self, outcome: str | None = None) -> None:
        """The run is over; `outcome` is a last line, if there is something to say."""
        if outcome:
            self._stream.write(f"{outcome}\n")
