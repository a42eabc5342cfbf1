"""The file is run with a stand-in for the few names of Airflow that it imports.

Airflow itself asks for a hundred packages, and is not installed for the tests. `personas_kit/schedulers/airflow.py`
says with which version the file was run by hand, and what was seen.
"""

import sys
from dataclasses import replace
from types import ModuleType

import pytest
from cronsim import CronSim

from personas_kit.schedulers import FORMS


class FailedForGood(Exception):
    """Stands for ``AirflowFailException``: the task is not tried again."""


class Airflow:
    """Keeps what a DAG file declares: `dag` and `task` hand functions back, `Variable.get` a made-up value."""

    def __init__(self):
        self.dag, self.task, self.run = {}, {}, None

    def modules(self):
        sdk, exceptions = ModuleType("airflow.sdk"), ModuleType("airflow.sdk.exceptions")
        sdk.dag = lambda **said: lambda function: self.dag.update(said) or function
        sdk.task = lambda **said: self.task.update(said) or self._kept
        sdk.Variable = type("Variable", (), {"get": staticmethod(lambda name: f"variable {name}")})
        exceptions.AirflowFailException = FailedForGood
        return {"airflow": ModuleType("airflow"), "airflow.sdk": sdk, "airflow.sdk.exceptions": exceptions}

    def _kept(self, function):
        self.run = function
        return lambda: None


@pytest.fixture
def airflow(monkeypatch):
    stand_in = Airflow()
    for name, module in stand_in.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    return stand_in


@pytest.fixture
def task(here, bench, airflow, monkeypatch):
    """The task of the file, once that was loaded."""
    monkeypatch.setenv("PATH", f"{bench.folder / 'bin'}:/usr/bin:/bin")
    exec(compile(FORMS["airflow"](here), "personas.py", "exec"), {"__name__": "personas"})  # noqa: S102  (our own text)
    return airflow.run


def test_one_run_at_a_time_and_none_for_times_that_have_passed(task, airflow):
    assert (airflow.dag["catchup"], airflow.dag["max_active_runs"]) == (False, 1)
    assert airflow.dag["start_date"].tzinfo is not None
    assert CronSim(airflow.dag["schedule"], airflow.dag["start_date"])


def test_the_task_pushes_what_is_due_and_its_words_are_the_log(task, bench, capsys):
    bench.personas(0)
    task()

    assert bench.told == [
        f"[-c][{bench.folder}/personas.toml][run][--approve][guards] variable SEGMENT_WRITE_KEY",
    ]
    assert capsys.readouterr().out == "a report\n"


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_what_wants_a_person_fails_for_good(code, task, bench):
    bench.personas(code)

    with pytest.raises(FailedForGood, match=f"exit code {code}"):
        task()


def test_a_run_that_finds_another_one_at_work_has_not_failed(task, bench):
    bench.personas(6)

    assert task() is None


def test_what_was_interrupted_fails_so_that_it_is_tried_again(task, bench, airflow):
    bench.personas(5)

    with pytest.raises(RuntimeError, match="tried again"):
        task()
    assert airflow.task["retries"] == 2


def test_it_finds_the_exception_where_airflow_3_1_has_it(here, bench, airflow, monkeypatch):
    older = ModuleType("airflow.exceptions")
    older.AirflowFailException = FailedForGood
    monkeypatch.setitem(sys.modules, "airflow.exceptions", older)
    del sys.modules["airflow.sdk.exceptions"].AirflowFailException
    bench.personas(3)
    exec(compile(FORMS["airflow"](here), "personas.py", "exec"), {"__name__": "personas"})  # noqa: S102  (our own text)

    with pytest.raises(FailedForGood):
        airflow.run()


@pytest.mark.usefixtures("airflow")
def test_words_in_quotes_stay_words(job):
    file = FORMS["airflow"](replace(job, command=('/opt/a "b"/personas',), variables=()))
    names = {}
    exec(compile(file.partition("@dag")[0], "personas.py", "exec"), names)  # noqa: S102  (our own text)

    assert names["COMMAND"][:3] == ['/opt/a "b"/personas', "-c", job.file]
    assert names["SECRETS"] == []
