"""Two runs at once, over one state: each sync is pushed once, and the other run says who has it."""

import http.server
import json
import subprocess
import sys
import threading

import pytest

from personas_kit.cli.codes import ELSEWHERE
from personas_kit.cli.terminal import exit_code
from personas_kit.errors import RunElsewhere
from tests import small

RUN = ["run", "--approve", "guards", "--override", "first_sync"]


class Slow(http.server.ThreadingHTTPServer):
    """Takes everything; answers once it is let go."""

    def __init__(self):
        self.asked, self.go, self.bodies = threading.Event(), threading.Event(), []
        super().__init__(("127.0.0.1", 0), _Answers)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.set()
        self.server.go.wait(60)
        self.send_response(200)
        self.send_header("Content-Length", "17")
        self.end_headers()
        self.wfile.write(b'{"success": true}')

    def log_message(self, *_):
        pass


@pytest.fixture
def slow():
    server = Slow()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.go.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["folder", "warehouse"])
def folder(request, tmp_path, slow):
    small.make(tmp_path, slow.url, ["u1", "u2"])
    file = tmp_path / "personas.toml"
    text = file.read_text(encoding="utf-8")
    start, stop = text.index('    { destination = "ads"'), text.rindex("]")
    text = text[:start] + text[stop:]
    if request.param == "warehouse":
        text = text.replace("[source]", '[state]\nstore = "warehouse"\n\n[source]')
    file.write_text(text.replace('["identify", "track"]', '["identify"]'), encoding="utf-8")
    return tmp_path


def run(folder):
    workspace = small.opened(folder)
    done = workspace.run(approve="guards", override=["first_sync"])
    workspace.close()
    return done


def test_the_second_run_leaves_to_the_first_what_it_is_pushing(folder, slow):
    first = subprocess.Popen(
        [sys.executable, "-m", "personas_kit.cli", "-c", str(folder), *RUN], stderr=subprocess.PIPE, text=True
    )
    assert slow.asked.wait(60)

    second = run(folder)
    slow.go.set()
    _, said = first.communicate(timeout=60)

    (line,) = second.lines
    assert str(line).startswith("elsewhere vips -> analytics  (somebody else is pushing this sync: ")
    assert "@" in line.why
    assert " since " in line.why
    assert (second.ended, exit_code(second)) == ("elsewhere", ELSEWHERE)
    with pytest.raises(RunElsewhere, match="1 elsewhere; another run has some of its syncs"):
        second.check()
    assert (first.returncode, "pushed    vips -> analytics: 2 acknowledged" in said) == (0, True)
    assert sum(len(json.loads(body)["batch"]) for body in slow.bodies) == 2
    assert [each["state"] for each in small.opened(folder).history().to_dicts()] == ["done"]


def test_a_run_that_looked_before_the_other_one_was_through_pushes_nothing_again(folder, slow):
    slow.go.set()
    late = small.opened(folder)
    errand = late._comparing.planner.plan

    def meanwhile(*about, **more):
        plan = errand(*about, **more)
        run(folder)
        return plan

    object.__setattr__(late._comparing, "planner", _Instead(late._comparing.planner, plan=meanwhile))
    done = late.run(approve="guards", override=["first_sync"])
    late.close()

    (line,) = done.lines
    assert (line.did, exit_code(done)) == ("elsewhere", ELSEWHERE)
    assert "something was pushed" in line.why
    assert sum(len(json.loads(body)["batch"]) for body in slow.bodies) == 2


class _Instead:
    """Another object, but for what is given here."""

    def __init__(self, of, **instead):
        self._of = of
        self.__dict__.update(instead)

    def __getattr__(self, name):
        return getattr(self._of, name)


def test_what_another_run_has_is_not_worse_than_what_went_wrong_here(folder, slow):
    slow.go.set()
    ours = small.opened(folder)
    with ours.store.lock(ours.plan("vips").syncs[0].sync):
        held = run(folder)
    ours.close()

    assert held.ended == "elsewhere"
    assert repr(held).endswith("1 elsewhere")
    assert run(folder).ended == "done"
