"""The texts as they are, and what all of them have in common."""

from dataclasses import replace
from pathlib import Path

import pytest

from personas_kit.activation.cadence import Cadence
from personas_kit.errors import ConfigError
from personas_kit.schedulers import FORMS, Need

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("form", FORMS)
def test_the_text(form, job, request):
    golden = GOLDEN / f"schedule.{form}.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(FORMS[form](job), encoding="utf-8", newline="\n")

    assert FORMS[form](job) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_it_says_for_whom_it_runs_so_often(form, job):
    often = Need("prices", "analytics", Cadence(900))
    said = FORMS[form](replace(job, needs=(*job.needs, often)))

    assert "what needs it so often: prices -> analytics." in said


@pytest.mark.parametrize("form", FORMS)
def test_secrets_are_named_and_nothing_of_them_is_read(form, job, monkeypatch):
    monkeypatch.setenv("SEGMENT_WRITE_KEY", "made-up")
    said = FORMS[form](job)

    assert "SEGMENT_WRITE_KEY" in said
    assert "made-up" not in said


@pytest.mark.parametrize("form", ["airflow", "github", "snowflake"])
def test_where_no_disk_is_kept_a_folder_of_state_is_said_first_and_loudly(form, job):
    local = FORMS[form](replace(job, state="/srv/shop/.personas", warehouse="", elsewhere=("file key.txt",)))
    first = local.splitlines()[0]

    assert "*** THIS WILL NOT WORK YET" in first
    assert "/srv/shop/.personas" in first
    assert 'store = "warehouse"' in local
    assert "[warehouse] is a file of this machine" in local
    assert "the secret in file key.txt" in local
    assert "***" not in FORMS[form](job)


@pytest.mark.parametrize("form", ["cron", "systemd"])
def test_on_a_machine_of_ones_own_a_folder_of_state_is_fine(form, job):
    assert "***" not in FORMS[form](replace(job, state="/srv/shop/.personas", warehouse=""))


@pytest.mark.parametrize("form", FORMS)
def test_a_name_cannot_get_out_of_its_comment(form, job):
    bad = Need("vips", 'ads"\n* * * * * rm -rf /\n', Cadence(3_600))
    said = FORMS[form](replace(job, needs=(bad,)))

    assert [text for text in said.splitlines() if "rm -rf" in text and not text.startswith(("#", "--"))] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"needs": ()}, "no definition has a sync"),
        ({"file": "/srv/a\nb/personas.toml"}, "line break"),
        ({"within": "${{ secrets.X }}/personas.toml"}, "line break or ${{"),
        ({"variables": ("A B; rm",)}, "environment variable"),
        ({"connection": "$(rm)"}, "cannot stand in a schedule"),
    ],
)
def test_what_no_schedule_can_hold_is_an_error(job, change, said):
    with pytest.raises(ConfigError, match=said.replace("$", r"\$")):
        replace(job, **change)


@pytest.mark.parametrize("form", ["cron", "systemd"])
def test_a_backslash_in_a_path_is_refused_where_it_cannot_be_quoted(form, job):
    with pytest.raises(ConfigError, match="backslash"):
        FORMS[form](replace(job, file="/srv/a\\b/personas.toml"))
