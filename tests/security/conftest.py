"""Secrets that would be recognised anywhere, and a hostile workspace."""

import pytest

from personas_kit.sandbox import Sandbox
from tests.security import hostile
from tests.security.canaries import SECRETS, opened


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    """Every secret of the tests, in the environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """The hostile workspace."""
    folder = tmp_path_factory.mktemp("hostile")
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRITE_KEY", "made-up")
        hostile.make(folder, sandbox.url)
        workspace = opened(folder)
        workspace.sandbox = sandbox
        yield workspace
        workspace.close()


@pytest.fixture(scope="session")
def cards(world):
    """Its results."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRITE_KEY", "made-up")
        return hostile.one_of_each(world)
