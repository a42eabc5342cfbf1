"""A clock that only moves when somebody waits, and a network that answers from a list."""

import datetime as dt
from collections import deque

from personas_kit.activation.transport import NoAnswerError, NotConnectedError
from personas_kit.destinations import Answer

OK = Answer(200, {"content-type": "application/json"}, b'{"success":true}')
NOT_CONNECTED, NO_ANSWER, INTERRUPT = NotConnectedError(), NoAnswerError(), KeyboardInterrupt()


def answer(status, body=b"", **headers):
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class FakeClock:
    """Notes every wait and does not wait."""

    def __init__(self):
        self.time = 0.0
        self.waits = []

    def now(self):
        return dt.datetime(2026, 11, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=self.time)

    def monotonic(self):
        return self.time

    def sleep(self, seconds, unless=None):
        self.waits.append(seconds)
        self.time += seconds


class ScriptedTransport:
    """Gives the answers of a script, then that all is well; notes what was sent."""

    def __init__(self, *script):
        self.script = deque(script)
        self.sent = []
        self.closed = False

    def send(self, request):
        self.sent.append(request)
        following = self.script.popleft() if self.script else OK
        if callable(following):
            following = following(request)
        if isinstance(following, BaseException):
            raise following
        return following

    def close(self):
        self.closed = True
