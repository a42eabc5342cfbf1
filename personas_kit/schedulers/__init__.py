"""Ready to paste: what a scheduler wants to be told so that ``personas run`` runs often enough. Text only, no I/O.

``personas run`` pushes what is due and leaves the rest, so one schedule is enough for all definitions; it only has to
come often enough for each of them. No lock is needed: a sync is pushed by one run at a time.
"""

from collections.abc import Callable, Mapping

from personas_kit.schedulers.airflow import dag
from personas_kit.schedulers.crontab import line
from personas_kit.schedulers.github import workflow
from personas_kit.schedulers.job import Job, Need
from personas_kit.schedulers.snowflake import task
from personas_kit.schedulers.systemd import units

FORMS: Mapping[str, Callable[[Job], str]] = {
    "airflow": dag,
    "cron": line,
    "github": workflow,
    "snowflake": task,
    "systemd": units,
}
"""What makes the text for each scheduler."""

__all__ = ["FORMS", "Job", "Need"]
