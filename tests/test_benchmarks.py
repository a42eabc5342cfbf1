"""The benchmarks run, and refuse to compare what does not agree. Their figures are for people, not for tests."""

import json

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.entry import OURS, Benchmark, entries, load
from benchmarks.measure import Run, _same_answers


@pytest.mark.parametrize("name", entries())
def test_all_ways_of_an_entry_agree_on_a_small_input(name, tmp_path):
    entry = load(name)
    entry.prepare(tmp_path, 0.001)

    answers = {json.dumps(way(tmp_path), sort_keys=True) for way in entry.ways.values()}
    assert len(answers) == 1


def test_the_command_measures_in_processes_of_their_own(tmp_path):
    path = tmp_path / "results" / "out.json"
    command = ["changes", "--scale", "0.001", "--rounds", "1", "--only", "python sets", "--json", str(path)]

    outcome = CliRunner().invoke(main, command, catch_exceptions=False)

    assert outcome.exit_code == 0
    results = json.loads(path.read_text())["changes"]
    assert {line["way"] for line in results} == {OURS, "python sets"}
    assert all(line["wall"] > 0 for line in results)
    assert "python sets" in outcome.output


def test_ways_that_do_not_agree_are_not_compared():
    one, other = (Run(wall=1.0, cpu=1.0, peak_mb=None, answer=answer) for answer in (1, 2))

    with pytest.raises(RuntimeError, match="do not agree"):
        _same_answers("x", {OURS: [one], "other": [other]})


def test_a_benchmark_without_the_kit_is_none():
    with pytest.raises(ValueError, match="no way is named personas_kit"):
        Benchmark(title="x", unit="x", size=1, prepare=lambda folder, scale: None, ways={})
