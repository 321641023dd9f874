"""A PostgreSQL server for the tests, from what is installed: of its own, in a folder of its own, reached by a socket."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from missing import missing

# Where Debian keeps what is not on the path.
_VERSIONS = Path("/usr/lib/postgresql")
_SETTINGS = {
    "listen_addresses": "",
    "autovacuum": "off",
    "fsync": "off",
    "shared_buffers": "16MB",
    "log_statement": "all",
    "log_parameter_max_length": "-1",
    "logging_collector": "off",
}


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    data: Path

    def url(self, driver: str) -> str:
        """The address of its only database, for SQLAlchemy."""
        return f"postgresql+{driver}://{_owner()}@/postgres?host={self.data}"

    def files(self) -> Iterator[Path]:
        """What it has on the disk: tables, its write-ahead log, and its log of statements with their parameters."""
        return (path for path in self.data.rglob("*") if path.is_file())


@contextmanager
def running() -> Iterator[Server]:
    """Starts a server, and takes it away with all that it has."""
    programs = _programs()
    # The server's own user must reach it, and the name of a socket is short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        shutil.chown(folder, _owner())
        data = folder / "data"
        _run(programs / "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", f"--pgdata={data}")
        settings = {**_SETTINGS, "unix_socket_directories": str(data)}
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        control = programs / "pg_ctl"
        _run(control, "start", "-w", "-t", "120", f"--pgdata={data}", f"--log={data / 'server.log'}")
        try:
            yield Server(data)
        finally:
            _run(control, "stop", "-w", "-m", "immediate", f"--pgdata={data}")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(_VERSIONS.glob("*/bin/initdb"))
    if versions:
        return versions[-1].parent
    missing("PostgreSQL is not installed: no initdb, neither on the path nor where Debian keeps it")


def _owner() -> str:
    """Who runs the server: it refuses root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def _run(*command: str | Path) -> None:
    owner = pwd.getpwnam(_owner())
    other = {} if os.geteuid() != 0 else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    # Not a pipe: the server keeps it open.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [*map(str, command)], cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=300, **other
        )  # type: ignore[call-overload]
        output.seek(0)
        assert done.returncode == 0, output.read()
