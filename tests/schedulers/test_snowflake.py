"""The statements, as far as this machine can try them: the times, the specification, and what the container runs.

Snowflake has seen none of it, and neither emulator nor parser knows EXECUTE JOB SERVICE.
"""

import datetime as dt
import re
import tomllib
from dataclasses import replace

import pytest
import sqlglot
import yaml
from cronsim import CronSim

from personas_kit.schedulers import FORMS


def container(job):
    """The only container of the specification."""
    _, specification, _ = FORMS["snowflake"](job).split("$$")
    (found,) = yaml.safe_load(specification)["spec"]["containers"]
    return found


@pytest.fixture
def play(job, bench):
    """Runs what the container runs; its home is the bench's."""

    def run(*codes):
        bench.personas(*codes)
        found = container(job)
        (script,) = found["args"]
        script = re.sub(r"SNOWFLAKE_HOME=[^;]*", "SNOWFLAKE_HOME=./snowflake", script)
        return bench.run([*found["command"], script], SNOWFLAKE_HOST="host.example", SNOWFLAKE_ACCOUNT="acme")

    return run


def test_the_task_is_two_statements_and_is_started(job):
    statements = sqlglot.parse(FORMS["snowflake"](job), read="snowflake")  # what it does not know, it keeps as a text

    create, resume = (each.sql("snowflake", comments=False) for each in statements)
    assert create.startswith("CREATE OR REPLACE TASK personas_run\n")
    assert resume == "ALTER TASK personas_run RESUME"


def test_the_parameters_of_the_job_stand_in_the_order_that_snowflake_wants(job):
    text = FORMS["snowflake"](job).partition("AS\n")[2]
    wanted = ["IN COMPUTE POOL", "FROM SPECIFICATION", "QUERY_WAREHOUSE", "EXTERNAL_ACCESS_INTEGRATIONS"]

    assert sorted(wanted, key=text.index) == wanted


def test_it_has_a_cron_with_a_zone_and_is_neither_suspended_nor_cut_short(job):
    text = FORMS["snowflake"](job)
    fields, zone = re.search(r"USING CRON (\S+ \S+ \S+ \S+ \S+) (\S+)'", text).groups()

    assert CronSim(fields, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert zone == "UTC"
    assert "SUSPEND_TASK_AFTER_NUM_FAILURES = 0" in text
    assert "USER_TASK_TIMEOUT_MS = 14400000" in text


def test_secrets_become_variables_of_the_container_by_their_names(job):
    assert container(job)["secrets"] == [
        {
            "snowflakeSecret": {"objectName": f"personas.public.{name.lower()}"},
            "secretKeyRef": "secret_string",
            "envVarName": name,
        }
        for name in job.variables
    ]
    assert "secrets" not in container(replace(job, variables=()))


def test_the_container_runs_what_is_due_on_the_connection_that_the_file_names(play, bench):
    assert play(0).returncode == 0

    made = tomllib.loads((bench.folder / "snowflake" / "connections.toml").read_text())
    assert made == {
        "prod": {
            "host": "host.example",
            "account": "acme",
            "authenticator": "oauth",
            "token_file_path": "/snowflake/session/token",
        }
    }
    assert bench.told[1] == "[run][--approve][guards] "


@pytest.mark.parametrize(("codes", "ends"), [((3,), 3), ((5, 0), 0), ((5, 4), 4), ((6,), 0)])
def test_the_job_fails_as_personas_does_but_tries_5_again(codes, ends, play):
    assert play(*codes).returncode == ends


def test_another_warehouse_is_said_to_be_one(job):
    assert "the warehouse is postgres" in FORMS["snowflake"](replace(job, warehouse="postgres")).splitlines()[0]
