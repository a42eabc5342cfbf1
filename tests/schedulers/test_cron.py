"""The line is split as cron splits it, and its command is run by the shell that cron runs."""

import datetime as dt
import re

import pytest
from cronsim import CronSim

from personas_kit.schedulers import FORMS


def split(text):
    """The five fields and the command of the only line; what follows a bare percent sign would be its input."""
    (line,) = [each for each in text.splitlines() if each and not each.startswith("#")]
    *fields, command = line.split(None, 5)
    command, *fed = re.split(r"(?<!\\)%", command)
    assert fed == []
    return " ".join(fields), command.replace("\\%", "%")


@pytest.fixture
def secrets(bench):
    (bench.folder / "personas.env").write_text("SEGMENT_WRITE_KEY='a key, $made up'\nMETA_TOKEN='b'\n")


def test_its_times_are_a_cron_in_the_zone_of_the_machine(job):
    fields, _ = split(FORMS["cron"](job))
    following = CronSim(fields, dt.datetime(2026, 11, 27, 8, tzinfo=dt.UTC))

    assert [next(following).strftime("%H:%M") for _ in range(3)] == ["08:30", "09:00", "09:30"]
    assert "Europe/Berlin" in FORMS["cron"](job)


def test_the_command_runs_what_is_due_and_leaves_a_log(here, bench, secrets):
    bench.personas(0)
    _, command = split(FORMS["cron"](here))
    ran = bench.run(["sh", "-c", command])

    assert bench.told == [
        "sleep 0",
        f"[-c][{bench.folder}/personas.toml][run][--approve][guards] a key, $made up",
    ]
    assert (bench.folder / "personas.log").read_text() == "a report\n"
    assert (ran.stdout, ran.stderr) == ("", "")  # else cron would mail it


@pytest.mark.parametrize("code", [1, 3, 4])
def test_what_wants_a_person_is_run_once_and_mailed(code, here, bench, secrets):
    bench.personas(code)
    ran = bench.run(["sh", "-c", split(FORMS["cron"](here))[1]])

    assert len(bench.told) == 2
    assert ran.stdout == f"personas run ended with the exit code {code}: see {bench.folder}/personas.log\n"


def test_a_run_that_finds_another_one_at_work_is_not_mailed(here, bench, secrets):
    bench.personas(6)

    assert bench.run(["sh", "-c", split(FORMS["cron"](here))[1]]).stdout == ""


def test_what_was_interrupted_is_run_again(here, bench, secrets):
    bench.personas(5, 0)
    ran = bench.run(["sh", "-c", split(FORMS["cron"](here))[1]])

    assert [each for each in bench.told if each.startswith("sleep")] == ["sleep 0", "sleep 60"]
    assert ran.stdout == ""


def test_what_is_interrupted_again_and_again_is_left_for_the_next_time(here, bench, secrets):
    bench.personas(5, 5, 5, 0)
    ran = bench.run(["sh", "-c", split(FORMS["cron"](here))[1]])

    assert len(bench.told) == 6
    assert "exit code 5" in ran.stdout


def test_without_the_file_of_secrets_nothing_is_run(here, bench):
    bench.personas(0)
    ran = bench.run(["sh", "-c", split(FORMS["cron"](here))[1]])

    assert ran.returncode != 0
    assert "personas.env" in ran.stderr
    assert bench.told == []
