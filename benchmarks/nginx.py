"""nginx as the server that is measured against: a process of the system's own package, for as long as it is needed.

It reads a request, answers 200 and does nothing else, so that what is measured is who sends. It has a folder, a
configuration and a free port of this machine of its own, runs as whoever runs the benchmark, and leaves nothing behind.
"""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

URL = "url"
"""The file of a benchmark's folder that holds the address of its server."""
LACKS = "nginx is not here: on Debian and Ubuntu, apt-get install nginx-light"
_BEGINS, _STEP = 10.0, 0.02
_CONFIGURATION = """\
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  client_body_temp_path {folder}/client;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location / {{ return 200 '{{"success":true}}'; }}
  }}
}}
"""


def program() -> str | None:
    """Where nginx is; Debian's package puts it where the path of people does not lead."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


def lacks() -> str:
    """What to install; empty if nginx is here."""
    return "" if program() else LACKS


@contextlib.contextmanager
def nginx() -> Iterator[str]:
    """The address of a server that takes whatever is posted to it.

    Raises:
        RuntimeError: it is not installed, or did not begin; with what it says.
    """
    found = program()
    if found is None:
        raise RuntimeError(LACKS)
    with tempfile.TemporaryDirectory(prefix="personas-nginx-") as name, _started(found, Path(name)) as address:
        yield address


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[None]:
    """As the service of a benchmark: its address is in the folder."""
    with nginx() as address:
        (folder / URL).write_text(address, encoding="utf-8")
        yield


def address_in(folder: Path) -> str:
    """The address of the server of a benchmark."""
    return (folder / URL).read_text(encoding="utf-8")


@contextlib.contextmanager
def _started(found: str, folder: Path) -> Iterator[str]:
    folder.chmod(0o755)  # as root its worker is another user, who writes bodies that are larger than a buffer
    port = _free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port), encoding="utf-8")
    command = [found, "-p", str(folder), "-e", str(folder / "errors"), "-c", str(configuration)]
    with (folder / "said").open("wb") as said:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)  # noqa: S603  (the program that was found)
    try:
        _wait_for(port, server, folder)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + _BEGINS
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), _BEGINS):
            return
        time.sleep(_STEP)
    said = "".join((folder / name).read_text() for name in ("said", "errors") if (folder / name).exists())
    raise RuntimeError(f"nginx did not begin: {said.strip() or 'it says nothing'}")
