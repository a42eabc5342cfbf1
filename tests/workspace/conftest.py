"""A workspace over the generated company, shared by the tests that only look."""

import pytest

from personas_kit.company import open_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()
