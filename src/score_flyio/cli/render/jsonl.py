"""Every event as a line of JSON, for programs."""

import json

from score_flyio.base.printable import printable_json
from score_flyio.cli.sink import Sink
from score_flyio.events import Event, to_json


def write_event(stream: Sink, event: Event) -> None:
    """Write a line `{"kind": …, "seq": …, …}` as soon as something happens."""
    line = json.dumps(to_json(event), ensure_ascii=False)
    stream.write_raw(f"{printable_json(line)}\n")
