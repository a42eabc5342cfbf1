"""One of a team: pushes each time it is told to, and can stop itself at a named point as a laptop that falls asleep.

Started with a folder and how long its leases live. Reads lines such as ``{"as_of": "2026-11-01", "stop": "mark"}`` and
answers each with what became of it.
"""

import contextlib
import datetime as dt
import functools
import json
import os
import signal
import sys
from pathlib import Path
from unittest import mock

import personas_kit.workspace as workspace_module
from personas_kit.activation import delivery
from personas_kit.activation.store import WarehouseStore
from personas_kit.errors import PersonasError
from tests import small

#: Where it may stop: what is about to be called, or was, for the n-th time in a push.
POINTS = {
    "begin": ("before", "begin", 1),
    "mark": ("before", "advance", 1),
    "send": ("before", "still_held", 1),
    "send later": ("before", "still_held", 3),
    "acknowledge": ("before", "advance", 2),
    "within a transaction": ("after", "_locks.assert_held", 5),
    "fold": ("before", "fold", 1),
    "drop what is not needed": ("before", "_frames.keep_only", 2),
}

#: Where it has looked for the last time before a request, so that this one leaves when it wakes up.
LATE = {"leaves late": ("after", "still_held", 1)}


@contextlib.contextmanager
def stopping(store, point):
    """Stop there, once; one account after the other, so that it is known what is under way."""
    if point is None:
        yield
        return
    when, path, count = {**POINTS, **LATE}[point]
    *above, name = path.split(".")
    owner = functools.reduce(getattr, above, store)
    plain, calls = getattr(owner, name), []

    def watched(*given, **named):
        calls.append(name)
        if when == "before" and len(calls) == count:
            os.kill(os.getpid(), signal.SIGSTOP)
        result = plain(*given, **named)
        if when == "after" and len(calls) == count:
            os.kill(os.getpid(), signal.SIGSTOP)
        return result

    setattr(owner, name, watched)
    try:
        with mock.patch.object(delivery, "is_real", return_value=False):
            yield
    finally:
        delattr(owner, name)


def pushed(workspace, as_of):
    """Plan and push; what became of it."""
    try:
        plan = workspace.plan("vips", as_of=as_of)
        say({"pushing": plan.changes.height})
        report = plan.push(override=[guard.name for guard in plan.guards])
    except PersonasError as problem:
        return {"error": type(problem).__name__, "what": problem.what}
    return {"complete": report.complete}


def say(what):
    print(json.dumps(what), flush=True)  # noqa: T201  (the parent waits for it)


if __name__ == "__main__":
    folder, lives = Path(sys.argv[1]), dt.timedelta(seconds=float(sys.argv[2]))
    workspace_module.WarehouseStore = functools.partial(WarehouseStore, lives=lives, owner="ann@laptop")
    opened = small.opened(folder)
    for line in sys.stdin:
        said = json.loads(line)
        with stopping(opened.store, said.get("stop")):
            say(pushed(opened, said["as_of"]))
    opened.close()
