"""The contract of a destination: what every one keeps, whoever wrote it, as tests that ``pytest`` runs on yours.

In a test file of your package::

    from pathlib import Path

    import acme_personas
    from personas_kit.testing import DestinationContract


    class TestAcme(DestinationContract):
        destination = acme_personas.destination
        fixture = Path(__file__).parent / "acme.json"

Every case, answer, exchange, poll, field, list and probe of the fixture is a test of its own, and so is every call. The
package has to be installed, so that its entry point is known. Some tests throw anything at the destination; they take
``hypothesis``, and are skipped where it is not installed. ``docs/own_destination.md`` begins at the beginning.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import unittest
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard, TypeVar, get_args

import httpx

from personas_kit.config import load
from personas_kit.destinations import find
from personas_kit.destinations.base import Call, Computation, Unanswered
from personas_kit.destinations.outcomes import Answer, Outcome, Verdict
from personas_kit.destinations.registry import GROUP, module_of
from personas_kit.errors import ConfigError, DestinationError, UnknownName
from personas_kit.testing import mangled
from personas_kit.testing.subject import Subject, answers_of
from personas_kit.testing.written import (
    CANARY,
    Canary,
    Said,
    answer_of,
    batch_of,
    body_of,
    check,
    computation_of,
    played,
    readable,
    same,
    settings_of,
    shown,
    strict,
    without_nothing,
)

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject

NO_LABELS = ("evil.com/x", "a b", "x@evil", "a:1", "a?b", "a#b", "", "-")
BUYERS = Computation("buyers", "account_audience", "Buyers")
LONGEST_REASON = 200
ANSWERED = 12
"""So many answers of one exchange may be anything. After them nobody is there any more."""
MOST = 12_000
"""Changes that a test makes; a digest has no limit of its own."""

_T = TypeVar("_T")
_SOURCE = '[warehouse]\npath = "w.duckdb"\n[source]\nusers = { table = "u", id = "i" }\n'


class DestinationContract(Subject):
    """Tests of one destination: derive a class from it whose name begins with ``Test``.

    Attributes:
        destination: yours.
        fixture: the file with its settings, cases and answers.
    """

    # --- what the fixture says ---------------------------------------------------------------------------------------

    def test_it_is_found_by_its_slug(self) -> None:
        """Its entry point is installed and points at it."""
        slug = self.destination.slug
        how = f'install the package with [project.entry-points."{GROUP}"], {slug} = "package:destination"'
        try:
            found = find(slug)
        except (UnknownName, DestinationError) as problem:
            raise AssertionError(f"{problem}\n{how}") from None
        check(found is self.destination, f"{slug!r} is another destination: {how}")

    def test_every_call_has_a_case(self) -> None:
        """What it takes is what the cases show."""
        missing = self.destination.calls ^ {case["call"] for case in self._said["cases"]}
        check(not missing, f"calls without a case, or cases of calls that it does not take: {sorted(missing)}")

    def test_given_changes_become_exactly_these_requests(self, case: Said) -> None:
        """Byte for byte what the vendor's documents show."""
        requests = self._way(case).requests(case["call"], batch_of(case["given"]), computation_of(self._said))
        same([readable(request) for request in requests], case["requests"], "requests")

    def test_canned_answers_have_exactly_these_outcomes(self, answer: Said) -> None:
        """Every row of the vendor's table of errors."""
        call = answer.get("call") or next(iter(self.destination.posts))
        outcome = self._connection().judge(call, answer_of(answer), answer["count"])
        same(shown(outcome), without_nothing(answer["outcome"]), "outcome")

    def test_every_kind_of_answer_has_an_example(self) -> None:
        """A success, a refusal that stops the push, and one that is tried again."""
        said = (*self._said["answers"], *self._said.get("exchanges", ()))
        verdicts = {each["outcome"]["verdict"] for each in said}
        for some in ({"acknowledged", "accepted"}, {"fatal"}, {"retry"}):
            check(verdicts & some, f"no answer of the fixture has the verdict {' or '.join(sorted(some))}")

    def test_an_exchange_takes_exactly_these_steps(self, exchange: Said | None) -> None:
        """Each step, and what comes of them all."""
        if not _offered(exchange, "exchanges", own=any(post.exchange for post in self._posts())):
            return
        connection, request, lines = self._work(exchange)
        outcome = played(connection.exchange(exchange["call"], request, lines), exchange["steps"])
        same(shown(outcome), without_nothing(exchange["outcome"]), "outcome")

    def test_accepted_work_is_asked_about_by_exactly_these_steps(self, poll: Said | None) -> None:
        """With what became of it; null while that is not known."""
        if _offered(poll, "polls", own=self.destination.poll):
            outcome = played(self._connection().polling(poll["handle"]), poll["steps"])
            same(outcome and shown(outcome), poll["outcome"] and without_nothing(poll["outcome"]), "outcome")

    def test_a_field_is_found_or_made_by_exactly_these_steps(self, field: Said | None) -> None:
        """With what it is called there."""
        if _offered(field, "fields", own=self.destination.fields):
            same(played(self._asking(field)(self._connection()), field["steps"]), field["result"], "result")

    def test_a_list_is_made_by_exactly_these_steps(self, made_list: Said | None) -> None:
        """With its id there."""
        if _offered(made_list, "lists", own=self.destination.lists):
            same(played(self._asking(made_list)(self._connection()), made_list["steps"]), made_list["result"], "result")

    def test_a_probe_reads_and_says_what_is_wrong(self, probe: Said | None) -> None:
        """The request that proves the credentials, and its answers."""
        own, request = self.destination.probe, self._connection().probe()
        if not _offered(probe, "probe", own=own) or own is None or request is None:
            return
        seen = {"method": request.method, "path": readable(request)["path"], "body": body_of(request)}
        same(seen, {"body": None, **probe["request"]}, "request")
        same(own.says(answer_of(probe["answer"])), probe["says"], "says")

    # --- requests ----------------------------------------------------------------------------------------------------

    def test_requests_keep_the_limits_and_carry_every_line_once_in_order(self, call: Call, who: str) -> None:
        """Also one line more than a request holds, and none."""
        for connection, change, post in self._ways(call):
            limits = post.limits or self.destination.limits
            for count in (0, 1, min(limits.items, MOST) + 1):
                requests = connection.requests(call, batch_of(self._lines(call, count, who, change)), BUYERS)
                carried = [at for request in requests for at in range(*request.lines)]
                check(carried == list(range(count)), f"{count} lines, and the requests carry {len(carried)} of them")
                for request in requests:
                    lines, size = request.lines[1] - request.lines[0], len(request.content)
                    check(lines <= limits.items, f"{lines} changes in a request that holds {limits.items}")
                    check(size <= limits.bytes, f"a body of {size} bytes, and {limits.bytes} is the most")

    def test_the_same_batch_gives_the_same_bytes(self, call: Call) -> None:
        """In every run: a repeated request is known by them."""
        batch = batch_of(self._lines(call, 3))
        once, again = (self._connection().requests(call, batch, BUYERS) for _ in range(2))
        pairs = zip(once, again, strict=True)
        check(
            all(one == other for one, other in pairs), "the same changes gave another request: a time, or a random id?"
        )

    def test_a_line_that_no_request_can_hold_is_named(self, call: Call) -> None:
        """By an id that is far too long."""
        connection = self._connection()
        limits, lines = connection.limits(call), self._lines(call, 3)
        if not any(connection.items(call, batch_of(lines), BUYERS)):
            return  # nothing of a single change is sent
        long = "x" * (limits.item_bytes or limits.bytes)
        lines[1] = self._line(call, 1, long)
        batch = batch_of(lines)
        refused = connection.refused(call, batch, connection.items(call, batch, BUYERS))
        check(list(refused) == [1], f"line 1 of 3 is too long for a request; refused were {sorted(refused)}")

    def test_the_secret_is_put_in_as_a_request_leaves_and_is_nowhere_else(self, call: Call) -> None:
        """Neither in a request nor in anything that may be shown; and people are not shown either."""
        connection = self._connection()
        (request, *_) = connection.requests(call, batch_of(self._lines(call, 1)), BUYERS)
        seen = repr((request, connection, connection.destination, connection.auth(), connection.target))
        headers = dict(request.headers)
        check(CANARY not in f"{seen}{request.url}{headers}{request.content.decode()}", "the secret stands in a request")
        check("u0@example.com" not in seen, "a repr shows an address")
        plain, message = (
            httpx.Request(request.method, request.url, content=request.content, headers=headers) for _ in range(2)
        )
        leaving = next(connection.auth().sync_auth_flow(message))
        if connection.secrets:
            before, after = ((str(one.url), one.headers.raw, one.content) for one in (plain, leaving))
            check(after != before, "there is a secret, and nothing of it is sent")
            length = int(leaving.headers["content-length"])
            check(length == len(leaving.content), "the length in the header is not that of the body")

    def test_any_value_and_any_id_are_strict_json_that_reads_back_the_same(self, call: Call) -> None:
        """Quotes, control characters, big numbers, lists and objects; of a list, the identifier of a member."""
        arbitrary, connection = _arbitrary(), self._connection()
        computation = Computation("buyers", "account_trait" if call == "group" else "trait", "Buyers")

        def holds(data: DataObject) -> None:
            value = data.draw(arbitrary.VALUES) if call in {"identify", "group"} else "true"
            change = data.draw(arbitrary.st.sampled_from(("enter", "exit")))
            who = data.draw(arbitrary.IDS)
            batch = batch_of([self._line(call, at, who, change, value) for at in range(2)])
            items = connection.items(call, batch, computation)
            check(not items.null_count(), "a change became nothing")
            if connection.refused(call, batch, items):
                return
            for request in connection.requests(call, batch, computation, items):
                body = body_of(request, Decimal)
                if call in {"identify", "group"}:
                    check(_holds(body, self._sent(value)), f"the value {value} is not in the body as its rule says")

        arbitrary.for_any(holds)

    # --- answers -----------------------------------------------------------------------------------------------------

    def test_no_status_alone_is_a_success(self, status: int) -> None:
        """Unless the receiver is the user's own, or the vendor says nothing but the status; the fixture says so."""
        trusted = "a status alone" in self._said and status // 100 == 2  # noqa: PLR2004
        outcome = self.destination.outcomes.of(Answer(status, {}, b"<html>surprise</html>"), 2)
        expected = {2: "unknown", 3: "fatal", 5: "retry"}.get(status // 100)
        if expected is not None and not trusted:
            check(outcome.verdict == expected, f"{status} with a body of HTML is {outcome.verdict}, not {expected}")
        check(outcome.verdict != "acknowledged" or trusted, f"{status} with a body of HTML is a success")
        check("surprise" not in outcome.reason, "the reason has a piece of the body")

    def test_a_batch_that_is_refused_is_halved_and_a_single_change_rejected(self) -> None:
        """413; and what stops a push, and how long to wait."""
        table = self.destination.outcomes
        expected = {(413, 2): "split", (413, 1): "rejected"} | {(status, 2): "fatal" for status in (401, 403, 404)}
        for (status, count), verdict in expected.items():
            found = table.of(Answer(status), count).verdict
            check(found == verdict, f"{status} to {count} changes is {found}, not {verdict}")
        waits = table.of(Answer(429, {"Retry-After": "12"}), 2).after
        check(waits == 12, f"a 429 that asks for 12 seconds waits for {waits}")  # noqa: PLR2004

    def test_anything_in_any_place_of_an_answer_can_be_read(self, answer: Said) -> None:
        """By every table, by the probe, and by what asks later what became of work."""
        for given in mangled.answers(answer):
            mangled.attempt(self._check_reading, given)

    def test_anything_in_any_place_of_an_answer_ends_an_exchange(self, exchange: Said | None) -> None:
        """In an outcome: the generator raises nothing."""
        if exchange is not None:
            connection, request, lines = self._work(exchange)
            start = partial(connection.exchange, exchange["call"], request, lines)
            self._check_steps(start, exchange, lambda outcome: self._check_outcome(outcome, lines.height))

    def test_anything_in_any_place_of_an_answer_ends_the_asking_about_work(self, poll: Said | None) -> None:
        """In an outcome, or in none yet."""
        if poll is not None:
            self._check_steps(partial(self._connection().polling, poll["handle"]), poll, self._check_later)

    def test_anything_in_any_place_of_an_answer_ends_a_question_for_a_field(self, field: Said | None) -> None:
        """With what it is called, none, or ``Unanswered``."""
        if field is not None:
            self._check_steps(partial(self._asking(field), self._connection()), field, _check_name)

    def test_anything_in_any_place_of_an_answer_ends_the_making_of_a_list(self, made_list: Said | None) -> None:
        """With its id, none, or ``Unanswered``."""
        if made_list is not None:
            self._check_steps(partial(self._asking(made_list), self._connection()), made_list, _check_name)

    def test_whatever_is_answered_at_every_step_an_exchange_ends_in_an_outcome(self) -> None:
        """Any status and any body, and then nothing any more."""
        arbitrary, plays = _arbitrary(), list(self._plays())

        def holds(data: DataObject) -> None:
            connection, call, lines, request, usual = data.draw(arbitrary.st.sampled_from(plays))

            def answer(step: int) -> Answer | None:
                return arbitrary.an_answer(usual[min(step, len(usual) - 1)], data) if step < ANSWERED else None

            outcome = mangled.driven(connection.exchange(call, request, lines), answer, connection.home)
            self._check_outcome(outcome, lines.height)

        arbitrary.for_any(holds)

    # --- settings and addresses --------------------------------------------------------------------------------------

    def test_what_stands_in_a_host_has_a_pattern(self) -> None:
        """Else a setting could lead requests, and the secret, elsewhere."""
        patterns = {setting.name: setting.pattern for setting in self.destination.settings}
        for name in sorted(set().union(*map(_named, self.destination.hosts.values()))):
            check(patterns.get(name), f"the setting {name!r} stands in the host and has no pattern")
            for bad in NO_LABELS:
                check(not re.fullmatch(patterns[name], bad), f"the pattern of {name!r} takes {bad!r}, in a host")

    def test_every_host_is_https_and_every_region_has_one(self) -> None:
        """And no region is without a setting for it."""
        hosts = self.destination.hosts
        regions = next((setting.choices for setting in self.destination.settings if setting.name == "region"), ())
        check(all(host.startswith("https://") for host in hosts.values()), "a host is not https")
        check(not regions or set(hosts) == set(regions), f"regions {sorted(regions)}, and hosts for {sorted(hosts)}")

    def test_settings_are_checked_without_repeating_them(self) -> None:
        """A secret that is written down is refused, and not shown; so is a setting that nobody knows."""
        right, url = settings_of(self._said, Canary()), self._said.get("url")
        for secret in (setting.name for setting in self.destination.settings if setting.secret):
            said = self._refusal({**right, secret: "hunter2"}, url)
            check("refer to it" in said and "hunter2" not in said, f"{secret!r} written down is not refused: {said}")
        said = self._refusal({**right, "colour": "red"}, url)
        check("no setting 'colour'" in said, f"an unknown setting is not refused: {said}")

    def test_secrets_only_leave_through_tls(self, url: str) -> None:
        """To an address that is one."""
        said = self._refusal(settings_of(self._said, Canary()), url)
        check("this url is not allowed" in said, f"{url} is allowed")

    def test_the_block_to_paste_is_a_configuration(self, tmp_path: Path) -> None:
        """What ``personas destinations`` shows can be pasted as it is."""
        text = self.destination.paste().replace("https://...", "https://example.com")
        file = tmp_path / "personas.toml"
        file.write_text(f"{_SOURCE}{text}\n", encoding="utf-8")
        (name,) = load(file).destinations
        check(name == module_of(self.destination.slug), f"it is called {name!r}")

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _sent(self, value: str) -> Sequence[object]:
        """How a value may stand in a body: by the rule of the destination, or as plain text. None where it is null."""
        kept, rule = strict(value, Decimal), self.destination.values
        plain = kept if isinstance(kept, str) else value
        as_text = (
            (isinstance(kept, bool) and rule.booleans == "text")
            or (isinstance(kept, int | Decimal) and not isinstance(kept, bool) and rule.numbers == "text")
            or (isinstance(kept, list | dict) and not rule.lists)
        )
        return () if kept is None else (plain,) if as_text else (kept, plain)

    def _check_outcome(self, outcome: object, count: int) -> None:
        if not isinstance(outcome, Outcome):
            raise AssertionError(f"it ended in {type(outcome).__name__}, and not in an Outcome")  # noqa: TRY004
        check(outcome.verdict in get_args(Verdict), f"{outcome.verdict!r} is no verdict")
        positions = [*outcome.rejected, *outcome.again]
        check(all(0 <= at < count for at in positions), f"positions {positions} of {count} changes")
        check(len({*positions}) == len(positions), "a position is rejected, and tried again")
        for reason in (outcome.reason, *outcome.rejected.values()):
            _check_reason(reason)
        if outcome.verdict == "accepted":
            check(
                outcome.handle and self.destination.poll, "accepted needs a handle, and a poll to ask what became of it"
            )

    def _check_later(self, outcome: object) -> None:
        """What became of accepted work: it has no positions any more."""
        if outcome is not None:
            self._check_outcome(outcome, 0)

    def _check_reading(self, answer: Answer) -> None:
        for table in self._tables():
            self._check_outcome(table.of(answer, 3), 3)
        if self.destination.probe is not None:
            _check_reason(self.destination.probe.says(answer))
        later = self.destination.poll.read(answer) if self.destination.poll is not None else None
        if later is not None:
            self._check_outcome(later, 3)

    def _check_steps(
        self, start: Callable[[], Generator[Any, Answer, _T]], said: Said, check_result: Callable[[_T], None]
    ) -> None:
        """Run it with each of its answers made odd; what comes after it is answered as written, then not any more."""
        answers, home = answers_of(said), self._connection().home

        def run(at: int, given: Answer) -> None:
            def answer(step: int) -> Answer | None:
                return given if step == at else answer_of(answers[step]) if step < len(answers) else None

            with contextlib.suppress(Unanswered):
                check_result(mangled.driven(start(), answer, home))

        for at, usual in enumerate(answers):
            for given in () if usual in answers[:at] else mangled.answers(usual):
                mangled.attempt(partial(run, at), given)

    def _refusal(self, values: Mapping[str, object], url: str | None) -> str:
        try:
            self.destination.configure("it", values, url=url)
        except ConfigError as problem:
            return str(problem)
        return "it is taken"


def _offered(entry: Said | None, part: str, *, own: object) -> TypeGuard[Said]:
    """Whether there is an entry; what a module offers has one, and nothing else has.

    Raises:
        AssertionError: that is not so.
    """
    check(bool(own) or entry is None, f"the fixture has {part!r}, and the destination has nothing of its own there")
    check(not own or entry is not None, f"the fixture shows nothing of what the destination offers: add {part!r}")
    return entry is not None


def _check_name(name: object) -> None:
    check(
        name is None or isinstance(name, str),
        f"a field or a list is called by a text, and not by {type(name).__name__}",
    )


def _named(template: str) -> set[str]:
    """The places in a template."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _check_reason(reason: str) -> None:
    check(isinstance(reason, str), "a reason is a text")
    check(len(reason) < LONGEST_REASON and reason.isprintable(), f"a reason is short: {reason[:LONGEST_REASON]!r}")
    check("Canary" not in reason, "a reason tells a piece of the answer: only its error codes may be shown, by code()")


def _holds(body: object, values: Sequence[object]) -> bool:
    """Whether one of the values stands somewhere in a body, exactly: 1 is not true, and 1.0 not 1."""
    wanted = {repr(value) for value in values}
    return not wanted or any(repr(node) in wanted for node in _nodes(body))


def _nodes(body: object) -> Iterator[object]:
    """All that stands in a body; also in JSON that stands in a text of it, plain or in base64."""
    yield body
    inside: Sequence[object] = ()
    if isinstance(body, dict):
        inside = list(body.values())
    elif isinstance(body, list):
        inside = body
    elif isinstance(body, str):
        inside = _unpacked(body)
    for each in inside:
        yield from _nodes(each)


def _unpacked(text: str) -> Sequence[object]:
    try:
        plain = text if text.startswith("{") else base64.b64decode(text, validate=True).decode()
        return [strict(plain, Decimal)] if plain.startswith("{") else ()
    except (ValueError, binascii.Error):
        return ()


def _arbitrary() -> ModuleType:
    """What takes hypothesis.

    Raises:
        unittest.SkipTest: it is not installed.
    """
    try:
        from personas_kit.testing import arbitrary  # noqa: PLC0415  (needs what need not be there)
    except ModuleNotFoundError as missing:
        _skip(missing)
    return arbitrary


def _skip(missing: ModuleNotFoundError) -> NoReturn:
    if missing.name != "hypothesis":
        raise missing
    raise unittest.SkipTest("hypothesis is not installed")
