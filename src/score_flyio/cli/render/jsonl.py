"""Every event as a line of JSON, for programs."""

import json

from score_flyio.base.printable import printable_json
from score_flyio.cli.sink import Sink
from score_flyio.events import Event, to_json


class JsonLinesRenderer:
    """Writes `{"kind": …, "seq": …, …}` lines to a stream, each as soon as it happens."""

    def __init__(self, stream: Sink) -> None:
        self._stream = stream

    def handle(self, event: Event) -> None:
        line = json.dumps(to_json(event), ensure_ascii=False)
        self._stream.write_raw(f"{printable_json(line)}\n")
