"""What holds for every test: a clean environment, an odd time zone, no network, no silent skips where all must run."""

import ipaddress
import math
import os
import sys
import time
from collections.abc import Callable, Generator

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.postgres_server.server import Server, running

# ------------------------------------------------------------------------------------------------------- environment

#: What a person or a server may have set and no test should see.
_FOREIGN = (
    "AWS_",
    "DUCKDB_",
    "IPYTHON",
    "JUPYTER_",
    "PG",
    "PERSONAS_",
    "RUDDERSTACK_",
    "SEGMENT_",
    "SNOWFLAKE_",
    "XDG_",
)
_PROXIES = ("ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_LOOKS = ("CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR")
#: What switches tests on: it stays.
_SWITCHES = ("PERSONAS_LONG", "PERSONAS_REQUIRE_", "PERSONAS_SEED")


def _scrub() -> None:
    for name in list(os.environ):
        foreign = name.startswith(_FOREIGN) and not name.startswith(_SWITCHES)
        if foreign or name.upper() in (*_PROXIES, *_LOOKS):
            del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # the Snowflake driver looks for a cloud that it might run in
    # An odd offset, so that a local time taken for UTC cannot pass.
    os.environ["TZ"] = "Asia/Kathmandu"
    if hasattr(time, "tzset"):
        time.tzset()


_scrub()


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A home of the tests' own: nothing of the person's is read, and nothing is left in it."""
    folder = str(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", folder)
        patch.setenv("USERPROFILE", folder)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def patient() -> Generator[None]:
    """A preview leaves nothing out because the machine is slow today."""
    from personas_kit import previewing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(previewing, "PATIENCE", math.inf)
        yield


# ------------------------------------------------------------------------------------------------------ golden files


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden`` writes what is kept under ``tests/golden`` anew, and the pictures of ``docs``."""
    about = "write the files of tests/golden and the pictures of docs anew"
    parser.addoption("--update-golden", action="store_true", help=about)


# ---------------------------------------------------------------------------------------------------------- campaigns

_CAMPAIGNS = pytest.StashKey[list[str]]()


@pytest.fixture
def record_campaign(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Takes a line about what a campaign did; all lines stand together at the end of the run."""
    return pytestconfig.stash.setdefault(_CAMPAIGNS, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What the campaigns did, in one place."""
    lines = config.stash.get(_CAMPAIGNS, [])
    if lines:
        terminalreporter.section("campaigns")
    for line in lines:
        terminalreporter.write_line(line)


# --------------------------------------------------------------------------------------------------------- PostgreSQL


@pytest.fixture(scope="session")
def server(home: str) -> Generator[Server]:
    """A PostgreSQL of the tests' own, for tests marked ``postgres``."""
    with running() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGSERVICEFILE", str(server.services))
        yield server


# ----------------------------------------------------------------------------------------------------------- network


class ReachedOut(BaseException):
    """Not an ``Exception``, so that no code under test can take it for a network that is down."""


def _is_here(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if host in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host).split("%", maxsplit=1)[0]).is_loopback
    except ValueError:
        return False


def _stay_here(event: str, args: tuple[object, ...]) -> None:
    """Refuse what leaves this machine. An audit hook sees every socket of Python's, whoever made it."""
    if event in {"socket.connect", "socket.sendto"}:
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None  # anything but a tuple is a socket on disk
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = args[0]
    else:
        return
    if not _is_here(host):
        raise ReachedOut(f"a test reached for {host!r}: tests talk to this machine only")


sys.addaudithook(_stay_here)


# -------------------------------------------------------------------------------------------------------- hypothesis

# Timing says nothing on a busy machine, so no deadline. A failure prints the lines that repeat it.
_COMMON = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("default", max_examples=50, **_COMMON)
settings.register_profile("ci", max_examples=100, derandomize=True, database=None, **_COMMON)
settings.register_profile("long", max_examples=2_000, **_COMMON)
settings.register_profile("debug", max_examples=50, phases=[Phase.explicit, Phase.reuse, Phase.generate], **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


# ---------------------------------------------------------------------------------------------------------- skipping


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where PERSONAS_REQUIRE_BROWSER=1, _EMULATOR=1 or _POSTGRES=1, a test of that kind that skips has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        for kind in ("browser", "emulator", "postgres"):
            if item.get_closest_marker(kind) and os.environ.get(f"PERSONAS_REQUIRE_{kind.upper()}") == "1":
                report.outcome = "failed"
                report.longrepr = f"{item.nodeid} skipped, and {kind} tests are required here:\n{call.excinfo}"
    return report
