"""A PostgreSQL server of one's own: on loopback, in a temporary folder, with a password, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

PASSWORD = "s3cret-{Ünter}/@:?"
"""Whatever may go wrong with a password in an address."""


def binaries() -> Path | None:
    """Find the folder of PostgreSQL's programs: on the path, or where Debian puts them."""
    found = shutil.which("pg_ctl")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next(
        (place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None
    )


class Server:
    """Start and stop a server as often as needed; its data stay until the end of the block."""

    def __init__(self):
        place = binaries()
        assert place is not None, "PostgreSQL is not installed"
        self.programs = place
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        # PostgreSQL refuses to run as root.
        self.user = next((u for u in ("postgres", "nobody") if os.getuid() == 0 and _exists(u)), None)

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="meso-postgres-"))
        secret = self.folder / "password"
        secret.write_text(PASSWORD, "utf-8")
        if self.user:
            shutil.chown(self.folder, self.user)
            shutil.chown(secret, self.user)
        self._run(
            "initdb", "-D", self.data, "-U", "meso", "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8",
            "--locale=C", "--no-sync",
        )  # fmt: skip
        self.start()
        return self

    def __exit__(self, *error):
        self.stop("immediate")
        shutil.rmtree(self.folder)

    @property
    def data(self):
        return self.folder / "data"

    def address(self, password=PASSWORD):
        from sqlalchemy import URL

        url = URL.create("postgresql+psycopg", "meso", password, "127.0.0.1", self.port, "postgres")
        return url.render_as_string(hide_password=False)

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-o", options, "start")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop", check=False)

    def _run(self, program, *arguments, check=True):
        command = [str(self.programs / program), *map(str, arguments)]
        options = {"user": self.user} if self.user else {}
        with (self.folder / "output").open("ab") as output:
            subprocess.run(
                command,
                check=check,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                cwd="/",
                **options,
            )


def _exists(user):
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
