"""Every event as a line of JSON, for programs."""

import json
from typing import TextIO

from score_flyio.events import Event, to_json


class JsonLinesRenderer:
    """Writes `{"kind": …, "seq": …, …}` lines to a stream, each as soon as it happens."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def handle(self, event: Event) -> None:
        self._stream.write(json.dumps(to_json(event), ensure_ascii=False) + "\n")
        self._stream.flush()

    def close(self, outcome: str | None = None) -> None:
        """The run is over; `outcome` is in the events already."""
        del outcome
        self._stream.flush()
