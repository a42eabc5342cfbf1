"""The workflow is read as YAML, and what its steps run is run by a shell as GitHub starts it."""

import re
from dataclasses import replace

import pytest
import yaml

from personas_kit.activation.cadence import Cadence
from personas_kit.schedulers import FORMS, Need


def read(job):
    found = yaml.safe_load(FORMS["github"](job))
    return found, found["jobs"]["run"]["steps"]


def evaluated(text, bench):
    """What stands in ``${{ }}``, as a runner would put it: of a secret its name, of a folder the bench's."""
    text = re.sub(r"\$\{\{ secrets\.(\w+) }}", r"secret of \1", text)
    return text.replace("${{ runner.temp }}", str(bench.folder))


def play(step, bench):
    given = {name: evaluated(text, bench) for name, text in step.get("env", {}).items()}
    return bench.run(["bash", "-e", "-c", evaluated(step["run"], bench)], **given)


def test_it_runs_by_the_clock_of_utc_beside_the_full_hour_and_by_hand(job):
    workflow, _ = read(job)

    assert workflow[True]["schedule"] == [{"cron": "7,37 * * * *"}]  # YAML takes `on` for true, and GitHub does not
    assert "workflow_dispatch" in workflow[True]
    assert workflow["permissions"] == {"contents": "read"}


def test_no_token_of_the_repository_is_left_in_the_folder(job):
    _, steps = read(job)

    assert steps[0]["with"] == {"persist-credentials": False}


def test_it_never_asks_for_more_than_every_five_minutes_and_says_so(job):
    often = replace(job, needs=(Need("prices", "analytics", Cadence(60)),))
    workflow, _ = read(often)

    assert workflow[True]["schedule"] == [{"cron": "2,7,12,17,22,27,32,37,42,47,52,57 * * * *"}]
    assert "what needs it so often: prices -> analytics." in FORMS["github"](often)
    assert "do not come exactly when prices -> analytics is due" in FORMS["github"](often)


def test_the_package_is_the_version_that_wrote_it_with_what_the_warehouse_needs(job):
    _, steps = read(job)

    assert steps[2]["run"] == 'python -m pip install "personas-kit[snowflake]==0.1.0"'


def test_the_step_pushes_what_is_due_with_the_secrets_by_name(job, bench):
    bench.personas(0)
    _, steps = read(job)
    ran = play(steps[-1], bench)

    assert ran.returncode == 0
    assert bench.told[1] == "[-c][crm/personas.toml][run][--approve][guards] secret of SEGMENT_WRITE_KEY"
    assert steps[-1]["env"]["SNOWFLAKE_HOME"] == "${{ runner.temp }}/connections"


@pytest.mark.parametrize(
    ("codes", "ends"), [((3,), 3), ((4,), 4), ((1,), 1), ((5, 0), 0), ((5, 3), 3), ((5, 5, 5), 5), ((6,), 0)]
)
def test_the_step_fails_as_personas_does_but_tries_5_again(codes, ends, job, bench):
    bench.personas(*codes)
    _, steps = read(job)

    assert play(steps[-1], bench).returncode == ends
    assert len(bench.told) == 2 * len(codes)


def test_connections_are_written_where_only_this_job_reads_them(job, bench):
    _, steps = read(job)
    ran = play(steps[3], bench)
    file = bench.folder / "connections" / "connections.toml"

    assert ran.returncode == 0
    assert file.read_text() == "secret of SNOWFLAKE_CONNECTIONS_TOML\n"
    assert file.stat().st_mode & 0o077 == 0


def test_postgres_has_its_services_the_same_way(job, bench):
    _, steps = read(replace(job, warehouse="postgres", connection="shop"))
    play(steps[3], bench)

    assert (bench.folder / "connections" / "pg_service.conf").exists()
    assert steps[-1]["env"]["PGSERVICEFILE"] == "${{ runner.temp }}/connections/pg_service.conf"


def test_without_secrets_there_is_no_empty_environment(job):
    _, steps = read(replace(job, variables=(), connection="", warehouse="postgres"))

    assert [step for step in steps if "env" in step] == []
