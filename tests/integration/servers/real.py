"""Real servers for emulated machines, and real clients for what provisioners answer.

A server listens on a port of this computer. Which one a machine stands for does not depend on its
id, so that a platform that begins anew has the same server, without accounts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import obstore
import pika  # type: ignore[import-untyped]
import psycopg
import pytest
from attrs import define, field
from obstore.store import S3Store
from psycopg import sql

from fly_emulator import Emulator
from fly_emulator.exec_local import LocalExecRunner
from fly_emulator.records import Json, MachineRecord
from fly_emulator.wire import Execution
from score_flyio.resources.provisioner import ProvisionResult
from tests.integration.conftest import new_postgres

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "score-flyio-tests"
"""Where `tests/setup.sh` puts the programs that it builds; there are others called `mc`."""
PATH = os.pathsep.join(
    (str(CACHE / "bin"), os.environ["PATH"], "/usr/sbin", "/usr/lib/rabbitmq/bin")
)
LONGEST_START = 60.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until something listens; servers have no other sign that all of them give."""
    end = time.monotonic() + LONGEST_START
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


class Refused(Exception):
    """The server lets the user not in."""


def client(command: list[str], environ: Mapping[str, str], stdin: str = "") -> str:
    """What a client says. Raises Refused when it fails."""
    done = subprocess.run(
        command, input=stdin, env={"PATH": PATH, **environ}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


def program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"there is no {name}; `tests/setup.sh servers` installs it")
    return found


@define
class Real(ABC):
    """A type of server, with a process of it where it needs one for all machines."""

    type: str
    folder: Path = field(factory=lambda: Path(tempfile.mkdtemp(prefix="srv")))
    port: int = field(factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(factory=list)

    @abstractmethod
    def start(self) -> None:
        """Start what all machines share."""

    def spawn(
        self, command: list[str], environ: Mapping[str, str], port: int
    ) -> subprocess.Popen[bytes]:
        with (self.folder / "output").open("wb") as log:
            process = subprocess.Popen(
                command, env={"PATH": PATH, **environ}, stdout=log, stderr=log, cwd=self.folder,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        wait_for(port, process)
        return process

    def stop(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes:
                # The server may be a child of what was started, and outlive it.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            for process in self.processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def environ(self) -> dict[str, str]:
        """Of commands in machines, beside the machine's own."""
        return {}

    def of(self, machine: MachineRecord) -> dict[str, str]:
        """Of commands in this machine, beside those."""
        del machine
        return {}

    def boot(self, machines: LocalExecRunner, machine: MachineRecord) -> None:
        """A machine runs for the first time: it takes the operator's password."""
        del machines, machine

    @abstractmethod
    def use(self, result: ProvisionResult) -> None:
        """Write and read with what a provisioner answered. Raises Refused."""

    def enter(self, result: ProvisionResult, other: ProvisionResult) -> None:
        """Try to get at what another resource has. Raises Refused."""
        values, secrets = other.values or {}, result.secrets or {}
        self.use(ProvisionResult(values=values, secrets=secrets))

    def accounts(self) -> set[str]:
        """The users on it, beside its operator."""
        return set()

    def clear(self) -> None:
        """Take all accounts away."""
        assert not self.accounts()


@define
class Meeting:
    """Commands after the first that wait until so many of them have begun."""

    of: int = 0
    begun: int = 0
    all_there: anyio.Event = field(factory=anyio.Event)

    async def come(self) -> None:
        self.begun += 1
        if self.begun > self.of:
            self.all_there.set()
        if self.begun > 1:
            with anyio.fail_after(LONGEST_START):
                await self.all_there.wait()


@define
class Machines(LocalExecRunner):
    """Commands run on this computer, with the real server in place of that of the machine."""

    real: Real = field(kw_only=True)
    booted: set[str] = field(kw_only=True, factory=set)
    meeting: Meeting = field(kw_only=True, factory=Meeting)

    async def run(self, execution: Execution) -> Json:
        self.boot(execution.machine)
        await self.meeting.come()
        return await super().run(execution)

    def environment(self, machine: MachineRecord) -> dict[str, str]:
        return super().environment(machine) | self.real.of(machine)

    def boot(self, machine: MachineRecord) -> None:
        if machine.id not in self.booted:
            self.booted.add(machine.id)
            self.real.boot(self, machine)

    @classmethod
    def of(cls, emulator: Emulator, real: Real) -> Machines:
        return cls(emulator.world, {"PATH": PATH, **real.environ()}, real=real)


@define
class Redis(Real):
    """One process for each machine, started by the machine's own command."""

    type: str = "redis"
    ports: dict[str, int] = field(factory=dict)
    """By host."""

    def start(self) -> None:
        entrypoint = self.folder / "docker-entrypoint.sh"
        entrypoint.write_text('#!/bin/sh\nexec "$@" --port "$TEST_PORT" --bind 127.0.0.1\n')
        entrypoint.chmod(entrypoint.stat().st_mode | stat.S_IXUSR)

    def boot(self, machines: LocalExecRunner, machine: MachineRecord) -> None:
        port, folder = free_port(), tempfile.mkdtemp(dir=self.folder)
        environ = {
            **machines.environment(machine),
            "PATH": f"{self.folder}{os.pathsep}{PATH}",
            "TEST_PORT": str(port),
            "REDIS_FOLDER": folder,
        }
        command = [program(machine.config["init"]["cmd"][0]), *machine.config["init"]["cmd"][1:]]
        self.spawn(command, environ, port)
        self.ports[f"{machine.app}.flycast"] = port

    def use(self, result: ProvisionResult) -> None:
        values, secrets = result.values or {}, result.secrets or {}
        command = ["redis-cli", "-e", "-p", str(self.ports[values["host"]])]
        environ = {"REDISCLI_AUTH": secrets["password"]}
        user = ["--user", values["username"]]
        assert client([*command, *user, "SET", "k", "v"], environ) == "OK\n"
        assert client([*command, *user, "GET", "k"], environ) == "v\n"


@define
class PostgresInstance(Real):
    """A server for each machine, with the password that the image would give its superuser."""

    type: str = "postgres-instance"
    sockets: dict[str, str] = field(factory=dict)
    """By host."""
    servers: list[Any] = field(factory=list)

    def start(self) -> None:
        """There is nothing that machines share."""

    def boot(self, machines: LocalExecRunner, machine: MachineRecord) -> None:
        # A short path: the name of a Unix socket has at most 107 characters.
        server, admin = new_postgres(Path(tempfile.mkdtemp(prefix="pg")) / "data")
        self.servers.append(server)
        password = machines.environment(machine)["POSTGRES_PASSWORD"]
        with admin:
            admin.execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(password))
        self.sockets[f"{machine.app}.flycast"] = str(server.get_postmaster_info().socket_dir)

    def clear(self) -> None:
        """They are of a platform that is gone."""
        for server in self.servers:
            # What it has is thrown away, so that it need not end well.
            os.kill(server.get_pid(), signal.SIGQUIT)
            # While it ends, it would be asked to stop, which fails once it has ended.
            server.get_postmaster_info().process.wait(timeout=60)
            server.cleanup()
            shutil.rmtree(server.pgdata.parent, ignore_errors=True)
        self.servers.clear()

    def stop(self) -> None:
        super().stop()
        self.clear()

    def use(self, result: ProvisionResult) -> None:
        values, secrets = result.values or {}, result.secrets or {}
        try:
            connection = psycopg.connect(
                host=self.sockets[values["host"]],
                user=values["username"],
                password=secrets["password"],
                dbname=values["name"],
            )
        except psycopg.OperationalError as error:
            raise Refused from error
        with connection:
            connection.execute("CREATE TEMPORARY TABLE t AS SELECT 7 AS n")
            assert connection.execute("TABLE t").fetchall() == [(7,)]

    def enter(self, result: ProvisionResult, other: ProvisionResult) -> None:
        self.use(ProvisionResult(values=other.values, secrets=result.secrets))


@define
class MariaDb(Real):
    type: str = "mysql"

    @property
    def _socket(self) -> str:
        return str(self.folder / "s")

    def environ(self) -> dict[str, str]:
        return {"MYSQL_UNIX_PORT": self._socket}

    def start(self) -> None:
        data = self.folder / "data"
        client(
            [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--user=root", f"--tmpdir={self.folder}",
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            {},
        )  # fmt: skip
        command = [program("mariadbd"), "--no-defaults", f"--datadir={data}", "--user=root", f"--tmpdir={self.folder}",
                   f"--socket={self._socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
                   f"--pid-file={self.folder / 'pid'}", "--innodb-buffer-pool-size=8M"]  # fmt: skip
        self.spawn(command, {}, self.port)
        self._admin("CREATE USER watcher@localhost; GRANT ALL ON *.* TO watcher@localhost "
                    "WITH GRANT OPTION", "root")  # fmt: skip

    def _admin(self, sql: str, user: str = "watcher") -> str:
        command = ["mariadb", "--no-defaults", f"--user={user}", "--batch", "-N", "-e", sql]
        return client(command, self.environ())

    def boot(self, machines: LocalExecRunner, machine: MachineRecord) -> None:
        password = machines.environment(machine)["MARIADB_ROOT_PASSWORD"]
        self._admin(f"ALTER USER root@localhost IDENTIFIED BY '{password}'")

    def use(self, result: ProvisionResult) -> None:
        values, secrets = result.values or {}, result.secrets or {}
        sql = "CREATE TABLE t (n INT); INSERT INTO t VALUES (7); SELECT n FROM t; DROP TABLE t;"
        command = ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={self.port}",
                   f"--user={values['username']}", "--batch", "-N", values["name"]]  # fmt: skip
        assert client(command, {"MYSQL_PWD": secrets["password"]}, sql) == "7\n"

    def enter(self, result: ProvisionResult, other: ProvisionResult) -> None:
        values = {**(result.values or {}), "name": (other.values or {})["name"]}
        self.use(ProvisionResult(values=values, secrets=result.secrets))

    def accounts(self) -> set[str]:
        return set(self._admin("SELECT user FROM mysql.user WHERE host = '%'").split())

    def clear(self) -> None:
        for user in self.accounts():
            self._admin(f"DROP USER '{user}'@'%'")
        for name in self._admin("SHOW DATABASES").split():
            if name not in {"mysql", "information_schema", "performance_schema", "sys"}:
                self._admin(f"DROP DATABASE `{name}`")


@define
class RabbitMq(Real):
    type: str = "amqp"
    dist: int = field(factory=free_port)
    epmd: int = field(factory=free_port)

    def environ(self) -> dict[str, str]:
        home = str(self.folder)
        return {
            "HOME": home,
            "RABBITMQ_HOME_DIR": home,
            "RABBITMQ_NODENAME": f"rabbit{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self.dist),
            "ERL_EPMD_PORT": str(self.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": f"{home}/db",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{home}/none",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            "PATH": f"/usr/lib/rabbitmq/bin{os.pathsep}{PATH}",
        }

    def start(self) -> None:
        program("rabbitmq-server")
        self.spawn(["/usr/lib/rabbitmq/bin/rabbitmq-server"], self.environ(), self.port)
        self._control("await_startup", "--timeout", "30")

    def stop(self) -> None:
        super().stop()
        if self.processes:
            # It goes by itself, too, once it knows of no node any more.
            with contextlib.suppress(Refused):
                client(["epmd", "-kill"], self.environ())

    def _control(self, *words: str) -> str:
        return client(["/usr/lib/rabbitmq/bin/rabbitmqctl", "--silent", *words], self.environ())

    def use(self, result: ProvisionResult) -> None:
        values, secrets = result.values or {}, result.secrets or {}
        login = pika.PlainCredentials(values["username"], secrets["password"])
        try:
            connection = pika.BlockingConnection(
                pika.ConnectionParameters("127.0.0.1", self.port, values["vhost"], login)
            )
        except pika.exceptions.AMQPError as error:
            raise Refused from error
        with connection:
            channel = connection.channel()
            channel.queue_declare("q")
            channel.basic_publish("", "q", b"seven")
            assert channel.basic_get("q", auto_ack=True)[2] == b"seven"

    def enter(self, result: ProvisionResult, other: ProvisionResult) -> None:
        values = {**(result.values or {}), "vhost": (other.values or {})["vhost"]}
        self.use(ProvisionResult(values=values, secrets=result.secrets))

    def accounts(self) -> set[str]:
        lines = self._control("list_users").splitlines()
        return {line.split()[0] for line in lines} - {"guest"}

    def clear(self) -> None:
        for user in self.accounts():
            self._control("delete_user", user)
        for vhost in self._control("list_vhosts", "name").split():
            if vhost != "/":
                self._control("delete_vhost", vhost)


@define
class S3(Real):
    """A process of MinIO for each machine, started by the machine's own arguments."""

    type: str = "s3"
    ports: dict[str, int] = field(factory=dict)
    """By host."""

    def start(self) -> None:
        program("mc")

    def of(self, machine: MachineRecord) -> dict[str, str]:
        port = self.ports.get(f"{machine.app}.flycast")
        return {"S3_ADDRESS": f"127.0.0.1:{port}"} if port else {}

    def boot(self, machines: LocalExecRunner, machine: MachineRecord) -> None:
        port, folder = free_port(), tempfile.mkdtemp(dir=self.folder)
        places = {"/data/minio": folder, ":9000": f"127.0.0.1:{port}"}
        words = [places.get(word, word) for word in machine.config["init"]["cmd"]]
        environ = {**machines.environment(machine), "HOME": folder, "MINIO_UPDATE": "off"}
        self.spawn([program("minio"), *words], environ, port)
        self.ports[f"{machine.app}.flycast"] = port

    def use(self, result: ProvisionResult) -> None:
        values, secrets = result.values or {}, result.secrets or {}
        store = S3Store(
            values["bucket"],
            endpoint=f"http://127.0.0.1:{self.ports[str(urlsplit(values['endpoint']).hostname)]}",
            region=values["region"],
            access_key_id=values["aws_access_key_id"],
            secret_access_key=secrets["aws_secret_key"],
            client_options={"allow_http": True},
        )
        try:
            obstore.put(store, "k", b"v")
        except obstore.exceptions.PermissionDeniedError as error:
            raise Refused from error
        assert bytes(obstore.get(store, "k").bytes()) == b"v"

    def enter(self, result: ProvisionResult, other: ProvisionResult) -> None:
        self.use(ProvisionResult(values=other.values, secrets=result.secrets))


@define
class Mongo(Real):
    """No server of it is to be had: everything up to the requests is tried."""

    type: str = "mongodb"
    hosts: dict[str, str] = field(factory=dict)
    """By host, the password that its machine has."""

    def start(self) -> None:
        """There is nothing to start."""

    def boot(self, machines: LocalExecRunner, machine: MachineRecord) -> None:
        environ = machines.environment(machine)
        assert environ["MONGO_INITDB_ROOT_USERNAME"] == "root"
        self.hosts[f"{machine.app}.flycast"] = environ["MONGO_INITDB_ROOT_PASSWORD"]

    def use(self, result: ProvisionResult) -> None:
        values, secrets = result.values or {}, result.secrets or {}
        if self.hosts.get(values["host"]) != secrets["password"]:
            raise Refused
        url = urlsplit(secrets["url"])
        assert (url.scheme, url.hostname, url.port) == ("mongodb", values["host"], 27017)
        assert (url.username, url.password) == (values["username"], secrets["password"])

    def enter(self, result: ProvisionResult, other: ProvisionResult) -> None:
        self.use(ProvisionResult(values=other.values, secrets=result.secrets))


REAL = {
    "postgres-instance": PostgresInstance,
    "redis": Redis,
    "mysql": MariaDb,
    "amqp": RabbitMq,
    "s3": S3,
    "mongodb": Mongo,
}
