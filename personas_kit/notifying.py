"""Tells a team's channel what has changed with its syncs: Slack, or an address of its own.

Slack: a POST of ``{"text": ...}`` to the address of an incoming webhook, which is a secret as a whole; an error is a
status. Source: https://docs.slack.dev/tools/java-slack-sdk/guides/incoming-webhooks,
https://docs.slack.dev/tools/node-slack-sdk/reference/webhook/enumerations/ErrorCode (read 2026-11-27). The signs
``&``, ``<`` and ``>`` are escaped, so that no name mentions anybody. An address of one's own gets the same as JSON,
signed like what the destination ``webhook`` gets.
"""

from __future__ import annotations

import contextlib
import html
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from personas_kit.activation.notices import Notice, notices_of
from personas_kit.activation.store import Store
from personas_kit.activation.sync import Sync
from personas_kit.activation.transport import (
    HttpTransport,
    NoAnswerError,
    NotConnectedError,
    Transport,
)
from personas_kit.config import Notify
from personas_kit.destinations import find
from personas_kit.destinations.base import Connection, Request
from personas_kit.errors import PersonasError, SyncBusy

_PLANS = 5
"""So many lines of what was only planned may stand before the last run."""
TELLS = Sync("notify", "", "track")
"""Held by whoever tells, so that two runs do not tell the same."""
MOST = 30
"""So many lines in one message for people."""
_TIMEOUT = 10.0
_PROBLEMS = (PersonasError, NotConnectedError, NoAnswerError)


@dataclass(frozen=True, slots=True)
class Notifying:
    """Tells each channel once what is in another state than what it was told last.

    Attributes:
        notify: the channels.
        store: remembers what was told.
        connect: opens a connection; another one in tests.
    """

    notify: Notify
    store: Store
    connect: Callable[[Connection], Transport] = HttpTransport

    def tell(self, syncs: Sequence[Sync]) -> list[str]:
        """Tell what is new, and say what was told, and what was not: that is told by the next run.

        Args:
            syncs: those that are configured.
        """
        said = list[str]()
        try:
            with self.store.lock(TELLS):
                for channel in self.notify.channels:
                    said += self._told(channel, syncs)
        except SyncBusy:
            said.append("another run tells what is new just now; what it leaves out is told by the next one")
        except PersonasError as problem:
            said.append(f"nothing was told: {problem.what}")
        return said

    def _told(self, channel: str, syncs: Sequence[Sync]) -> Iterator[str]:
        new = notices_of(syncs, self.store.latest(1 + _PLANS), self.store.told(channel))
        if not new:
            return
        problem = self._problem(channel, new)
        if problem:
            yield f"{channel} was not told ({problem}): the next run tries again"
            return
        self.store.note_told(channel, {notice.sync.id: notice.told for notice in new})
        yield f"{channel} was told: {'; '.join(f'{notice.sync} is {notice.now}' for notice in new)}"

    def _problem(self, channel: str, new: Sequence[Notice]) -> str:
        """Send them. Returns why that did not work; no secret, no address, nothing of the answer's body."""
        document = {"text": slack_text(new)} if channel == "slack" else {"changes": [each.to_dict() for each in new]}
        content = json.dumps(document, ensure_ascii=False).encode()
        try:
            connection = connection_to(self.notify, channel)
            headers = {"content-type": "application/json; charset=utf-8"}
            with contextlib.closing(self.connect(connection)) as transport:
                answer = transport.send(Request("POST", connection.home, headers, content))
        except _PROBLEMS as problem:
            return problem.what if isinstance(problem, PersonasError) else _words(problem)
        return "" if answer.is_success else f"status {answer.status}"


def connection_to(notify: Notify, channel: str) -> Connection:
    """What a channel is reached by. Reads its address, and sends nothing.

    Raises:
        ConfigError: the address, or the key that signs, is not there, or the address is not allowed.
    """
    signs = {"secret": notify.secret} if channel == "webhook" and notify.secret is not None else {}
    for each in signs.values():
        each.reveal()
    address = notify.channels[channel].reveal().strip()
    return find("webhook").configure(channel, signs, url=address, timeout=_TIMEOUT, allow_private=notify.allow_private)


def slack_text(new: Sequence[Notice]) -> str:
    """The message for people, in Slack's mrkdwn."""
    lines = [_slack_line(notice) for notice in new[:MOST]]
    if len(new) > MOST:
        lines.append(f"and {len(new) - MOST:,} more: `personas status`")
    return "\n".join(lines)


def _slack_line(notice: Notice) -> str:
    def safe(text: str) -> str:
        return html.escape(text, quote=False)

    mark = ":white_check_mark:" if notice.now == "ok" else ":warning:"
    command = f"\n    `{safe(notice.command)}`" if notice.command else ""
    return f"{mark} *{safe(str(notice.sync))}* {notice.now}: {safe(notice.said)}{command}"


def _words(problem: Exception) -> str:
    if isinstance(problem, NoAnswerError):
        return "no answer; it may have been told"
    return str(problem)
