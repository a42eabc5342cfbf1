"""What is asked of the company: each definition as ``personas.toml`` has it, and once more by hand, as plain SQL.

Nothing of the kit reads the company here, nor shapes what a destination should hold: an address is lowered and hashed
by hand, an account's users are joined by hand.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from tests.soak.company import Company, naive

Held = Mapping[str, object]
"""Who is at a place: True, or a number that is not 0."""
ADS, NEWS, QUIET = "1001", "2001", "2002"
EARLY = 5 * 60
"""Seconds that a run may be early."""
MINIMUM = {"ads": 6 * 3_600, "marketing": 3_600}
"""Seconds between two updates of a list."""

_USERS = "select u.user_id from users u where u.created_at <= $now"
_DID = """select e.user_id from events e where e.event = '{event}' and e.timestamp <= $now
    and e.timestamp > $now - to_days({days}) group by 1 having count(distinct e.message_id) >= {least}"""
_PAIRS = """select distinct m.user_id, m.account_id from memberships m
    join users u on u.user_id = m.user_id and u.created_at <= $now
    join accounts a on a.account_id = m.account_id and a.created_at <= $now
    where m.valid_from <= $now and (m.valid_to is null or m.valid_to > $now)"""
_LIVELY = f"""select distinct p.account_id from ({_PAIRS}) p join accounts a on a.account_id = p.account_id
    where a.kind = 'company' and p.user_id in ({_DID.replace("{event}", "Feature Used")})"""
_SPEND = """select e.user_id, sum(e.revenue) from events e
    join users u on u.user_id = e.user_id and u.created_at <= $now
    where e.event = 'Order Completed' and e.timestamp <= $now and e.timestamp > $now - to_days({days}) group by 1"""
_SEATS = f"""select p.account_id, count(distinct e.user_id) from ({_PAIRS}) p join events e on e.user_id = p.user_id
    where e.event = 'Signed In' and e.timestamp <= $now and e.timestamp > $now - to_days({{days}}) group by 1"""


@dataclass(frozen=True)
class Meant:
    """A definition of the file.

    Attributes:
        kind: its table there; ``said`` what is asked, and ``by_hand`` the same as SQL, with ``days`` and ``least``.
        every: hours.
        to: the entries of ``to``: destination, calls, and the list.
        more: further lines of its block.
    """

    key: str
    kind: str
    said: str
    by_hand: str
    every: int
    to: tuple[tuple[str, tuple[str, ...], str], ...]
    days: int = 10
    least: int = 1
    more: str = ""

    @property
    def block(self) -> str:
        """Its block in the file."""
        asks = "value" if self.kind.endswith("trait") else "where"
        entries = ",\n    ".join(_entry(*one, valued=asks == "value") for one in self.to)
        said = self.said.format(days=self.days, least=self.least)
        return (
            f'[[{self.kind}]]\nname = "{self.key}"\nkey = "{self.key}"\n{asks} = """{said}"""\n'
            f'every = "{self.every}h"\n{self.more}to = [\n    {entries},\n]\n'
        )

    def interval(self, destination: str) -> int:
        """Seconds: the smallest multiple of its own that the destination takes."""
        own = self.every * 3_600
        return own * max(1, -(-MINIMUM.get(destination, 0) // own))


def _entry(destination: str, calls: tuple[str, ...], place: str, *, valued: bool) -> str:
    parts = [f'destination = "{destination}"', f"send = {[*calls]}".replace("'", '"')]
    parts += [f'list = "{place}"'] if place else []
    parts += ['ids = { email = "email" }'] if destination in {"ads", "crm", "marketing"} else []
    parts += ['combine = "max"'] if destination == "crm" and valued else []
    return "{ " + ", ".join(parts) + " }"


def at_first(keys: Collection[str] = ()) -> dict[str, Meant]:
    """The file of the first day: these definitions, or all."""
    listed = [
        Meant(
            "buyers", "audience", "event('Order Completed').within({days} days).count() >= {least}",
            f"{_USERS} and coalesce(u.marketing_consent, true) and u.user_id in "
            f"({_DID.replace('{event}', 'Order Completed')})", 1,
            (("analytics", ("identify", "track"), ""), ("ads", ("list",), ADS)), days=8,
            more="unless = \"trait('marketing_consent') = false\"\n",
        ),
        Meant(
            "active", "audience", "event('Feature Used').within({days} days).count() >= {least}",
            f"{_USERS} and u.user_id in ({_DID.replace('{event}', 'Feature Used')})", 2,
            (("analytics", ("identify", "track"), ""), ("crm", ("identify",), "")), days=20,
        ),
        Meant(
            "spend", "trait", "event('Order Completed').within({days} days).sum('revenue')", _SPEND, 6,
            (("gateway", ("identify",), ""), ("crm", ("identify",), "")), days=14,
        ),
        Meant(
            "lively", "account_audience",
            "ANY (event('Feature Used').within({days} days).count() >= {least}) AND account_trait('kind') = 'company'",
            _LIVELY, 3, (("gateway", ("identify", "group"), ""), ("marketing", ("list",), NEWS)), days=6,
        ),
        Meant(
            "seats", "account_trait", "event('Signed In').within({days} days).unique('user_id').count()", _SEATS, 12,
            (("gateway", ("group",), ""),), days=5,
        ),
        Meant(
            "quiet", "audience", "trait('active') = true AND NOT (event('Signed In').within({days} days).count() >= 1)",
            f"{_USERS} and u.user_id in ({{active}}) and u.user_id not in "
            f"({_DID.replace('{event}', 'Signed In').replace('{least}', '1')})", 4,
            (("gateway", ("identify", "track"), ""), ("marketing", ("list",), QUIET)), days=7,
        ),
    ]  # fmt: skip
    return {one.key: one for one in listed if not keys or one.key in keys}


def added() -> Meant:
    """One that comes later."""
    return Meant(
        "heads", "audience", "trait('role') = 'buyer' AND event('Page Viewed').within({days} days).count() >= {least}",
        f"{_USERS} and u.role = 'buyer' and u.user_id in ({_DID.replace('{event}', 'Page Viewed')})", 1,
        (("analytics", ("identify",), ""), ("crm", ("identify",), "")), days=9,
    )  # fmt: skip


class ByHand:
    """What every place should hold at an instant, by the file of that instant."""

    def __init__(self, company: Company, meant: Mapping[str, Meant], now: dt.datetime) -> None:
        self._company, self._meant, self._now = company, meant, naive(now)
        emails = company.ask("select user_id, email from users where email is not null and trim(email) <> ''")
        self._email = {user: email.strip().lower() for user, email in emails}
        self._found: dict[str, dict[str, object]] = {}
        self._pairs = company.ask(_PAIRS, now=self._now)

    def held(self, key: str, destination: str, call: str) -> Held:
        """Who, and with which value."""
        one = self._meant[key]
        users = one.kind == "account_audience" and call != "group"
        found = self._users(one) if users else self._subjects(one)
        if destination not in {"ads", "crm", "marketing"}:
            return {who: value for who, value in found.items() if value}
        there: dict[str, object] = {}
        for user, value in found.items():
            if user in self._email and value:
                address = self._email[user]
                name = hashlib.sha256(address.encode()).hexdigest() if destination == "ads" else address
                there[name] = max(value, there.get(name, value))  # type: ignore[call-overload]
        return there

    def _subjects(self, one: Meant) -> dict[str, object]:
        if one.key not in self._found:
            active = _filled(self._meant["active"]) if "active" in self._meant else ""
            inside = one.by_hand.replace("{active}", active)
            lines = self._company.ask(_filled(replace(one, by_hand=inside)), now=self._now)
            self._found[one.key] = {line[0]: float(line[1]) if len(line) > 1 else True for line in lines}
        return self._found[one.key]

    def _users(self, one: Meant) -> dict[str, object]:
        """The users of an account definition's accounts."""
        accounts = self._subjects(one)
        return {user: True for user, account in self._pairs if account in accounts}


def _filled(one: Meant) -> str:
    return one.by_hand.replace("{days}", str(one.days)).replace("{least}", str(one.least))
