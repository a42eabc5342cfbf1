"""Everything that the kit writes is its owner's alone, whatever the umask says."""

import contextlib
import os
import stat
from pathlib import Path

import pytest

from personas_kit.company import open_demo
from personas_kit.sandbox import Fault, Sandbox
from tests import small

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
OURS, SHARED = 0o600, 0o700


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request):
    """Somebody's habits."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Mode of every file and folder below, but for those that are gone before they are looked at."""
    found = {}
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            found[str(path.relative_to(folder))] = stat.S_IMODE(path.lstat().st_mode)
    return found


def wrong(folder: Path) -> dict[str, str]:
    """What anybody but the owner could touch."""
    return {
        name: oct(mode)
        for name, mode in modes(folder).items()
        if mode != (SHARED if (folder / name).is_dir() else OURS)
    }


@pytest.fixture
def workspace(tmp_path, umask):
    with Sandbox() as sandbox:
        small.make(tmp_path, sandbox.url, [f"u{n}" for n in range(5)])
        opened = small.opened(tmp_path)
        opened.sandbox = sandbox
        yield opened
        opened.close()


def test_the_state_while_a_push_is_under_way_and_after_it(workspace, tmp_path):
    state, seen = tmp_path / ".personas", []
    plan = workspace.plan("vips")
    plan.push(progress=lambda _: seen.append(modes(state)))

    everything = {name for each in seen for name in each}
    assert {"members", "plans", "locks", "state.sqlite"} <= everything
    assert any(name.startswith("plans/") for name in everything)
    assert [each for each in seen if any(mode & 0o077 for mode in each.values())] == []
    assert wrong(state) == {}
    assert stat.S_IMODE(state.stat().st_mode) == SHARED


def test_the_state_after_a_push_that_was_interrupted(workspace, tmp_path):
    workspace.sandbox.fail(Fault(kind="status", status=401))
    workspace.plan("vips").push()

    assert wrong(tmp_path / ".personas") == {}


@pytest.mark.parametrize("ending", ["csv", "parquet", "ndjson"])
def test_an_export(workspace, tmp_path, ending):
    folder = tmp_path / "exports"
    folder.mkdir(mode=0o755)
    (folder / f"vips.{ending}").write_text("an old one that everybody could read", encoding="utf-8")
    workspace.export("vips", folder / f"vips.{ending}")

    assert modes(folder) == {f"vips.{ending}": OURS}


def test_an_export_does_not_follow_a_link(workspace, tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("untouched", encoding="utf-8")
    target = tmp_path / "vips.csv"
    target.symlink_to(precious)
    workspace.export("vips", target)

    assert precious.read_text(encoding="utf-8") == "untouched"
    assert not target.is_symlink()


@pytest.mark.parametrize("umask", [0o000], indirect=True)
def test_the_secrets_of_the_demo_and_what_its_receiver_keeps(tmp_path, umask):
    with_secrets = open_demo(tmp_path)
    with_secrets.plan("order_completed_last_30days").push()
    found = modes(tmp_path)
    with_secrets.close()

    private = {name: mode for name, mode in found.items() if name.endswith(".txt") or name.startswith("received")}
    assert len(private) >= 3
    assert set(private.values()) == {OURS}
    assert wrong(tmp_path / ".personas") == {}
