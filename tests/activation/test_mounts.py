"""A state folder on a network file system: found out, said once, and kept in a way that works there."""

import sqlite3

import pytest

from personas_kit.activation.store import LocalStore, mounts
from personas_kit.activation.store.mounts import network_type
from tests.activation.test_store import acknowledged, entering, push

#: What is mounted on what, as Linux lists it.
MOUNTED = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw - proc proc rw
30 22 0:40 / /export rw,relatime shared:2 - nfs4 server:/export rw,vers=4.2
31 30 8:2 / /export/ann/local rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/team\040share rw - cifs //server/team rw
33 22 0:42 / /mnt/c rw - 9p drvfs rw
34 22 0:43 / /mnt/far rw - fuse.sshfs ann@server:/ rw
35 22 0:44 / /mnt/near rw - fuse.ntfs-3g /dev/sdc1 rw
36 22 0:45 / /mnt/twice rw - nfs server:/old rw
37 22 8:3 / /mnt/twice rw - ext4 /dev/sdd1 rw
"""
PLACES = {
    "/work/.personas": None,
    "/export/ann/project/.personas": "nfs4",
    "/export/ann/local/.personas": None,
    "/exports": None,
    "/mnt/team share/project": "cifs",
    "/mnt/c/Users/ann": "9p",
    "/mnt/far/project": "fuse.sshfs",
    "/mnt/near": None,
    "/mnt/twice/project": None,
}


@pytest.fixture
def mounted(tmp_path, monkeypatch):
    """Let a text be what is mounted."""
    monkeypatch.setattr(mounts, "MOUNTINFO", tmp_path / "mountinfo")
    return lambda text: (tmp_path / "mountinfo").write_text(text.strip())


@pytest.mark.parametrize("place", PLACES)
def test_a_folder_is_on_what_is_mounted_nearest_above_it(mounted, place, tmp_path):
    mounted(MOUNTED)

    assert network_type(type(tmp_path)(place)) == PLACES[place]


def test_where_nothing_is_listed_a_folder_is_taken_for_local(mounted, tmp_path):
    assert network_type(tmp_path) is None


def journal_mode(store):
    """How the file is kept now."""
    db = sqlite3.connect(store.path / "state.sqlite")
    (mode,) = db.execute("pragma journal_mode").fetchone()
    db.close()
    return mode


def test_on_a_network_the_state_is_kept_without_a_write_ahead_log_and_that_is_said_once(mounted, tmp_path, capsys):
    mounted(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / {tmp_path} rw - nfs4 server:/export rw")
    store = LocalStore(tmp_path / "state")
    push(store, entering("ann"))
    push(LocalStore(tmp_path / "state"), entering("bob"), plan_id="p2")

    assert (journal_mode(store), acknowledged(store)) == ("delete", ["ann", "bob"])
    said = capsys.readouterr().err
    assert said.count("is on a network file system (nfs4)") == 1
    assert 'store = "warehouse" for several machines' in said


def test_a_state_that_was_local_can_be_used_on_a_network(mounted, tmp_path):
    mounted("22 1 8:1 / / rw - ext4 /dev/sda1 rw")
    store = LocalStore(tmp_path / "here")
    push(store, entering("ann"))
    assert journal_mode(store) == "wal"

    mounted(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / {tmp_path}/there rw - smb3 //server/team rw")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = LocalStore(tmp_path / "there")
    assert (acknowledged(moved), journal_mode(moved)) == (["ann"], "delete")


def test_a_check_says_where_the_state_is(tmp_path):
    store = LocalStore(tmp_path / "state")
    assert store.check() == f"in the folder {tmp_path}/state: nothing yet, the first push makes it"
    assert not store.path.exists()

    push(store, entering("ann"))
    assert store.check() == f"in the folder {tmp_path}/state, which can be written"
