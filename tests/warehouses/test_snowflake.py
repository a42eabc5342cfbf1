"""What is Snowflake's own: connections by name, tags, sessions, and what it says when it refuses.

The connector is the real one; the server is an emulator on this machine (``tests/snowflake_emulator``).
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import polars as pl
import pytest

from personas_kit.config import load
from personas_kit.definitions import Audience, event
from personas_kit.errors import WarehouseError
from personas_kit.notebook.preview_card import preview_card
from personas_kit.warehouses.base import Estimate
from personas_kit.warehouses.snowflake import TAG, Snowflake
from personas_kit.warehouses.snowflake_answers import listed
from personas_kit.warehouses.snowflake_live import CHECKS, live_checks
from personas_kit.workspace import Workspace
from tests.snowflake_emulator.emulator import PASSWORD, Emulator

needs_emulator = pytest.mark.emulator


@pytest.fixture
def warehouse(emulator: Emulator) -> Generator[Snowflake]:
    warehouse = Snowflake("emulator", connections_file=emulator.connections)
    yield warehouse
    warehouse.close()


# --------------------------------------------------------------------------------------------- connection and session


@needs_emulator
def test_it_connects_by_name_on_the_first_query_and_says_who_it_is(emulator: Emulator) -> None:
    emulator.log()
    warehouse = Snowflake("emulator", role="ANALYST", warehouse="SMALL", connections_file=emulator.connections)
    assert emulator.log() == []

    warehouse.query("SELECT 1 AS one", ())
    warehouse.query("SELECT 2 AS two", ())
    warehouse.close()

    logins = [entry for entry in emulator.log() if "login" in entry]
    assert len(logins) == 1
    assert logins[0]["login"]["LOGIN_NAME"] == "kit"
    assert logins[0]["login"]["CLIENT_ENVIRONMENT"]["APPLICATION"] == "personas_kit"
    session = {
        "TIMEZONE": "UTC", "QUERY_TAG": TAG, "QUOTED_IDENTIFIERS_IGNORE_CASE": "false", "ROWS_PER_RESULTSET": "0",
        "TIMESTAMP_INPUT_FORMAT": "AUTO",
    }  # fmt: skip
    assert logins[0]["login"]["SESSION_PARAMETERS"].items() >= session.items()
    assert logins[0]["query"] == "databaseName=SHOP&schemaName=PROD&warehouse=SMALL&roleName=ANALYST"
    assert warehouse.describe() == "snowflake · emulator"


@needs_emulator
def test_every_query_bears_its_tag(emulator: Emulator, warehouse: Snowflake) -> None:
    emulator.log()

    tag = '{"app": "personas_kit", "key": "big_spenders", "run": "7"}'
    warehouse.query("SELECT 1 AS one", (), tag=tag)
    warehouse.query("SELECT 2 AS two", ())

    tags = {entry["sql"]: entry["tag"] for entry in emulator.log() if "sql" in entry}
    assert tags == {"SELECT 1 AS one": tag, "SELECT 2 AS two": TAG}


@needs_emulator
def test_a_session_that_died_is_begun_anew(emulator: Emulator, warehouse: Snowflake) -> None:
    warehouse.query("SELECT 1 AS one", ())

    emulator.expire_sessions()

    assert warehouse.query("SELECT ? AS two", (2,))["two"].to_list() == [2]


@needs_emulator
def test_an_interrupt_cancels_the_query_in_snowflake_too(emulator: Emulator, warehouse: Snowflake) -> None:
    warehouse.query("SELECT 1 AS one", ())
    emulator.log()
    threading.Thread(target=_interrupt_once_it_runs, args=(emulator,)).start()

    with pytest.raises(KeyboardInterrupt):
        warehouse.query("SELECT 1 AS one /* wait */", ())

    assert [list(entry) for entry in emulator.log()] == [["aborted"]]
    assert warehouse.query("SELECT 2 AS two", ())["two"].to_list() == [2]


def _interrupt_once_it_runs(emulator: Emulator) -> None:
    while not any("/* wait */" in entry["sql"] for entry in emulator.log()):
        pass
    signal.raise_signal(signal.SIGINT)


@needs_emulator
def test_a_bare_name_is_that_of_the_connections_schema(emulator: Emulator, warehouse: Snowflake) -> None:
    emulator.run(
        "CREATE SCHEMA IF NOT EXISTS shop.staging",
        "CREATE OR REPLACE TABLE shop.prod.orders (id INTEGER)",
        "CREATE OR REPLACE TABLE shop.staging.orders (id INTEGER)",
        "CREATE OR REPLACE TABLE shop.staging.returns (id INTEGER)",
    )

    schema = warehouse.schema()

    assert schema["ORDERS"].parts == ("SHOP", "PROD", "ORDERS")
    assert schema["STAGING.ORDERS"].parts == ("SHOP", "STAGING", "ORDERS")
    assert schema["RETURNS"].parts == ("SHOP", "STAGING", "RETURNS")


# ----------------------------------------------------------------------------------------------------------- refusals


@needs_emulator
@pytest.mark.parametrize(
    ("name", "what", "hint"),
    [
        ("mistyped", "Incorrect username or password was specified", "under [mistyped] in connections.toml"),
        ("unheard_of", "Connection 'unheard_of' not found in config files", "has no section [unheard_of]"),
        ("nowhere", "Failed to login", "check `account` under [nowhere]"),
    ],
)
def test_a_connection_that_fails_says_what_to_do(emulator: Emulator, name: str, what: str, hint: str) -> None:
    with pytest.raises(WarehouseError) as raised:
        Snowflake(name, connections_file=emulator.connections).query("SELECT 1 AS one", ())

    assert raised.value.what.startswith("Snowflake cannot be reached: ")
    assert what in raised.value.what
    assert hint in raised.value.hint
    assert raised.value.where == f"snowflake · {name}"
    assert "http" not in str(raised.value)


@needs_emulator
def test_no_error_shows_the_password_nor_the_file_that_holds_it(emulator: Emulator, tmp_path: Path) -> None:
    broken = tmp_path / "connections.toml"
    broken.write_text(f'[emulator]\npassword = "{PASSWORD}" oops\n')
    broken.chmod(0o600)

    messages = []
    for name, file in (("mistyped", emulator.connections), ("emulator", broken)):
        with pytest.raises(WarehouseError) as raised:
            Snowflake(name, connections_file=file).query("SELECT 1 AS one", ())
        messages.append(str(raised.value))

    assert not [text for text in messages if PASSWORD in text or "incorrect donkey" in text]
    assert "Failed to parse TOML" in messages[1]
    assert "mend that line" in messages[1]


@needs_emulator
@pytest.mark.parametrize(
    ("answer", "what", "hint"),
    [
        (
            "002003 42S02: SQL compilation error:\nObject 'SHOP.PROD.USERS' does not exist or not authorized.",
            "Object 'SHOP.PROD.USERS' does not exist or not authorized.",
            "check the name; if it is right, ANALYST may not see it: GRANT SELECT ON TABLE ... TO ROLE ANALYST",
        ),
        (
            "003001 42501: SQL access control error:\nInsufficient privileges to operate on table 'USERS'",
            "Insufficient privileges to operate on table 'USERS'",
            "ask for the grant: GRANT SELECT ON TABLE ... TO ROLE ANALYST",
        ),
        (
            "000606 57P03: No active warehouse selected in the current session.",
            "No active warehouse selected in the current session.",
            "set `warehouse` for the connection, start it (ALTER WAREHOUSE ... RESUME)",
        ),
        (
            "000904 42000: SQL compilation error: error line 1 at position 7\ninvalid identifier 'EMIAL'",
            "invalid identifier 'EMIAL'",
            "a column was renamed or dropped",
        ),
        (
            "390144 08001: JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]",
            "JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]",
            "the key, user or account under [emulator] do not fit each other",
        ),
        (
            "390318 08001: OAuth access token expired. [ab12]",
            "OAuth access token expired. [ab12]",
            "make a new token",
        ),
        (
            "390422 08001: Incoming request with IP/Token 198.51.100.7 is not allowed to access Snowflake.",
            "Incoming request with IP/Token 198.51.100.7 is not allowed to access Snowflake.",
            "the account's network policy does not know this machine",
        ),
        (
            "000625 57014: Statement '01bb' has locked table 'LEASE' and this lock has not yet been released.",
            "Statement '01bb' has locked table 'LEASE' and this lock has not yet been released.",
            "somebody else is writing there: run it again",
        ),
        (
            "090073 22000: Warehouse 'SMALL' cannot be resumed because resource monitor 'CAP' has exceeded its quota.",
            "Warehouse 'SMALL' cannot be resumed because resource monitor 'CAP' has exceeded its quota.",
            "its owner can raise the quota",
        ),
        (
            "090105 22000: Cannot perform SELECT. This session does not have a current database.",
            "Cannot perform SELECT. This session does not have a current database.",
            "set `database` for the connection",
        ),
    ],
)
def test_a_refusal_says_what_to_do(emulator: Emulator, answer: str, what: str, hint: str) -> None:
    warehouse = Snowflake("emulator", role="ANALYST", connections_file=emulator.connections)

    with pytest.raises(WarehouseError) as raised:
        warehouse.query(f"SELECT 1 AS one /* answer {answer} */", ())
    warehouse.close()

    assert raised.value.what == f"Snowflake refused the query: {what}"
    assert raised.value.hint.startswith(hint)


def test_without_the_connector_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)

    with pytest.raises(WarehouseError) as raised:
        Snowflake("emulator").query("SELECT 1 AS one", ())

    assert raised.value.hint == "pip install personas-kit[snowflake]"


# ------------------------------------------------------------------------------------------------------------- arrays


@pytest.mark.parametrize(
    ("texts", "lists", "inner"),
    [
        (['["a", "b"]', None, "[]"], [["a", "b"], None, []], pl.String),
        (["[1, 2]", "[null]"], [[1, 2], [None]], pl.Int64),
        (["[1, 2.5]"], [[1.0, 2.5]], pl.Float64),
        (['[1, "a"]'], [["1", "a"]], pl.String),
        (["[]", None], [[], None], pl.String),
        ([None], [None], pl.String),
    ],
)
def test_the_text_of_an_array_becomes_a_list(
    texts: list[str | None], lists: list[list[object] | None], inner: pl.DataType
) -> None:
    found = listed(pl.Series("value", texts, pl.String))

    assert found.to_list() == lists
    assert found.dtype == pl.List(inner)


# ---------------------------------------------------------------------------- estimates, limits, and what is written


@needs_emulator
def test_an_estimate_says_what_would_be_read_and_reads_nothing(emulator: Emulator, warehouse: Snowflake) -> None:
    emulator.log()

    found = warehouse.estimate("SELECT ? AS one /* reads 1200 in 3 of 40 */", (1,))

    assert found == Estimate(1200, 3, 40)
    asked = [entry["sql"] for entry in emulator.log() if "sql" in entry]
    assert asked == ["EXPLAIN USING JSON SELECT ? AS one /* reads 1200 in 3 of 40 */"]


@needs_emulator
def test_a_statement_that_would_fail_has_no_estimate(warehouse: Snowflake) -> None:
    answer = "/* answer 000904 42000: SQL compilation error: error line 1 at position 7\ninvalid identifier 'EMIAL' */"

    with pytest.raises(WarehouseError, match="invalid identifier 'EMIAL'") as raised:
        warehouse.estimate(f"SELECT emial FROM people {answer}", ())

    assert "renamed or dropped" in raised.value.hint


@needs_emulator
def test_a_workspace_stops_a_query_that_would_read_too_much(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.run(
        "CREATE OR REPLACE TABLE folk (user_id TEXT)",
        "INSERT INTO folk VALUES ('u1'), ('u2')",
        "CREATE OR REPLACE TABLE doings (deed TEXT, done_at TIMESTAMP_NTZ, user_id TEXT)",
        "INSERT INTO doings VALUES ('Paid', '2026-01-01', 'u1')",
    )
    file = tmp_path / "personas.toml"
    file.write_text(
        '[warehouse]\ntype = "snowflake"\nconnection = "emulator"\nmax_bytes = "1 GB"\n'
        '[source]\nusers = { table = "folk", id = "user_id" }\n'
        'events = { table = "doings", name = "deed", at = "done_at", user = "user_id" }\n'
    )
    warehouse = Snowflake("emulator", connections_file=emulator.connections)
    workspace = Workspace(load(file), warehouse)
    payers = Audience("Payers", event("Paid").count() >= 1)
    monkeypatch.setattr(warehouse, "estimate", lambda *_: Estimate(2_500_000_000, 30, 400))

    with pytest.raises(WarehouseError) as raised:
        workspace.preview(payers)

    assert "would read 2.5 GB, more than 1.0 GB" in raised.value.what
    assert raised.value.where == "personas.toml: warehouse.max_bytes"

    monkeypatch.setattr(warehouse, "estimate", lambda *_: Estimate(12_000_000, 3, 400))
    card = workspace.preview(payers)
    assert "reads up to 12.0 MB in 3 of 400 partitions" in repr(card)
    assert "reads up to 12.0 MB in 3 of 400 partitions" in preview_card(card)
    assert card.to_dict()["bytes"] == 12_000_000
    warehouse.close()


@needs_emulator
def test_the_time_out_is_the_sessions(emulator: Emulator) -> None:
    emulator.log()
    hurried = Snowflake("emulator", timeout=90, connections_file=emulator.connections)
    hurried.query("SELECT 1 AS one", ())
    hurried.close()

    (login,) = [entry["login"] for entry in emulator.log() if "login" in entry]
    limits = {name: value for name, value in login["SESSION_PARAMETERS"].items() if name.startswith("STATEMENT_")}
    assert limits == {"STATEMENT_TIMEOUT_IN_SECONDS": "90", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": "90"}


@needs_emulator
def test_what_was_written_can_be_dropped_and_nothing_else_is_left(emulator: Emulator, warehouse: Snowflake) -> None:
    before = set(warehouse.schema())
    warehouse.write("Held", pl.DataFrame({"user_id": ["u1"]}))
    assert set(warehouse.schema()) - before == {"Held", "PROD.Held", "SHOP.PROD.Held"}

    warehouse.drop("Held")

    assert set(warehouse.schema()) == before


@needs_emulator
def test_bytes_of_a_file_stay_bytes_and_no_text_of_it_becomes_a_missing_one(
    emulator: Emulator, warehouse: Snowflake
) -> None:
    emulator.log()
    warehouse.write("Bytes", pl.DataFrame({"chunk": [0], "parquet": [b"PAR1\xff"]}))
    warehouse.drop("Bytes")

    (copied,) = [entry["sql"] for entry in emulator.log() if entry.get("sql", "").startswith("COPY INTO")]
    assert "BINARY_AS_TEXT = FALSE" in copied
    assert "NULL_IF = ()" in copied


@needs_emulator
def test_an_answer_of_which_half_is_lost_says_so_and_the_next_works(warehouse: Snowflake) -> None:
    for ask in (warehouse.query, lambda statement, params: list(warehouse.batches(statement, params))):
        with pytest.raises(WarehouseError) as raised:
            ask("SELECT user_id, orders FROM many /* cut */", ())
        assert raised.value.hint
        assert "\n" not in raised.value.what

    assert warehouse.query("SELECT 2 AS two", ())["two"].to_list() == [2]


# --------------------------------------------------------------------------------------------------------- live checks


@needs_emulator
def test_every_live_check_says_what_it_saw_and_none_stops_the_others(warehouse: Snowflake) -> None:
    found = {check.what: check for check in live_checks(warehouse)}

    assert list(found) == list(CHECKS)
    assert all(check.message and "\n" not in check.message for check in found.values())
    here = {what for what, check in found.items() if check.ok}
    assert here >= {"time zone", "timestamps", "numbers", "empty answer", "large answer", "write"}
    assert "tag" not in here  # the emulator has no query history
