"""Random secrets and random people go through configuration, members and answers, and are found nowhere afterwards."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import json
import logging
import random
import shutil
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from personas_kit import masking
from personas_kit.activation.report import Report
from personas_kit.errors import PersonasError
from personas_kit.sandbox import Sandbox
from personas_kit.workspace import Workspace
from tests.activation.attack.books import LONG, chance, times
from tests.security.canaries import shown
from tests.security.fuzzed import SEEN, Fuzzed
from tests.security.receivers import Receiver
from tests.security.test_kept import kept


@dataclass(frozen=True, slots=True)
class Round:
    """How many canaries were sent, how many texts were searched, and what was found in which."""

    sent: int
    searched: int
    found: dict[str, list[str]]


@contextlib.contextmanager
def overheard(texts: dict[str, str]) -> Iterator[None]:
    """Within the block, all that is written and logged, by whomever, is kept."""
    said, logged = io.StringIO(), io.StringIO()
    handler, root = logging.StreamHandler(logged), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            warnings.catch_warnings(record=True) as warned,
        ):
            warnings.simplefilter("always")
            yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    texts |= {
        "said": said.getvalue(),
        "log": logged.getvalue(),
        "warnings": str([str(each.message) for each in warned]),
    }


def told(work: Callable[[], object]) -> str:
    """What is shown of a result; or all that is said of the error, its causes and the lines of code included."""
    try:
        result = work()
    except PersonasError as problem:
        return "\n".join([repr(problem), str(problem), *traceback.format_exception(problem), str(vars(problem))])
    data = getattr(result, "to_dict", lambda: "")()
    return shown(result) + json.dumps(data, default=str)


def everything(workspace: Workspace) -> dict[str, str]:
    """What is shown of each kind of result, whatever becomes of it."""
    texts = {}

    def pushed(key: str) -> Report:
        plan = workspace.plan(key)
        texts[f"plan of {key}"] = told(lambda: plan)
        return plan.push(override=[guard.name for guard in plan.guards if not guard.final], deadline=20.0)

    for key in workspace.definitions:
        texts[f"push of {key}"] = told(functools.partial(pushed, key))
    texts["previews"] = told(lambda: workspace.preview([*workspace.definitions]))
    texts["profile"] = told(lambda: shown(workspace.profile("user_0")))
    texts |= {what.__name__: told(what) for what in (workspace.status, workspace.run)}
    return texts | {"history": str(workspace.store.runs(100)), "config": repr(workspace.config)}


def a_round(fuzzed: Fuzzed, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, str], str]:
    """One workspace, from its file to a push that ends well. All that was seen; and what the receiver was sent."""
    texts: dict[str, str] = {}
    mistaken = fuzzed.some.random() < 0.2
    with overheard(texts), Receiver(fuzzed.answers()) as hostile, Sandbox() as friendly:
        fuzzed.make(hostile.url, mistaken=mistaken)
        for name, value in fuzzed.secrets.items():
            monkeypatch.setenv(name, value)
        if mistaken:
            texts["opening"] = told(lambda: everything(fuzzed.opened()))
            return texts, ""
        file = fuzzed.folder / "personas.toml"
        for number, url in enumerate((hostile.url, friendly.url)):
            file.write_text(file.read_text(encoding="utf-8").replace(hostile.url, url), encoding="utf-8")
            with contextlib.closing(fuzzed.opened()) as workspace:
                texts |= {f"{name} ({number})": text for name, text in everything(workspace).items()}
                # The value of a trait is kept, since the next push compares with it.
                about_people = {sync.id for sync, state in workspace.store.syncs() if "value" in state.acknowledged}
    files = kept(fuzzed.folder).items()
    texts |= {f"file {name}": text for name, text in files if not any(sync in name for sync in about_people)}
    return texts, b"".join(hostile.requests).decode("latin-1")


def rounds(folder: Path, some: random.Random, monkeypatch: pytest.MonkeyPatch) -> Iterator[Round]:
    """One after another, for ever."""
    for number in itertools.count():
        own = folder / str(number)
        own.mkdir()
        fuzzed = Fuzzed(some, own)
        texts, heard = a_round(fuzzed, monkeypatch)
        shutil.rmtree(own)
        yield Round(len(SEEN.findall(heard)), len(texts), fuzzed.found(texts))


@pytest.mark.timeout(0 if LONG else 300)
def test_nothing_made_up_is_found_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_campaign: Callable[[str], None]
) -> None:
    count, sent, searched = times("fuzzed"), 0, 0
    for number, done in enumerate(itertools.islice(rounds(tmp_path, chance(), monkeypatch), count)):
        assert done.found == {}, f"workspace {number}"
        sent, searched = sent + done.sent, searched + done.searched

    record_campaign(f"canaries: {count:,} workspaces, {sent:,} canaries sent, {searched:,} texts searched")
    assert sent > count


def test_what_is_told_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_mask_private", lambda text: text)

    assert any(done.found for done in itertools.islice(rounds(tmp_path, chance(), monkeypatch), 10))
