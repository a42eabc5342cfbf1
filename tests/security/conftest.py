"""Secrets and people that would be recognised anywhere, and a hostile workspace."""

import pytest

from personas_kit.sandbox import Sandbox
from tests.activation.scripted import FakeClock
from tests.security import canaries, hostile
from tests.security.canaries import SECRETS


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    """Every secret of the tests, in the environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, sandbox):
    canaries.make(tmp_path, sandbox.url)
    return tmp_path


@pytest.fixture
def workspace(folder):
    opened = canaries.opened(folder, FakeClock())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """The hostile workspace."""
    folder = tmp_path_factory.mktemp("hostile")
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRITE_KEY", "made-up")
        hostile.make(folder, sandbox.url)
        workspace = canaries.opened(folder)
        workspace.sandbox = sandbox
        yield workspace
        workspace.close()


@pytest.fixture(scope="session")
def cards(world):
    """Its results."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRITE_KEY", "made-up")
        return hostile.one_of_each(world)
