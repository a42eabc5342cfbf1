"""The promises that the tests themselves rest on."""

import socket
import time

import pytest

pytest_plugins = ["pytester"]


class TestNetwork:
    def test_an_address_outside_is_refused_before_anything_is_sent(self):
        with socket.socket() as sock, pytest.raises(BaseException, match=r"reached for '192\.0\.2\.1'"):
            sock.connect(("192.0.2.1", 80))

    def test_a_name_outside_is_not_even_looked_up(self):
        with pytest.raises(BaseException, match=r"reached for 'api\.example\.com'"):
            socket.getaddrinfo("api.example.com", 443)

    def test_loopback_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
            assert client.getpeername() == server.getsockname()


def test_local_time_is_not_utc():
    assert time.localtime(0).tm_min == 30, "Kathmandu was 5:30 ahead of UTC in 1970"


def test_a_required_test_may_not_skip(pytester, monkeypatch, request):
    pytester.makeconftest(request.config.rootpath.joinpath("tests", "conftest.py").read_text())
    pytester.makeini("[pytest]\nmarkers =\n    browser: x\n")
    pytester.makepyfile(
        "import pytest\n@pytest.mark.browser\ndef test_a(): pytest.skip('no browser')\ndef test_b(): pytest.skip('x')"
    )

    monkeypatch.setenv("PERSONAS_REQUIRE_BROWSER", "1")
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(failed=1, skipped=1)

    monkeypatch.delenv("PERSONAS_REQUIRE_BROWSER")
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(skipped=2)


def test_what_campaigns_did_stands_together_at_the_end(pytester, request):
    pytester.makeconftest(request.config.rootpath.joinpath("tests", "conftest.py").read_text())
    pytester.makepyfile(
        "def test_a(record_campaign): record_campaign('storms: 7 kills'); assert False\n"
        "def test_b(record_campaign): record_campaign('calms: 0 kills')"
    )

    outcome = pytester.runpytest_subprocess("-p", "no:randomly")
    outcome.stdout.fnmatch_lines(["*= campaigns =*", "storms: 7 kills", "calms: 0 kills"], consecutive=True)
