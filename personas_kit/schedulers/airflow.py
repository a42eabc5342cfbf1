"""A DAG of Airflow 3.1 or newer, with one task.

A task that fails is tried again, whatever failed, unless it raises ``AirflowFailException``: only 5 (interrupted, or
something unknown) is tried again here.
(https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/tasks.html, read 2026-11-27; the
file was run with Airflow 3.3.2: ended with 0, failed at once with 3, tried again after 5)

Airflow 3.1 has that exception in another module than 3.2 and newer, and may run on Python 3.10, whose ``datetime`` has
no ``UTC``. (apache-airflow-task-sdk 1.1.0 and 1.2.0, read 2026-11-27; Airflow 3.1.0 has loaded the file)
"""

from __future__ import annotations

import json

from personas_kit.schedulers.job import Job
from personas_kit.schedulers.ticks import ticks_of
from personas_kit.schedulers.words import commented, keeps_nothing, reasons


def dag(job: Job) -> str:
    """A file for the folder of DAGs."""
    ticks = ticks_of(job.needs)
    notes = [
        *keeps_nothing(job, "a worker of Airflow"),
        "For the folder of DAGs of Airflow 3.1 or newer, as personas.py.",
        *reasons(job, ticks),
        "The paths are those of this machine: a worker has to have the same, with personas-kit installed there.",
        *(["Variables of Airflow that it hands over (Admin > Variables):"] if job.variables else []),
        *(f"  {name}" for name in job.variables),
    ]
    return f'''\
{commented(notes)}import os
import subprocess
from datetime import datetime, timedelta, timezone

from airflow.sdk import Variable, dag, task

try:
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # Airflow 3.1
    from airflow.exceptions import AirflowFailException

COMMAND = {_listed(job.run)}
SECRETS = {_listed(job.variables)}
AGAIN, ELSEWHERE = 5, 6  # interrupted, or something unknown; another run has the syncs, which is well


@dag(
    dag_id="personas",
    schedule="{ticks.cron}",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
)
def personas():
    @task(retries=2, retry_delay=timedelta(minutes=1))
    def run():
        """Push what is due. What it says is the log of the task."""
        environment = os.environ | {{name: Variable.get(name) for name in SECRETS}}
        pipe = {{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}}
        with subprocess.Popen(COMMAND, env=environment, **pipe) as process:
            for line in process.stdout:
                print(line, end="")
        if process.returncode == AGAIN:
            raise RuntimeError("interrupted, or something is unknown: it is tried again")
        if process.returncode not in {{0, ELSEWHERE}}:
            raise AirflowFailException(f"personas run ended with the exit code {{process.returncode}}")

    run()


personas()
'''


def _listed(words: tuple[str, ...]) -> str:
    """A list of texts, as Python reads it."""
    return f"[{', '.join(json.dumps(word, ensure_ascii=False) for word in words)}]"
