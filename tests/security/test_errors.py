"""An error tells a person what to do, and nothing of secrets and people, even with all that its frames hold."""

import json

import polars as pl
import pytest

import personas_kit as pk
from personas_kit.activation.transport import HttpTransport
from personas_kit.config import load
from personas_kit.destinations import DESTINATIONS
from tests.destinations.conftest import fixture_of
from tests.security import canaries
from tests.security.canaries import SECRETS, canaries_in, secrets_in
from tests.security.rendering import rendered


def no_secret(workspace, folder, monkeypatch):
    monkeypatch.delenv("WRITE_KEY")
    return workspace.plan("last_phone").push


def blocked(workspace, folder, monkeypatch):
    workspace.plan("last_phone").push()
    canaries.change(folder, "delete from events")
    return lambda: workspace.plan("last_phone").push()


def stale(workspace, folder, monkeypatch):
    first, second = workspace.plan("last_phone"), workspace.plan("last_phone")
    first.push()
    return second.push


def busy(workspace, folder, monkeypatch):
    plan = workspace.plan("last_phone")
    held = workspace.store.lock(plan.syncs[0].sync)
    held.__enter__()
    monkeypatch.setattr(workspace, "held_by_the_test", held, raising=False)
    return plan.push


def no_disk(workspace, folder, monkeypatch):
    plan = workspace.plan("last_phone")
    monkeypatch.setattr(pl.DataFrame, "write_parquet", _full)
    return plan.push


def _full(*_, **__):
    raise OSError(28, "No space left on device")


def interrupted(workspace, folder, monkeypatch):
    plan = workspace.plan("last_phone")
    monkeypatch.setattr(HttpTransport, "__init__", _pressed)
    return plan.push


def _pressed(*_, **__):
    raise KeyboardInterrupt


def unreadable_value(workspace, folder, monkeypatch):
    sql = "SELECT user_id, CAST(email AS INTEGER) AS value FROM users"
    return lambda: workspace.members(pk.SqlTrait("Broken", sql))


def nobody(workspace, folder, monkeypatch):
    return lambda: workspace.profile("nobody")


def unknown_trait(workspace, folder, monkeypatch):
    return lambda: workspace.preview(pk.Audience("A", pk.trait("emial") == "x"))


def no_destination(workspace, folder, monkeypatch):
    return lambda: workspace.plan("last_phone", to="nowhere")


def bad_identifier(workspace, folder, monkeypatch):
    return lambda: workspace.plan("vips", to="ads", ids={"full_name": "full_name"}, list="2")


def no_file(workspace, folder, monkeypatch):
    return lambda: workspace.export("last_phone", folder / "not there" / "out.csv")


def inline_secret(workspace, folder, monkeypatch):
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    text = text.replace('{ env = "ACCESS_TOKEN" }', f'"{SECRETS["ACCESS_TOKEN"]}"')
    (folder / "personas.toml").write_text(text, encoding="utf-8")
    return lambda: pk.open(folder)


def broken_file(workspace, folder, monkeypatch):
    with (folder / "personas.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[destinations.x]\ntype = "segment"\nwrite_key = "{SECRETS["WRITE_KEY"]}')
    return lambda: pk.open(folder)


def secret_in_a_url(workspace, folder, monkeypatch):
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    (folder / "personas.toml").write_text(text.replace("/webhook", f"/?key={SECRETS['HOOK_SECRET']}"), encoding="utf-8")
    return lambda: pk.open(folder)


ERRORS = [
    no_secret, blocked, stale, busy, no_disk, interrupted, unreadable_value, nobody, unknown_trait, no_destination,
    bad_identifier, no_file, inline_secret, broken_file, secret_in_a_url,
]  # fmt: skip


@pytest.mark.parametrize("going_wrong", ERRORS, ids=lambda case: case.__name__)
def test_an_error_tells_nothing_even_with_all_that_its_frames_hold(going_wrong, workspace, folder, monkeypatch):
    text = rendered(going_wrong(workspace, folder, monkeypatch))

    assert canaries_in(text) == []
    assert "outermost" in text  # the frames below are not there


def test_what_frames_hold_would_be_seen(workspace):
    """The way errors are rendered here finds what a frame holds: the test above can fail."""

    def careless():
        frame = workspace.members("last_phone")
        raise ValueError(frame.height)

    assert canaries_in(rendered(careless))


@pytest.mark.parametrize("slug", sorted(DESTINATIONS))
def test_a_secret_that_is_written_down_is_refused_when_the_file_is_opened(slug, tmp_path):
    secret = next((setting.name for setting in DESTINATIONS[slug].settings if setting.secret), None)
    if secret is None:
        pytest.skip("its address is its secret")
    settings = {name: value for name, value in fixture_of(slug)["settings"].items() if name != secret}
    others = "\n".join(
        f'{name} = {{ env = "OTHER" }}' if isinstance(value, dict) else f"{name} = {json.dumps(value)}"
        for name, value in settings.items()
    )
    file = tmp_path / "personas.toml"
    block = f'type = "{slug}"\nurl = "https://receiver.example"\n{others}\n{secret} = "{SECRETS["API_KEY"]}"\n'
    source = '[warehouse]\npath = "w.duckdb"\n[source]\nusers = { table = "u", id = "i" }\n'
    file.write_text(f"{source}[destinations.it]\n{block}", encoding="utf-8")
    text = rendered(lambda: pk.open(tmp_path))

    assert f"{secret!r} is a secret: refer to it, never write it down" in text
    assert secrets_in(text) == []
    with pytest.raises(pk.PersonasError):
        load(file)
