"""`personas schedule`: what it shows, what it prints, and the line of cron run for real."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from personas_kit.cli import job as facts
from personas_kit.schedulers import FORMS
from tests import small


@pytest.fixture
def hourly(folder):
    """The small workspace, computed every hour."""
    file = folder / "personas.toml"
    file.write_text(file.read_text().replace('name  = "Vips"', 'name  = "Vips"\nevery = "1h"'))
    return folder


def command_of(text):
    """What cron would hand to its shell."""
    return text.splitlines()[-1].split(None, 5)[5].replace("\\%", "%")


def run_by_cron(command):
    """By a shell that has little more than a home; this checkout is what `personas` imports."""
    kept = {name: os.environ[name] for name in ("HOME", "TZ")}
    root = str(Path(facts.__file__).parents[2])
    environment = {**kept, "PATH": "/usr/bin:/bin", "PYTHONPATH": root}
    return subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)


def test_without_a_form_it_says_how_often_and_when_next(personas, hourly):
    said = personas("schedule")

    assert said.code == 0
    assert [line.split() for line in said.out.splitlines()[1:]] == [
        ["key", "destination", "cadence", "pushed", "due"],
        ["vips", "analytics", "every", "1", "h", "every", "1", "h", "now"],
        ["vips", "ads", "every", "1", "h", "every", "1", "h", "now"],
    ]
    assert "personas schedule airflow | cron | github | snowflake | systemd" in said.err


def test_once_pushed_a_sync_is_due_an_interval_later(personas, hourly):
    personas("push", "vips", "--to", "analytics", "--yes", "--as-of", "2026-11-01")
    due = {each["destination"]: each["due"] for each in personas("schedule", "--json").json}

    assert due == {"analytics": "2026-11-01T01:00:00Z", "ads": None}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_all_that_is_printed_and_changes_nothing(form, personas, hourly, sandbox):
    before = sorted(hourly.rglob("*"))
    said = personas("schedule", form)

    assert (said.code, said.err) == (0, "")
    assert "vips -> analytics" in said.out
    assert sorted(hourly.rglob("*")) == before
    assert list(sandbox.requests) == []


def test_paths_are_absolute_wherever_it_is_asked(personas, hourly, monkeypatch):
    (hourly / "below").mkdir()
    monkeypatch.chdir(hourly / "below")
    command = command_of(personas("schedule", "cron").out)

    assert f"-c {hourly}/personas.toml run" in command
    assert f"; {Path(sys.executable).with_name('personas')} -c" in command


def test_in_a_repository_the_workflow_names_the_path_within(personas, hourly, monkeypatch):
    (hourly / "shop").mkdir()
    (hourly / ".git").mkdir()
    for name in ("personas.toml", "warehouse.duckdb", "key.txt"):
        (hourly / name).rename(hourly / "shop" / name)
    monkeypatch.chdir(hourly / "shop")
    said = personas("schedule", "github")

    assert "personas -c shop/personas.toml run --approve guards" in said.out


def test_secrets_are_named_where_the_file_refers_to_the_environment(personas, hourly, monkeypatch):
    monkeypatch.setenv("WRITE_KEY", "made-up")
    file = hourly / "personas.toml"
    file.write_text(file.read_text().replace('write_key = { file = "key.txt" }', 'write_key = { env = "WRITE_KEY" }'))
    said = personas("schedule", "github").out

    assert "WRITE_KEY: ${{ secrets.WRITE_KEY }}" in said
    assert "the secret in file key.txt" in said  # that of the other destination, which no runner has
    assert "made-up" not in said


def test_state_in_the_warehouse_needs_no_warning(personas, hourly):
    file = hourly / "personas.toml"
    file.write_text(file.read_text() + '\n[state]\nstore = "warehouse"\n')

    assert "the state is a folder" not in personas("schedule", "airflow").out


def test_the_line_of_cron_pushes_what_is_due_and_a_second_time_nothing(personas, hourly, sandbox):
    personas("push", "vips", "--yes", "--as-of", "2026-11-01")  # the first time somebody looks
    small.set_vips(hourly, [f"u{n}" for n in range(11)])
    command = command_of(personas("schedule", "cron").out)

    first, second = run_by_cron(command), run_by_cron(command)

    log = (hourly / "personas.log").read_text()
    assert (first.returncode, first.stdout, first.stderr) == (0, "", ""), log
    assert small.received(sandbox) == {f"u{n}" for n in range(11)}
    assert (second.returncode, second.stdout) == (0, "")
    assert "not due" in log


def test_a_cadence_may_be_a_cron_and_a_sync_may_have_its_own(personas, folder):
    file = folder / "personas.toml"
    text = file.read_text().replace(
        'name  = "Vips"', 'name  = "Vips"\ncron = "30 6 * * 1-5"\ntimezone = "Europe/Berlin"'
    )
    file.write_text(text.replace('"ads", list', '"ads", every = "6h", list'))
    shown = {each["destination"]: each for each in personas("schedule", "--json").json}

    assert shown["analytics"]["pushed"] == "at 06:30 on Monday through Friday, Europe/Berlin"
    assert shown["ads"]["cadence"] == "every 6 h"
    assert "OnCalendar=*-*-* 0,4,5,6,12,18:0/30:00 UTC" in personas("schedule", "systemd").out


def test_no_sync_is_said(personas, folder):
    file = folder / "personas.toml"
    file.write_text(file.read_text().partition("[[audience]]")[0])
    said = personas("schedule", "cron")

    assert said.code == 1
    assert "no definition has a sync" in said.err
    assert 'every = "1h"' in said.err


@pytest.mark.parametrize("asked", [("crontab",), ("cron", "--json"), ("cron", "systemd")])
def test_what_is_no_form_is_wrong_usage(asked, personas, hourly):
    assert personas("schedule", *asked).code == 2


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Asia/Kathmandu", "Asia/Kathmandu"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("no/zone", "UTC"),
    ],
)
def test_the_timezone_is_that_of_the_machine(said, zone, monkeypatch):
    monkeypatch.setenv("TZ", said)

    assert facts.machine_zone() == zone


def test_without_a_name_it_is_what_the_file_is_that_the_machine_links_to(tmp_path, monkeypatch):
    place = tmp_path / "zoneinfo" / "Europe" / "Berlin"
    place.parent.mkdir(parents=True)
    place.touch()
    (tmp_path / "localtime").symlink_to(place)
    monkeypatch.setattr(facts, "_LOCAL_TIME", tmp_path / "localtime")

    for said in ("", f":{tmp_path}/localtime", str(place)):
        monkeypatch.setenv("TZ", said)
        assert facts.machine_zone() == "Europe/Berlin"
