"""The private names of machines, such as `shop.internal`, for processes of one computer.

A computer's resolver knows nothing of them. So processes get them by a proxy: clients of HTTP heed
the variable `http_proxy`, and `CONNECT` through it reaches any port.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

import anyio
import h11
from anyio.abc import SocketStream
from attrs import define, field

from fly_emulator.http import LOOPBACK, Side, serve_http
from fly_emulator.records import MachineRecord
from fly_emulator.runtime.app_proxy import Door
from fly_emulator.runtime.relay import Relay, forwarded, respond, splice

if TYPE_CHECKING:
    from fly_emulator.runtime.runtime import Runtime

_NEAREST: Final = re.compile(r"^top\d+\.nearest\.of\.")


def names_of(machine: MachineRecord) -> set[str]:
    """The private names that mean a machine, without `.internal`."""
    app, metadata = machine.app, machine.config.get("metadata") or {}
    group = metadata.get("fly_process_group") or "app"
    return {
        app,
        f"global.{app}",
        f"{machine.region}.{app}",
        f"{group}.process.{app}",
        f"{machine.id}.vm.{app}",
    }


@define(eq=False)
class NamesProxy:
    """Takes the requests of processes to each other, and to anybody else."""

    runtime: Runtime
    _turns: Counter[int] = field(factory=Counter)

    async def serve(self, stream: SocketStream) -> None:
        async with stream:
            await serve_http(Side(stream, h11.SERVER), self._answer, respond)

    async def _answer(self, client: Side, head: h11.Request) -> None:
        target = head.target.decode("ascii", "replace")
        url = urlsplit(f"//{target}" if head.method == b"CONNECT" else target)
        try:
            host, port = url.hostname, url.port or 80
        except ValueError:
            host, port = None, 0
        if host is None:
            await respond(client, 400, "this proxy takes whole addresses", method=head.method)
            return
        process = await self._connect(host, port)
        if process is None:
            await respond(client, 502, f"nobody answers at {host}:{port}", method=head.method)
            return
        async with process:
            if head.method == b"CONNECT":
                await client.send(h11.Response(status_code=200, headers=[]))
                await splice(client.stream, process, begun=(client.left, b""))
                return
            path = urlunsplit(("", "", url.path or "/", url.query, ""))
            relay = Relay(client, head, Side(process, h11.CLIENT))
            if not await relay.run(forwarded(head, host), target=path.encode()):
                await respond(client, 502, f"{host} gave no answer", method=head.method)

    async def _connect(self, host: str, port: int) -> SocketStream | None:
        for address, own in self._places(host.lower().rstrip("."), port):
            self._turns[own] += 1
            try:
                return await anyio.connect_tcp(address, own)
            except OSError:
                continue
        return None

    def _places(self, host: str, port: int) -> Iterator[tuple[str, int]]:
        """Where a name may lead, the place that had the fewest turns first."""
        name, _, ending = host.rpartition(".")
        if ending == "internal":
            wanted = _NEAREST.sub("", name)
            ports = [
                self.runtime.ports(machine).get(port)
                for machine in self.runtime.machines()
                if wanted in names_of(machine)
            ]
        elif ending == "flycast":
            doors = (Door(port=443 if port == 80 else port, http=http) for http in (True, False))
            ports = [self.runtime.port_of(name, door) for door in doors]
        else:
            yield host, port
            return
        for own in sorted((one for one in ports if one), key=self._turns.__getitem__):
            yield LOOPBACK, own
