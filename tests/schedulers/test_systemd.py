"""The script is run by a shell that may not become root; systemd itself reads the units that it wrote."""

import os
import shutil
import subprocess
from dataclasses import replace

import pytest

from personas_kit.activation.cadence import Cadence, Cron
from personas_kit.errors import ConfigError
from personas_kit.schedulers import FORMS, Need

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture
def started(here, tmp_path):
    """The job in the bench's folder, run by a program that systemd can start: no quote is in its path."""
    program = tmp_path / "100% $hop" / "personas"
    program.parent.mkdir()
    program.touch(mode=0o755)
    return replace(here, command=(str(program),), user="root")


@pytest.fixture
def written(started, bench):
    """The folder with the units, once the script was run: `sudo` writes there what it should write elsewhere."""
    bench.program("sudo", 'echo "$*" >> "$TOLD"\n[ "$1" = tee ] || exit 0\nexec cat > "${TOLD%/*}/${2##*/}"')

    ran = bench.run(["sh", "-e", "-c", FORMS["systemd"](started)])
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    return bench.folder


def settings(file):
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line and line[0] != "#")


@pytest.mark.usefixtures("written")
def test_the_script_writes_two_units_and_starts_the_timer(bench):
    assert bench.told == [
        "tee /etc/systemd/system/personas.service",
        "tee /etc/systemd/system/personas.timer",
        "systemctl daemon-reload",
        "systemctl enable --now personas.timer",
    ]


def test_only_5_is_tried_again(written):
    service = settings(written / "personas.service")

    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", "1 2 3 4")
    assert service["SuccessExitStatus"] == "6"
    assert service["Type"] == "oneshot"


def test_a_missed_time_is_made_up_for(written):
    timer = settings(written / "personas.timer")

    assert timer["Persistent"] == "true"
    assert timer["OnCalendar"] == "*-*-* *:0/30:00 UTC"


@needs_systemd
def test_systemd_finds_nothing_wrong_with_them(written):
    units = [str(written / "personas.service"), str(written / "personas.timer")]
    said = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)

    assert [line for line in said.stderr.splitlines() if "personas" in line] == []
    assert said.returncode == 0


@needs_systemd
@pytest.mark.parametrize(
    ("need", "first"),
    [
        (Cadence(900), ["09:15", "09:30"]),
        (Cadence(6 * 3_600), ["12:00", "18:00"]),
        (Cadence(cron=Cron("30 6 * * 1-5")), ["06:30", "06:30"]),
        (Cadence(cron=Cron("0 6,18 * * *")), ["18:00", "06:00"]),
    ],
)
def test_systemd_reads_the_times_as_they_are_meant(need, first, job):
    text = FORMS["systemd"](replace(job, needs=(Need("a", "there", need),)))
    (when,) = [line.partition("=")[2] for line in text.splitlines() if line.startswith("OnCalendar=")]
    ask = ["systemd-analyze", "calendar", "--base-time=2026-11-27 09:01:00 UTC", "--iterations=2", when]
    said = subprocess.run(ask, capture_output=True, text=True, check=True, env=os.environ | {"TZ": "UTC"}).stdout
    times = [
        line.split()[-2] for line in said.splitlines() if "UTC" in line and ":" in line.split()[-2] and "*" not in line
    ]

    assert [time[:5] for time in times][:2] == first


def test_a_program_that_systemd_would_not_start_is_refused(job):
    with pytest.raises(ConfigError, match="quote in its path"):
        FORMS["systemd"](replace(job, command=("/opt/Ann's kit/personas",)))
