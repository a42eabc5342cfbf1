"""A real process is killed at random instants while it pushes, and what is wanted changes between its lives."""

import datetime as dt
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from personas_kit.sandbox import Fault, Sandbox
from tests import small

ROOT = Path(__file__).parents[2]
EVERYBODY = [f"user{n:05}" for n in range(6_000)]
LIVES = 8
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def spawn(folder, life, *arguments):
    """A process that plans and pushes; returns once it is about to push."""
    as_of = (START + dt.timedelta(days=life)).isoformat()
    command = [sys.executable, "-m", "tests.activation.pusher", str(folder), as_of, *arguments]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout.readline() == "pushing\n", process.stderr.read()
    return process


def finish(process):
    """Let it end by itself."""
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def kill(process, after):
    """End it the hard way."""
    time.sleep(after)
    process.kill()
    process.communicate(timeout=60)


def live_and_die(folder, sandbox, chance):
    """Several lives, each with other members wanted, each cut short; then one that ends well."""
    for life in range(LIVES):
        small.set_vips(folder, chance.sample(EVERYBODY, 4_000), EVERYBODY)
        sandbox.fail(*[Fault(kind="delay", seconds=0.02)] * 60)
        kill(spawn(folder, life), chance.uniform(0.02, 0.35))
        sandbox.heal()
    wanted = set(chance.sample(EVERYBODY, 4_000))
    small.set_vips(folder, wanted, EVERYBODY)
    finish(spawn(folder, LIVES))
    return wanted


@pytest.mark.timeout(180)
def test_killed_at_any_instant_nothing_is_lost_and_nothing_is_twice_with_another_content(tmp_path):
    seed = int(os.environ.get("PERSONAS_SEED", random.randrange(2**32)))  # noqa: S311
    print(f"PERSONAS_SEED={seed}")  # noqa: T201  (to repeat a failure)
    with Sandbox() as sandbox:
        small.make(tmp_path, sandbox.url, [])
        wanted = live_and_die(tmp_path, sandbox, random.Random(seed))  # noqa: S311  (chance, not secrecy)

        assert small.received(sandbox) == wanted
        assert small.on_the_list(sandbox) == len(wanted)
        assert sandbox.summary()["conflicts"] == 0
        for sync, state in small.opened(tmp_path).store.syncs():
            assert state.acknowledged.height == len(wanted), sync
            assert state.unknown.height == 0, sync


def test_without_the_unknown_members_the_same_test_would_fail(tmp_path):
    """The idea is needed: an entry that arrived unnoticed is never taken back by a tool that forgets it."""
    with Sandbox() as sandbox:
        small.make(tmp_path, sandbox.url, EVERYBODY[:10])
        late = Fault(kind="delay", seconds=5, path="/v1/batch")  # identify takes its time, and is applied in the end
        sandbox.fail(late)
        kill(spawn(tmp_path, 0), 1.0)
        sandbox.heal()
        small.set_vips(tmp_path, EVERYBODY[5:10], EVERYBODY[:10])
        arrived(sandbox, 10)
        finish(spawn(tmp_path, 1, "forgetful"))

        assert small.received(sandbox) != set(EVERYBODY[5:10])


def arrived(sandbox, count):
    """Wait until the receiver has applied what the dead process had sent."""
    until = time.monotonic() + 20
    while len(small.received(sandbox)) < count:
        assert time.monotonic() < until
        time.sleep(0.05)
