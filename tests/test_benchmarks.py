"""The benchmarks run, and refuse to compare what does not agree. Their figures are for people, not for tests."""

import gzip
import json
import re
import time

import httpx
import pytest
from click.testing import CliRunner

from benchmarks import nginx, receiver, scaling, workspaces
from benchmarks.__main__ import main
from benchmarks.comparison import compare, markdown
from benchmarks.entry import OURS, Benchmark, Goal, entries, load
from benchmarks.measure import Result, Run, _results, _same_answers, run_here
from benchmarks.plot import log_log


@pytest.mark.parametrize("name", entries())
def test_all_ways_of_an_entry_agree_on_a_small_input(name, tmp_path):
    entry = load(name)
    # nginx counts nothing, and is not everywhere: what counts every message takes its place
    service = receiver.serving() if entry.service is nginx.serving else entry.service
    entry.prepare(tmp_path, 0.001)

    with service(tmp_path):
        runs = [run_here(name, way, tmp_path) for way in entry.ways]
    answers = {json.dumps(run.answer, sort_keys=True) for run in runs if run.answer is not None}
    assert len(answers) == 1


def test_the_command_measures_in_processes_of_their_own(tmp_path):
    path = tmp_path / "results" / "out.json"
    command = ["changes.million", "--scale", "0.001", "--rounds", "1", "--only", "python sets", "--json", str(path)]

    outcome = CliRunner().invoke(main, command, catch_exceptions=False)

    assert outcome.exit_code == 0
    results = json.loads(path.read_text())["results"]["changes.million"]
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


def test_a_floor_does_only_a_part_of_the_work_and_is_not_asked_for_an_answer():
    floor, whole = (Run(wall=1.0, cpu=1.0, peak_mb=None, answer=answer) for answer in (None, 2))

    _same_answers("x", {OURS: [whole], "floor": [floor]})


def test_a_slow_way_may_take_a_share_and_is_scaled_up_to_all_of_it():
    runs = {OURS: [Run(1.0, 1.0, None, 1)], "slow": [Run(2.0, 1.5, None, 1)]}

    slow = _results(runs, {"slow": 0.1})[1]

    assert (slow.wall, slow.cpu, slow.wall_ratio) == (20.0, 15.0, 20.0)


class TestGoals:
    @staticmethod
    def line(goal, *, ours=1.0, theirs=3.0, memory=100.0, **about):
        def result(way, wall):
            return Result(way, wall, wall, wall, wall / 2, memory, 1.0, 1.0, figures={"refused": 2})

        entry = Benchmark(
            title="x", unit="x", size=1, prepare=lambda folder, scale: None, goals=(goal,),
            ways={OURS: lambda folder: 1, "peer": lambda folder: 1}, **about,
        )  # fmt: skip
        [line] = compare("x", entry, [result(OURS, ours), result("peer", theirs)])
        return line

    @pytest.mark.parametrize(
        ("goal", "said"),
        [
            (Goal(text="x", peer="peer", at_least=2), ("1 s", "peer", "3 s", "3.00x", "3.00x", ">= 2x", "yes")),
            (Goal(text="x", peer="peer", at_least=4), ("1 s", "peer", "3 s", "3.00x", "3.00x", ">= 4x", "NO")),
            (Goal(text="x", peer="peer", at_most=0.2), ("1 s", "peer", "3 s", "0.33x", "0.33x", "<= 0.2x", "NO")),
            (Goal(text="x", peer="peer", of="cpu"), ("500 ms cpu", "peer", "1.5 s cpu", "3.00x", "", "", "")),
            (Goal(text="x", at_most=99, of="memory"), ("100 MB", "", "", "", "", "<= 99 MB", "NO")),
            (Goal(text="x", at_most=2, of="refused"), ("2", "", "", "", "", "<= 2", "yes")),
            (Goal(text="x", peer="peer"), ("1 s", "peer", "3 s", "3.00x", "3.00x", "", "")),
        ],
    )  # fmt: skip
    def test_a_line_says_both_figures_their_ratio_and_whether_it_is_reached(self, goal, said):
        assert self.line(goal).said[1:] == said

    def test_a_peer_that_is_not_here_is_said_with_what_to_do(self):
        line = self.line(Goal(text="x", peer="other", at_least=2), missing={"other": "pip install other"})

        assert line.reached is None
        assert line.said[-1] == "pip install other"

    def test_a_goal_that_names_no_way_is_refused(self):
        with pytest.raises(ValueError, match="no way is named"):
            self.line(Goal(text="x", peer="nobody"))

    def test_at_least_needs_a_peer(self):
        with pytest.raises(ValueError, match="needs a peer"):
            Goal(text="x", at_least=2)

    def test_the_table_for_the_documentation_names_the_machine(self):
        text = markdown([self.line(Goal(text="ten", peer="peer", at_least=2))])

        assert " cores, " in text
        assert "| ten | 1 s | peer | 3 s | 3.00x | 3.00x | >= 2x | yes |" in text


class TestScaling:
    def test_what_costs_in_proportion_is_a_straight_line_from_corner_to_corner(self):
        image = log_log("t", "x", "y", {"a <b>": [(1, 0.1), (10, 1), (100, 10)]})

        [path] = re.findall(r'<path d="([^"]*)" fill="none"', image)
        (x1, y1), (x2, y2), (x3, y3) = (map(float, point.split()) for point in path[1:].split("L"))
        assert (x2 - x1, y2 - y1) == (x3 - x2, y3 - y2)
        assert "a &lt;b&gt;" in image

    def test_the_page_has_a_plot_and_the_figures_of_every_growth(self, tmp_path, monkeypatch):
        def measured(growth, scale, rounds):
            return [Result(way, 1, 1, 1, scale, None, 1, 1) for way in load(growth.name).ways]

        monkeypatch.setattr(scaling, "_measured", measured)
        outcome = CliRunner().invoke(scaling.main, ["--into", str(tmp_path)], catch_exceptions=False)

        assert outcome.exit_code == 0
        page = (tmp_path / "scaling.md").read_text()
        for growth in scaling.GROWTHS:
            assert f"(scaling_{growth.name}.svg)" in page
            assert growth.ours in (tmp_path / f"scaling_{growth.name}.svg").read_text()
        assert "| 10M | 1.00 s | 1.00 s |" in page


@pytest.mark.skipif(bool(nginx.lacks()), reason=nginx.LACKS)
def test_nginx_takes_what_is_posted_and_leaves_nothing_behind(tmp_path):
    with nginx.serving(tmp_path):
        address = nginx.address_in(tmp_path)
        answer = httpx.post(f"{address}/v1/batch", content=b"x" * 2_000_000, trust_env=False)

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, trust_env=False)


class TestReceiver:
    def test_counts_messages_packed_or_not(self):
        body = b'{"batch":[{"messageId":"1"},{"messageId":"2"}]}'
        with receiver.receiver() as address, httpx.Client(trust_env=False) as client:
            client.post(address, content=body)
            client.post(address, content=gzip.compress(body), headers={"content-encoding": "gzip"})

            assert receiver.counts(address) == {"requests": 2, "messages": 4, "refused": 0}

    def test_refuses_what_exceeds_its_rate(self):
        with receiver.receiver(rate=2) as address, httpx.Client(trust_env=False) as client:
            answers = [client.post(address, content=b"").status_code for _ in range(3)]

            assert answers == [200, 200, 429]
            assert receiver.counts(address)["refused"] == 1

    def test_answers_late(self):
        with receiver.receiver(latency=0.05) as address, httpx.Client(trust_env=False) as client:
            began = time.monotonic()
            client.post(address, content=b"")

            assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("name", ["push.batches", "push.single"])
def test_every_way_to_push_sends_what_it_says(name, tmp_path):
    entry = load(name)
    entry.prepare(tmp_path, 0.02)
    members = workspaces.size(tmp_path)

    with receiver.serving()(tmp_path):
        for way in entry.ways:
            before = receiver.counts(nginx.address_in(tmp_path))["messages"]
            run_here(name, way, tmp_path)
            sent = receiver.counts(nginx.address_in(tmp_path))["messages"] - before
            assert sent == members * entry.shares.get(way, 1), way
