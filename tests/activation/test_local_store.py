"""A store in a folder: its files, damage, and states that other versions of the kit wrote."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from personas_kit.activation.state import Batch, BatchResult
from personas_kit.activation.store import LocalStore
from personas_kit.activation.store.sqlite import transaction
from personas_kit.activation.sync import Sync
from personas_kit.errors import StateError
from tests.activation.test_store import BUYERS, entering, head, lines, push

RELEASED = sorted((Path(__file__).parents[1] / "fixtures" / "stores").iterdir())


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "state")


def test_looking_makes_no_folder(store):
    store.load(BUYERS)
    store.syncs()
    store.runs()

    assert not store.path.exists()


def test_the_chain_of_files_stays_short_and_no_plan_is_left(store):
    push(store, entering(*(f"u{n}" for n in range(200))), plan_id="p0")
    for n in range(60):
        push(store, lines(("exit", f"u{n}"), ("enter", f"v{n}")), plan_id=f"p{n + 1}")

    assert len(list((store.path / "members").glob("*.parquet"))) < 25
    assert list((store.path / "plans").glob("*")) == []


def test_writing_members_a_piece_after_the_other_loads_nothing_that_computes(tmp_path):
    """pyarrow.compute takes as long to load as a hundred thousand members take to write."""
    code = (
        "import sys, pathlib, polars as pl; from personas_kit.activation.store.files import FileFrames; "
        "frames = FileFrames(pathlib.Path(sys.argv[1])); pieces = [pl.DataFrame({'member': [each]}) for each in 'ab']; "
        "frames.write('members', 'x', pieces); "
        "print('pyarrow.parquet' in sys.modules, 'pyarrow.compute' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "False"]


def test_after_a_reset_no_file_of_the_members_is_left(store):
    push(store, entering("ann"))
    store.begin(head("p2"), entering("bob"))
    store.reset(BUYERS)

    assert list(store.path.rglob("*.parquet")) == []


def test_no_byte_of_who_was_erased_is_left(store):
    """Neither of a member whose outcome was unknown, nor of what was refused, in pages that became free."""
    people = [f"somebody-{n:03}" for n in range(60)]
    push(store, entering(*people), BatchResult(unknown=range(30), rejected=dict.fromkeys(range(30, 60), "full")))
    assert b"somebody-007" in (store.path / "state.sqlite").read_bytes()

    with store.lock(BUYERS):
        for person in people:
            store.erase(BUYERS, person)

    for file in store.path.rglob("*"):
        assert file.is_dir() or b"somebody-" not in file.read_bytes()


def test_damage_is_said_and_never_taken_for_nothing(store):
    push(store, entering("ann"))
    for file in (store.path / "members").glob("*.parquet"):
        file.write_bytes(b"not parquet")

    with pytest.raises(StateError, match="missing or damaged"):
        store.load(BUYERS)


def test_a_database_of_a_newer_version_is_refused(store):
    push(store, entering("ann"))
    db = sqlite3.connect(store.path / "state.sqlite")
    db.execute("update meta set value = '99' where name = 'version'")
    db.commit()
    db.close()

    for use in (store.load, store.recover):
        with pytest.raises(StateError, match=r"newer version .*format 99"):
            use(BUYERS)


def test_the_state_is_for_its_owner_alone(store):
    push(store, entering("ann"))

    modes = {path.name: path.stat().st_mode & 0o777 for path in [store.path, *store.path.rglob("*")]}
    assert all(mode in {0o700, 0o600} for name, mode in modes.items() if not name.endswith((".lock", "-wal", "-shm")))


# ------------------------------------------------------------------------------------------- states of other versions


@pytest.fixture(params=RELEASED, ids=[path.name for path in RELEASED])
def released(request, tmp_path):
    """A state as a released version left it: finished plans, one cut short in mid-push, one that was interrupted."""
    shutil.copytree(request.param, tmp_path / "state")
    return LocalStore(tmp_path / "state")


SPEND, LISTED = Sync("spend", "analytics", "identify"), Sync("buyers", "ads", "list", "list 7")


def test_an_older_state_knows_what_it_knew(released):
    buyers, spend, listed = (released.load(sync) for sync in (BUYERS, SPEND, LISTED))

    assert sorted(buyers.acknowledged["member"]) == sorted([*(f"u{n:02}" for n in range(3, 28)), "v00"])
    assert sorted(buyers.unknown["member"]) == ["u28", "w00", "w01"]
    assert sorted(buyers.rejects.select("member", "reason", "times").rows()) == [
        ("u03", "gone", 1),
        ("u29", "invalid", 1),
    ]
    assert (buyers.version, buyers.members, buyers.target) == (11, 29, "account 1")
    assert sorted(spend.acknowledged.rows()) == [(1, "3.5"), (2, "3.5"), (3, "3.5")]
    assert spend.unknown.select("member", "value").rows() == [(4, "3.5")]
    assert spend.paused
    assert listed.acknowledged.rows() == [('{"em":"a"}',)]
    assert [(run["state"], run["acknowledged"], [*run["overrides"]]) for run in released.runs()] == [
        ("partial", 28, ["first_sync"])
    ]


def test_a_plan_that_an_older_version_began_is_settled_as_it_would_have_settled_it(released):
    """I9: what was in flight is unknown, with the ids under which it left; what was not sent is dropped."""
    before = released.load(BUYERS)

    assert released.recover(BUYERS)

    after = released.load(BUYERS)
    assert sorted(after.acknowledged.rows()) == sorted(before.acknowledged.rows())
    assert sorted(after.unknown.rows()) == sorted(before.unknown.rows())
    assert dict(after.unknown.select("member", "message_id").rows())["w00"] == "m-w00"
    assert released.begun(BUYERS) is None


def test_a_plan_that_an_older_version_left_interrupted_goes_on(released):
    begun = released.begun(LISTED)
    assert (begun.waiting, begun.head.plan_id) == ((Batch(1, 2),), "p9")

    with released.lock(LISTED):
        released.advance("p9", LISTED, sending={Batch(1, 2): "d"})
        released.advance("p9", LISTED, settled=[(Batch(1, 2), begun.lines[1:2], BatchResult())])
        released.fold("p9", LISTED, finished=True)
    assert sorted(released.load(LISTED).acknowledged["member"]) == ['{"em":"a"}', '{"em":"b"}']


def test_a_state_that_cannot_be_brought_up_to_date_stays_as_it_was(released):
    for plan in (released.path / "plans").glob("*.parquet"):
        plan.unlink()
    before = (released.path / "state.sqlite").read_bytes()

    with pytest.raises(StateError, match="missing or damaged"):
        released.load(BUYERS)
    db = sqlite3.connect(released.path / "state.sqlite")
    assert db.execute("select count(*) from run").fetchone() == (1,)
    db.close()
    assert len(before) > 0


def test_an_error_that_has_ended_the_transaction_already_is_the_one_that_is_said():
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("create table t (n integer primary key)")
    db.execute("insert into t values (1)")

    with contextlib.closing(db), pytest.raises(sqlite3.IntegrityError), transaction(db):
        db.execute("insert or rollback into t values (1)")  # as SQLite does by itself where the disk is full


LOOKS = {
    "load": lambda store: sorted(store.load(BUYERS).acknowledged["member"]) == ["ann", "bob"],
    "syncs": lambda store: [state.acknowledged.height for _, state in store.syncs()] == [2],
    "standings": lambda store: [each.acknowledged for each in store.standings()] == [2],
    "begun": lambda store: store.begun(BUYERS) is None,
}


@pytest.mark.parametrize("look", LOOKS)
def test_what_another_process_folds_meanwhile_is_looked_at_once_more(store, monkeypatch, look):
    push(store, entering("ann"))
    frame, batch, read = entering("bob"), Batch(0, 1), store._frames.read
    with store.lock(BUYERS):
        store.begin(head("p2"), frame)
        store.advance("p2", BUYERS, sending={batch: "digest"})
        store.advance("p2", BUYERS, settled=[(batch, frame, BatchResult())])
    folded = []

    def folding(folder, file):
        if folder == "plans" and not folded:
            folded.append(file)
            LocalStore(store.path).fold("p2", BUYERS, finished=True)
        return read(folder, file)

    monkeypatch.setattr(store._frames, "read", folding)
    assert LOOKS[look](store)
    assert folded
