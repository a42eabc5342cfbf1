"""A real process of a team is stopped in the middle of a push, for longer than its lease lives, and wakes up again.

Meanwhile somebody else takes the sync over and pushes. The one that wakes up can neither mark nor acknowledge nor send;
what may have left late all the same it notes, and the next push sends it again.
And: a real process is killed at random instants, with the state in PostgreSQL.
"""

import contextlib
import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from personas_kit.destinations import find
from personas_kit.sandbox import Fault, Sandbox
from tests import small
from tests.activation import team
from tests.activation.sleeper import POINTS

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
LIVES = 1.2
EVERYBODY = [f"user{n:05}" for n in range(4_000)]
LONG = bool(os.environ.get("PERSONAS_LONG"))


class Team:
    """A sandbox, what is wanted, and two of a team: Ann in a process of her own, and Bob here."""

    def __init__(self, folder, server, sandbox):
        self.server, self.sandbox = server, sandbox
        self.schema = f"team_{time.time_ns()}"
        self.day = 0
        self.wanted = set()
        self.folder = folder
        team.make(folder, sandbox.url, self.schema)
        self.want([])
        self.bob = small.opened(folder)
        self.ann = None

    def want(self, users):
        """These are wanted from now on, on the next day."""
        self.day += 1
        self.wanted = set(users)
        team.set_vips(self.server, self.schema, self.wanted, EVERYBODY)

    @property
    def as_of(self):
        return (START + dt.timedelta(days=self.day)).isoformat()

    def awake(self):
        """Start Ann's process."""
        self.ann = subprocess.Popen(
            [sys.executable, "-m", "tests.activation.sleeper", str(self.folder), str(LIVES)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        return self

    def ann_pushes(self, stop=None):
        """Ann begins to push; returns once she is about to."""
        self.ann.stdin.write(json.dumps({"as_of": self.as_of, "stop": stop}) + "\n")
        self.ann.stdin.flush()
        assert "pushing" in self.heard()

    def heard(self):
        """What Ann says next."""
        return json.loads(self.ann.stdout.readline())

    def asleep(self):
        """Wait until Ann's process has stopped."""
        until = time.monotonic() + 60
        while os.waitpid(self.ann.pid, os.WUNTRACED | os.WNOHANG)[0] == 0:
            assert time.monotonic() < until
            time.sleep(0.01)

    def bob_pushes(self):
        """Bob pushes as soon as he can."""
        plan = self.bob.plan("vips", as_of=self.as_of)
        return plan.push(override=[guard.name for guard in plan.guards])

    def known(self):
        """What the state says of each sync."""
        return {
            str(sync): (state.version, sorted(state.acknowledged["member"]), sorted(state.unknown["member"]))
            for sync, state in self.bob.store.syncs()
        }

    def acknowledged(self):
        """What the state says was acknowledged, of each sync."""
        return {sync: members for sync, (_, members, _) in self.known().items()}

    def doubted(self):
        """Of how many the state does not know what was sent last."""
        return sum(len(unknown) for _, _, unknown in self.known().values())

    def close(self):
        self.bob.close()
        if self.ann is not None and self.ann.poll() is None:
            self.ann.kill()
        if self.ann is not None:
            self.ann.communicate()


@contextlib.contextmanager
def team_of_two(server, folder):
    """Ann awake, and Bob."""
    with Sandbox() as sandbox:
        together = Team(folder, server, sandbox).awake()
        try:
            yield together
        finally:
            together.close()


@pytest.fixture(scope="module")
def sleepy(server, tmp_path_factory):
    """A team whose members go on from case to case."""
    with team_of_two(server, tmp_path_factory.mktemp("team")) as together:
        yield together


@pytest.fixture
def drowsy(server, tmp_path):
    """A team of its own, whose sandbox has seen no other push."""
    with team_of_two(server, tmp_path / "drowsy") as together:
        yield together


@pytest.mark.parametrize("point", POINTS)
def test_who_slept_for_too_long_can_neither_mark_nor_acknowledge_nor_send(sleepy, point):
    sleepy.sandbox.fail(*[Fault(kind="delay", seconds=0.02)] * 5)
    sleepy.want(random.sample(EVERYBODY, 3_000))
    sleepy.ann_pushes(stop=point)
    sleepy.asleep()
    time.sleep(LIVES + 0.2)
    sleepy.sandbox.heal()
    sleepy.want(random.sample(EVERYBODY, 3_000))
    assert sleepy.bob_pushes().complete
    arrived, known = len(sleepy.sandbox.requests), sleepy.acknowledged()

    sleepy.ann.send_signal(signal.SIGCONT)

    outcome = sleepy.heard()
    assert outcome.get("error") in {"SyncBusy", "StateError"} or outcome == {"complete": False}
    assert len(sleepy.sandbox.requests) == arrived
    assert sleepy.acknowledged() == known
    assert small.received(sleepy.sandbox) == sleepy.wanted
    assert small.on_the_list(sleepy.sandbox) == len(sleepy.wanted)
    assert sleepy.sandbox.conflicts == []


def test_what_leaves_on_waking_is_noted_and_made_good_by_the_next_push(drowsy):
    drowsy.want(EVERYBODY[:2_000])
    drowsy.ann_pushes(stop="leaves late")
    drowsy.asleep()
    time.sleep(LIVES + 0.2)
    drowsy.want(EVERYBODY[1_000:3_000])
    assert drowsy.bob_pushes().complete
    assert small.received(drowsy.sandbox) == drowsy.wanted
    drowsy.ann.send_signal(signal.SIGCONT)

    assert drowsy.heard()["error"] == "SyncBusy"
    late = small.received(drowsy.sandbox) - drowsy.wanted
    assert late, "who entered by the late request, and is not wanted any more"
    assert drowsy.doubted() >= len(late)
    assert drowsy.bob_pushes().complete
    assert small.received(drowsy.sandbox) == drowsy.wanted
    assert drowsy.doubted() == 0


@pytest.mark.timeout(3_600 if LONG else 600)
def test_stopped_at_any_instant_the_state_is_never_changed_by_who_has_lost_it(drowsy, record_campaign):
    """A request that had passed its last look may leave on waking, nothing else; a push later all is as wanted."""
    seed = int(os.environ.get("PERSONAS_SEED", random.randrange(2**32)))  # noqa: S311
    print(f"PERSONAS_SEED={seed}")  # noqa: T201  (to repeat a failure)
    chance, late, lost, doubted = random.Random(seed), 0, 0, 0  # noqa: S311  (chance, not secrecy)
    times = 500 if LONG else 20
    for _ in range(times):
        drowsy.want(chance.sample(EVERYBODY, 3_000))
        drowsy.sandbox.fail(*[Fault(kind="delay", seconds=0.01)] * 30)
        drowsy.ann_pushes()
        time.sleep(chance.uniform(0, 0.5))
        drowsy.ann.send_signal(signal.SIGSTOP)
        drowsy.asleep()
        time.sleep(LIVES + 0.2)
        drowsy.sandbox.heal()
        drowsy.want(chance.sample(EVERYBODY, 3_000))
        assert drowsy.bob_pushes().complete
        arrived, known = len(drowsy.sandbox.requests), drowsy.acknowledged()
        drowsy.ann.send_signal(signal.SIGCONT)
        outcome = drowsy.heard()

        assert drowsy.acknowledged() == known, outcome
        lost += outcome != {"complete": True}
        after = drowsy.sandbox.requests[arrived:]
        assert len(after) <= sum(find(slug).parallel for slug in ("segment", "facebook-custom-audiences"))
        late += sum(request.items for request in after)
        doubted += drowsy.doubted()
        assert drowsy.bob_pushes().complete
        assert small.received(drowsy.sandbox) == drowsy.wanted
        assert small.on_the_list(drowsy.sandbox) == len(drowsy.wanted)
        assert drowsy.doubted() == 0
    record_campaign(
        f"sleepers: {times:,} stopped, {lost:,} lost the sync, {late:,} changes left all the same, "
        f"{doubted:,} were in doubt and sent again"
    )
    assert lost
    assert drowsy.sandbox.conflicts == []


@pytest.mark.timeout(600)
def test_killed_at_any_instant_nothing_is_lost_and_nothing_is_twice_with_another_content(server, tmp_path):
    seed = int(os.environ.get("PERSONAS_SEED", random.randrange(2**32)))  # noqa: S311
    print(f"PERSONAS_SEED={seed}")  # noqa: T201  (to repeat a failure)
    chance = random.Random(seed)  # noqa: S311  (chance, not secrecy)
    with Sandbox() as sandbox:
        short_lived = Team(tmp_path / "team", server, sandbox)
        for _ in range(60 if LONG else 8):
            short_lived.want(chance.sample(EVERYBODY, 3_000))
            sandbox.fail(*[Fault(kind="delay", seconds=0.02)] * 60)
            short_lived.awake().ann_pushes()
            time.sleep(chance.uniform(0.02, 0.6))
            short_lived.ann.kill()
            short_lived.ann.communicate()
            sandbox.heal()
            time.sleep(LIVES)
        short_lived.want(chance.sample(EVERYBODY, 3_000))
        short_lived.awake().ann_pushes()

        assert short_lived.heard() == {"complete": True}
        assert small.received(sandbox) == short_lived.wanted
        assert small.on_the_list(sandbox) == len(short_lived.wanted)
        assert sandbox.conflicts == []
        for sync, (_, members, unknown) in short_lived.known().items():
            assert len(members) == len(short_lived.wanted), sync
            assert unknown == [], sync
        short_lived.close()
