"""Workspaces by chance whose every secret, address and name would be recognised, and receivers that say them back."""

from __future__ import annotations

import base64
import json
import random
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from personas_kit.config import load
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.workspace import Workspace
from tests.activation.scripted import FakeClock
from tests.security.receivers import OK, response

#: A piece of every made-up text that is the same in JSON, HTML, a form, an address, a repr, and in small letters.
SEEN = re.compile(r"zq[0-9a-z]{12}qz", re.IGNORECASE)
AROUND = ["", "", "", " ", '"', "'", "\\", "%", "{", "<b>", "&amp;", "\u00e9", "\u2028", "\u202e", "\n", "\x00", "=1+1"]
"""What may stand beside it, and has to be escaped somewhere."""
TYPES = {"segment": "write_key", "amplitude": "api_key", "rudderstack": "write_key", "webhook": "secret"}
TYPES |= {"facebook-custom-audiences": "access_token"}
TRAITS = ["email", "phone", "full_name", "street"]
STATUSES = ["200 OK", "202 Accepted", "302 Found", "400 Bad", "401 No", "403 No", "404 Gone", "413 Large", "422 Odd",
            "429 Slow", "500 Broken", "503 Busy"]  # fmt: skip
HEADERS = ["X_Request_Id", "Set_Cookie", "Location", "Retry_After"]
#: Mistakes in the file: the line of a setting becomes this one, with something that should not stand there.
MISTAKES = [
    '{setting} = "{canary}"', '{setting} = ["{canary}"]', '{setting}s = "{canary}"',
    '{setting} = {{ env = "NOT_SET", default = "{canary}" }}', '{setting} = {{ value = "{canary}" }}',
    '{setting} = {{ env = "NOT_SET" }}\nurl = "https://someone:{canary}@example.com"',
    '{setting} = {{ env = "NOT_SET" }}\nurl = "http://example.com/{canary}"',
    '{setting} = {{ env = "NOT_SET" }}\nurl = "not an address {canary}"', '{setting} = "{canary}',
]  # fmt: skip

CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users = {{ table = "users", id = "user_id" }}

{destinations}
[[audience]]
name  = "Vips"
where = "trait('vip') = true"
to    = [{to}]

[[trait]]
name  = "Street now"
value = "trait('street')"
to    = [{{ destination = "{first}", ids = {{ email = "email" }} }}]
"""


@dataclass(slots=True)
class Fuzzed:
    """What one round is about.

    Attributes:
        some: chance.
        folder: of the workspace.
        secrets: what each variable of the environment says.
        told: the texts that may be found nowhere, beside what ``SEEN`` recognises.
        slugs: of the destinations.
        token: in the address of the webhook.
        warehouse: where the people are.
    """

    some: random.Random
    folder: Path
    secrets: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    slugs: list[str] = field(default_factory=list)
    token: str = ""
    warehouse: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)

    def canary(self, *, odd: bool = True) -> str:
        """A text that has never been, with something odd around it."""
        seen = "zq" + "".join(self.some.choices(string.digits + string.ascii_lowercase, k=12)) + "qz"
        return self.some.choice(AROUND) + seen + self.some.choice(AROUND) if odd else seen

    def make(self, url: str, *, mistaken: bool) -> None:
        """Some destinations, their secrets here or there, and some people."""
        self.slugs = self.some.sample([*TYPES], self.some.randrange(1, len(TYPES) + 1))
        self.token = self.canary(odd=False)  # the address of a webhook is a secret
        wrong = self.some.choice(self.slugs) if mistaken else ""
        tables = [self._destination(slug, url, mistaken=slug == wrong) for slug in self.slugs]
        lists = "facebook-custom-audiences"
        to = [f'{{ destination = "{slug}", {self._ids(slug == lists)} }}' for slug in self.slugs]
        first = next((slug for slug in self.slugs if slug != lists), self.slugs[0])
        text = CONFIG.format(destinations="\n".join(tables), to=", ".join(to), first=first)
        if first == lists:  # a list takes no values
            text = text.partition("[[trait]]")[0]
        (self.folder / "personas.toml").write_text(text, encoding="utf-8")
        self.warehouse.register("frame", self._people())
        self.warehouse.execute("create table users as from frame")

    def opened(self) -> Workspace:
        """The workspace, as another process would open it; the warehouse is a connection of one's own."""
        config = load(self.folder / "personas.toml")
        return Workspace(config, DuckDB(connection=self.warehouse), clock=FakeClock())

    def answers(self) -> Callable[[Any, bytes], object]:
        """A receiver that mostly says back what it was sent, in some shape, with a word of its own."""
        share = self.some.choice([0.3, 0.8, 1.0])

        def answer(connection: Any, request: bytes) -> object:
            if self.some.random() > share:
                return connection.sendall(OK)
            sent = re.sub(r"[\x00-\x1f]", " ", request.decode("latin-1"))[: self.some.choice([200, 4_000])]
            said = sent + self.canary()
            line = re.sub(r"[^\x21-\x7e]", "", said)[-500:]
            headers = dict.fromkeys(
                self.some.sample(["X_Request_Id", "Set_Cookie", "Location", "Retry_After"], 2), line
            )
            body = self.some.choice([said, json.dumps(self._shape(said, 3))]).encode("utf-8", "replace")
            cut = self.some.choice([None, None, None, -3])
            whole = response(body, status=f"{self.some.choice(STATUSES)} {line[-60:]}", **headers)
            connection.sendall(whole[:cut])
            return cut is None

        return answer

    def found(self, texts: Mapping[str, str]) -> dict[str, list[str]]:
        """Which of the texts tell something, and what."""
        found = {name: [*SEEN.findall(text), *(told for told in self.told if told in text)]
                 for name, text in texts.items()}  # fmt: skip
        return {name: seen[:3] for name, seen in found.items() if seen}

    def _destination(self, slug: str, url: str, *, mistaken: bool) -> str:
        setting, variable = TYPES[slug], f"SECRET_OF_{slug.upper().replace('-', '_')}"
        secret = self.canary().replace("\x00", "")
        self.told.add(base64.b64encode(f"{secret}:".encode()).decode().rstrip("=")[4:-4])
        if self.some.random() < 0.5:
            self.secrets[variable] = secret
            line = f'{setting} = {{ env = "{variable}" }}'
        else:
            (self.folder / f"{variable}.txt").write_text(secret, encoding="utf-8")
            line = f'{setting} = {{ file = "{variable}.txt" }}'
        path = {"rudderstack": "/rudderstack", "webhook": f"/webhook/{self.token}"}.get(slug, "")
        address = f'url = "{url}{path}"'
        if mistaken:
            shown = json.dumps(self.canary())[1:-1]  # as a text of TOML
            line = self.some.choice(MISTAKES).format(setting=setting, canary=shown)
            address = "" if "url" in line else address
        return f'[destinations.{slug}]\ntype = "{slug}"\n{address}\n{line}\n'

    def _ids(self, is_list: bool) -> str:
        kinds = {"email": "email", "phone": "phone"} | (
            {"first_name": "full_name"} if is_list else {"street": "street"}
        )
        chosen = self.some.sample([*kinds.items()], self.some.randrange(1, len(kinds) + 1))
        said = ", ".join(f'{kind} = "{column}"' for kind, column in chosen)
        return f"ids = {{ {said} }}" + (', list = "1"' if is_list else "")

    def _people(self) -> pl.DataFrame:
        lines = []
        for number in range(self.some.randrange(1, 9)):
            digits = "".join(self.some.choices(string.digits[1:], k=9))
            self.told.add(digits)
            email = f"{self.canary(odd=False)}@{self.canary(odd=False)}.example"
            written = f"{self.canary()} <{email}>" if self.some.random() < 0.3 else self.canary()
            lines.append((f"user_{number}", email, f"+4917{digits}", written, self.canary(), True))
        return pl.DataFrame(lines, schema=["user_id", *TRAITS, "vip"], orient="row")

    def _shape(self, said: str, depth: int) -> Any:
        """JSON by chance, with the words that destinations use, and the text in places."""
        words = ["message", "error", "errors", "code", "index", "reason", "success", "status", "handle", "id", "events",
                 "missing_field", "invalid_entry_samples", "num_received", "session_id", said]  # fmt: skip
        match self.some.randrange(5 if depth else 2):
            case 0:
                return said
            case 1:
                return self.some.choice([0, 1, 100, True, False, None, said])
            case 2:
                return [self._shape(said, depth - 1) for _ in range(self.some.randrange(3))]
            case _:
                return {word: self._shape(said, depth - 1) for word in self.some.sample(words, self.some.randrange(6))}
