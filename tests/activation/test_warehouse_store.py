"""A store in a schema of the warehouse: its tables, what it needs, and what a team does with it."""

import contextlib
import datetime as dt
import decimal
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest

import personas_kit as pk
from personas_kit.activation.state import BatchResult
from personas_kit.activation.store import WarehouseStore
from personas_kit.activation.store.schema import statements
from personas_kit.activation.store.warehouse import FORMAT_HOLDS
from personas_kit.config import load
from personas_kit.errors import ConfigError, StateError, WarehouseError
from personas_kit.sandbox import Sandbox
from personas_kit.warehouses import duckdb as duckdb_adapter
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.warehouses.keeping import RESTED, over_lines
from personas_kit.warehouses.postgres import Postgres
from tests import small
from tests.activation import team
from tests.activation.conftest import POSTGRES, SNOWFLAKE
from tests.activation.test_store import BUYERS, acknowledged, entering, head, lines, push, run, unknown
from tests.postgres_server.server import DATABASE, PASSWORD

SQL = Path(__file__).parents[2] / "sql" / "postgres"
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(params=["duckdb", POSTGRES])
def shared_place(request):
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
def store(shared_place):
    return shared_place()


@pytest.fixture(params=["duckdb", POSTGRES, SNOWFLAKE])
def every_place(request):
    """With the emulator, too, which is slow."""
    return request.getfixturevalue(f"{request.param}_place")


def keeper_of(store):
    return store._journal._keeper


def change(store, *statements):
    """Do something behind the store's back."""
    with keeper_of(store).changing() as session:
        for statement in statements:
            session.run(statement)


def frames(store):
    return sorted(name for name in keeper_of(store).tables() if name.startswith(("members_", "plans_")))


# ---------------------------------------------------------------------------------------------------------- the tables


def test_looking_makes_nothing(every_place):
    store = every_place()
    store.load(BUYERS)
    store.syncs()
    store.runs()
    store.begun(BUYERS)

    assert keeper_of(store).tables() == frozenset()


def test_no_plan_is_left_and_the_members_can_be_read_by_sql(every_place):
    store = every_place()
    push(store, entering("ann", "Zoë", "it's"))
    push(store, lines(("exit", "ann")), plan_id="p2")

    with store._journal.reading() as tables:
        parts = tables.rows("select file from part order by position")
        found = tables.rows(f'select "member" as member from {parts[0]["file"]}')
    assert {part["file"] for part in parts} <= set(frames(store))
    assert not any(name.startswith("plans_") for name in frames(store))
    assert {row["member"] for row in found} <= {"ann", "Zoë", "it's"}
    assert acknowledged(store) == ["Zoë", "it's"]


def test_after_a_reset_no_table_of_members_is_left(store):
    push(store, entering("ann"))
    with store.lock(BUYERS):
        store.begin(head("p2"), entering("bob"))
        store.reset(BUYERS)

    assert frames(store) == []


#: A plan carries what its payloads need, of whatever type the columns of users are.
CARRIED = pl.DataFrame(
    {
        "member": ["u1", "Zoë '\"\\ ?", ""],
        "change": pl.Series(["enter", "exit", None], dtype=pl.Enum(["enter", "exit", "set"])),
        "value": ["true", None, ""],
        "message_id": ["a", "b", "c"],
        "timestamp": pl.Series([NOON] * 3, dtype=pl.Datetime("us", "UTC")),
        "was_unknown": [True, False, None],
        "score": [0.1, float("nan"), None],
        "paid": pl.Series([decimal.Decimal("12.50"), None, decimal.Decimal("-0.01")], dtype=pl.Decimal(10, 2)),
        "born": [dt.date(1970, 1, 1), None, dt.date(9999, 12, 31)],
        "accounts": pl.Series([["a1", "a2"], [], None], dtype=pl.List(pl.String)),
        "raw": [b"\x00\xff", b"", None],
        "logins": pl.Series([1, None, -3], dtype=pl.Int32),
    }
)


def test_frames_are_remembered_beside_each_other(duckdb_place):
    frames, written = duckdb_place()._frames, []
    threads = [threading.Thread(target=lambda at=at: written.append(frames.write("plans", at, CARRIED))) for at in "ab"]

    class Looked(dict):
        """While what is remembered is looked through, another frame is written."""

        def values(self):
            through = iter(super().values())
            yield next(through)
            if threads[1].ident is None:
                threads[1].start()
                threads[1].join(1)  # it is through by then, or waits
            yield from through

    frames._recent = Looked(older=CARRIED)
    threads[0].start()
    threads[0].join(30)
    threads[1].join(30)

    assert len(written) == 2


@pytest.mark.parametrize("frame", [CARRIED, CARRIED.clear(), entering("ann"), CARRIED.select("member", "value")])
def test_a_frame_comes_back_as_it_was(every_place, frame):
    store = every_place()
    file = store._frames.write("plans", f"p1-{BUYERS.id}", frame)

    again = every_place()._frames.read("plans", file)
    assert again.equals(frame)
    assert again.schema == frame.schema


def test_a_frame_larger_than_a_line_can_hold_comes_back_as_it_was(store, monkeypatch):
    monkeypatch.setattr("personas_kit.activation.store.warehouse_frames.CHUNK", 100)
    file = store._frames.write("plans", f"p1-{BUYERS.id}", CARRIED)

    assert keeper_of(store).get(file).height > 10
    assert store._frames.read("plans", file).equals(CARRIED)


def test_ids_that_are_numbers_are_numbers_in_the_table(every_place):
    store = every_place()
    push(store, entering("1", "2").cast({"member": pl.Int64}))

    (file,) = frames(store)
    assert keeper_of(store).get(file).schema == {"member": pl.Int64}


def test_what_a_crash_left_while_writing_is_dropped_by_the_next_push(store):
    push(store, entering("ann"))
    left = [
        store._frames.write(folder, name, entering("bob"))  # and then the process died
        for folder, name in (("plans", f"p2-{BUYERS.id}"), ("members", BUYERS.id), ("members", f"x{BUYERS.id}x"))
    ]
    with store._journal.writing() as tables:  # or even before the table was there
        tables.run("insert into frame values ('members_never_made', 'members', ?, 0)", (BUYERS.id,))
    push(store, lines(("exit", "ann")), plan_id="p3")

    with store._journal.reading() as tables:
        known = {row["file"] for row in tables.rows("select file from frame")}
    assert sorted(known) == frames(store)
    assert known & {"members_never_made", *left} == {left[2]}  # of another sync


@pytest.mark.parametrize("count", [1, 12_000])
def test_many_lines_are_noted_and_cleared_at_once(shared_place, count):
    store = shared_place()
    frame = entering(*(f"u{n} '?\\ é" for n in range(count)))
    push(store, frame, BatchResult(unknown=set(range(count))))
    assert len(unknown(store)) == count

    push(store, frame, BatchResult(rejected={0: "a reason\0with a zero"}), plan_id="p2")
    state = store.load(BUYERS)
    assert (state.unknown.height, state.acknowledged.height, state.rejects.height) == (1, count - 1, 1)


@pytest.mark.emulator
def test_many_lines_are_one_statement_on_snowflake(snowflake_place, emulator):
    store = snowflake_place()
    frame = entering(*(f"u{n} '?\\ é" for n in range(300)))
    push(store, frame, BatchResult(unknown=set(range(300)), rejected={0: 'no "such" user'}))
    emulator.log()
    push(store, frame, plan_id="p2")

    assert (store.load(BUYERS).unknown.height, len(acknowledged(store))) == (0, 300)
    assert len(emulator.log()) < 150


#: A statement for one line -> for many.
STATEMENTS = {
    "insert into t values (?, 'x', ?)": "insert into t select line.c0, 'x', line.c1 from r",
    "delete from t where a = ? and b = ?": "delete from t using r where a = line.c0 and b = line.c1",
}


@pytest.mark.parametrize("one", STATEMENTS)
def test_a_statement_for_one_line_becomes_one_for_many(one):
    assert over_lines(one, "r") == STATEMENTS[one]


# ------------------------------------------------------------------------------------------- damage and other versions


def test_a_table_that_is_gone_is_said_and_never_taken_for_nothing(every_place):
    store = every_place()
    push(store, entering("ann"))
    (file,) = frames(store)
    change(store, f"drop table {file}")

    with pytest.raises(StateError, match="missing or damaged") as raised:
        every_place().load(BUYERS)
    assert "personas reset" in raised.value.hint


def test_a_plan_of_which_a_part_is_gone_is_said(store, shared_place):
    with store.lock(BUYERS):
        store.begin(head(), entering("ann"))
        (file,) = frames(store)
        change(store, f"delete from {file}")

        with pytest.raises(StateError, match="missing or damaged"):
            shared_place().begun(BUYERS)


@pytest.mark.parametrize(
    ("version", "said"), [("99", r"a newer version .*format 99"), ("1", r"another version .*format 1")]
)
def test_a_state_of_another_version_is_refused(store, shared_place, version, said):
    push(store, entering("ann"))
    change(store, f"update meta set value = '{version}' where name = 'version'")

    for use in ("load", "recover", "reset", "begun"):  # whoever has looked before looks again in a minute: see below
        with pytest.raises(StateError, match=said):
            getattr(shared_place(), use)(BUYERS)


def test_a_schema_with_tables_of_others_is_not_used(store, shared_place):
    keeper_of(store).make(["create table if not exists orders (id text)", "create table if not exists plan (id text)"])

    with pytest.raises(StateError, match="somebody else, such as orders") as raised:
        push(shared_place(), entering("ann"))
    assert 'schema = "personas"' in raised.value.hint


def test_tables_that_a_crash_left_half_made_are_completed(every_place):
    store = every_place()
    keeper_of(store).make(each.replace("table", "table if not exists") for each in statements("warehouse.sql"))
    other = every_place()
    assert other.load(BUYERS).version == 0

    push(other, entering("ann"))
    assert acknowledged(store) == ["ann"]


def test_two_processes_that_make_the_tables_at_once_do_not_disturb_each_other(shared_place):
    stores, errors = [shared_place() for _ in range(4)], []

    def note(store):
        try:
            push(store, entering("ann"), plan_id=f"p{id(store)}")
        except StateError as problem:
            if "somebody else" not in str(problem):
                errors.append(problem)

    threads = [threading.Thread(target=note, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert acknowledged(stores[0]) == ["ann"]


def test_the_tables_of_the_state_are_no_tables_of_the_source(every_place):
    store = every_place()
    push(store, entering("ann"))
    warehouse = keeper_of(store)._adapter

    schemas = {part.lower() for table in warehouse.schema().values() for part in table.parts[:-1]}
    assert keeper_of(store).schema not in schemas


def test_a_check_says_where_the_state_is_and_tries_to_write(every_place):
    store = every_place()
    assert "nothing yet, the first push makes it" in store.check()
    assert keeper_of(store).tables() == frozenset()

    push(store, entering("ann"))
    before = keeper_of(store).tables()
    assert store.check() == f"{keeper_of(store).describe()}, which can be written"
    assert keeper_of(store).tables() == before


# -------------------------------------------------------------------------------------------------------------- DuckDB


def test_between_transactions_the_file_is_free(duckdb_place, tmp_path):
    store = duckdb_place()
    with store.lock(BUYERS):
        store.begin(head(), entering("ann"))
        with duckdb.connect(tmp_path / "warehouse.duckdb") as notebook:
            notebook.execute("create table users as select 'u1' as user_id")
        store.fold("p1", BUYERS, finished=True)


HOLD = "import duckdb, sys, time; con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'reads'); "
HOLD += "print('open', flush=True); time.sleep(float(sys.argv[3]))"


@contextlib.contextmanager
def held(path, how, seconds):
    """Another process has the file open for so many seconds."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path), how, str(seconds)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"open\n"
        yield holder
        holder.kill()


@pytest.mark.parametrize("how", ["reads", "writes"])
def test_another_process_that_has_the_file_open_is_waited_for(duckdb_place, tmp_path, how):
    store = duckdb_place()
    push(store, entering("ann"))
    with held(tmp_path / "warehouse.duckdb", how, 1):
        push(store, entering("bob"), plan_id="p2")

    assert acknowledged(store) == ["ann", "bob"]


def test_who_has_the_file_open_for_too_long_is_named(duckdb_place, tmp_path, monkeypatch):
    monkeypatch.setattr(duckdb_adapter, "PATIENCE", 0.3)
    store = duckdb_place()
    push(store, entering("ann"))
    with (
        held(tmp_path / "warehouse.duckdb", "reads", 60) as holder,
        pytest.raises(StateError, match=rf"locked by process {holder.pid}"),
        store.lock(BUYERS),
    ):
        pass


def test_what_is_read_waits_for_a_transaction_of_another_process(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(path).close()
    with held(path, "writes", 0.5):
        assert DuckDB(path).query("SELECT 1 AS one", {}).height == 1


def test_while_a_transaction_lasts_no_other_process_gets_in(duckdb_place, tmp_path, monkeypatch):
    """A process loses its lock on a file whenever it closes any handle of it: those who read meanwhile must not."""
    monkeypatch.setattr(duckdb_adapter, "MOMENT", 0.2)
    store, path = duckdb_place(), tmp_path / "warehouse.duckdb"
    push(store, entering("ann"))
    with store._journal.writing():
        with pytest.raises(WarehouseError, match="in this very process"):
            DuckDB(path).query("SELECT 1 AS one", {})
        another = subprocess.run(
            [sys.executable, "-c", HOLD, str(path), "writes", "0"], capture_output=True, check=False
        )

    assert b"Could not set lock" in another.stderr


def test_a_notebooks_own_handle_is_used(tmp_path):
    with duckdb.connect(tmp_path / "warehouse.duckdb") as notebook:
        push(WarehouseStore(DuckDB(connection=notebook), "personas"), entering("ann"))

        assert notebook.execute("select count(*) from personas.run").fetchone() == (0,)
        assert notebook.execute("select current_schema()").fetchone() == ("main",)


def test_nothing_is_kept_in_a_database_that_ends_with_the_process():
    with duckdb.connect() as notebook, pytest.raises(StateError, match="in memory") as raised:
        push(WarehouseStore(DuckDB(connection=notebook), "personas"), entering("ann"))

    assert 'store = "local"' in raised.value.hint


def test_nothing_is_kept_beside_files(tmp_path):
    with pytest.raises(WarehouseError, match="read from files"):
        WarehouseStore(DuckDB(files={"users": "users.parquet"}, base=tmp_path), "personas")


def test_a_database_that_is_called_as_the_schema_does_no_harm(tmp_path):
    path = tmp_path / "personas.duckdb"
    duckdb.connect(path).close()
    store = WarehouseStore(DuckDB(path), "personas")
    push(store, entering("ann"))

    assert acknowledged(store) == ["ann"]


# ---------------------------------------------------------------------------------------------------------- PostgreSQL


END = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'personas_kit'"


def paused_for_all(store, between):
    """A transaction in the middle of which something happens."""
    with store._journal.writing() as tables:
        tables.run("update sync set paused = 1")
        tables.run("update lease set since = since")  # and nobody else can look at it
        between()
        tables.run("update sync set paused = 1")


@pytest.mark.postgres
def test_a_session_that_ended_while_nobody_used_it_is_opened_again(postgres_place, server, monkeypatch):
    store = postgres_place()
    push(store, entering("ann"))
    server.run(END)
    keeper_of(store)._used -= RESTED + 1

    push(store, entering("bob"), plan_id="p2")
    assert acknowledged(store) == ["ann", "bob"]


@pytest.mark.postgres
def test_a_session_that_ends_in_the_middle_leaves_nothing_and_the_next_one_is_new(postgres_place, server):
    store = postgres_place()
    push(store, entering("ann"))
    with pytest.raises(StateError, match="the state cannot be used"):
        paused_for_all(store, lambda: server.run(END))

    assert not store.load(BUYERS).paused


@pytest.mark.postgres
def test_two_that_forget_somebody_at_once_forget_both(postgres_place, monkeypatch):
    ann, bob, token = postgres_place(), postgres_place(), secrets.token_hex
    ann.note_run(run())  # the tables are there
    beside = threading.Thread(target=bob.forget, args=("zoe",))

    def meanwhile(size):
        if beside.ident is None:
            beside.start()
            beside.join(0.5)  # it is through by then, or waits for ann
        return token(size)

    monkeypatch.setattr(secrets, "token_hex", meanwhile)
    ann.forget("eve")
    beside.join(30)

    assert [user in ann.forgotten() for user in ("eve", "zoe")] == [True, True]


@pytest.mark.postgres
def test_who_stops_within_a_transaction_holds_nobody_up_for_long(postgres_place):
    """A laptop that falls asleep there holds the lease's line, so that nobody could even see that it has run out."""
    asleep = postgres_place(lives=dt.timedelta(seconds=5), owner="ann@laptop")
    awake = postgres_place(owner="bob@desk")

    def meanwhile():
        time.sleep(5)
        with awake.lock(BUYERS):
            awake.begin(head(), entering("bob"))

    with asleep.lock(BUYERS), pytest.raises(StateError, match="the state cannot be used"):
        paused_for_all(asleep, meanwhile)
    assert not awake.load(BUYERS).paused


@pytest.mark.postgres
def test_who_stops_while_reading_a_frame_holds_nobody_up(postgres_place, server):
    """What a laptop that falls asleep has begun to read cannot be dropped: it is left for the next push."""
    store = postgres_place()
    with store.lock(BUYERS):
        store.begin(head("p1"), entering("ann"))
    (left,) = frames(store)
    with server.connect() as asleep, asleep.transaction():
        asleep.execute(f'SELECT * FROM "{keeper_of(store).schema}".{left}')
        push(store, entering("ann", "bob"), plan_id="p2")
        assert left in frames(store)
        assert acknowledged(store) == ["ann", "bob"]

    push(store, entering("eve"), plan_id="p3")
    assert left not in frames(store)


@pytest.fixture
def granted(server):
    """A database of its own with the roles that ``sql/postgres`` describes."""
    name = f"granted_{time.time_ns()}"
    server.run(f"CREATE DATABASE {name}")
    admin = server.url.replace(f"/{DATABASE}", f"/{name}")
    texts = [(SQL / file).read_text() for file in ("grants.sql", "state.sql")]
    import psycopg

    with psycopg.connect(admin, autocommit=True) as connection:
        yield connection, texts, name
    server.run(
        f"DROP DATABASE {name} WITH (FORCE)",
        "DROP ROLE IF EXISTS personas_reader",
        "DROP ROLE IF EXISTS personas_auditor",
    )


@pytest.mark.postgres
def test_the_grants_of_the_state_are_needed_and_enough(granted, server, tmp_path, monkeypatch):
    connection, (grants, state), name = granted
    connection.execute(grants.replace("DATABASE shop", f"DATABASE {name}"))
    connection.execute(f"ALTER ROLE personas_reader PASSWORD '{PASSWORD}'")
    services = tmp_path / "services.conf"
    services.write_text(
        f"[kit]\nhost=127.0.0.1\nport={server.port}\nuser=personas_reader\ndbname={name}\npassword={PASSWORD}\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    warehouse = Postgres("kit")
    try:
        store = WarehouseStore(warehouse, "personas")
        with pytest.raises(StateError, match="permission denied for database") as raised:
            push(store, entering("ann"))
        assert raised.value.hint == "sql/postgres/state.sql has what the role needs: personas copy sql"

        connection.execute(state.replace("DATABASE shop", f"DATABASE {name}"))
        push(store, entering("ann"))
        assert (acknowledged(store), store.check()) == (
            ["ann"], "schema personas of postgres · kit, which can be written",
        )  # fmt: skip
    finally:
        warehouse.close()


# ----------------------------------------------------------------------------------------------------------- Snowflake


@pytest.mark.emulator
def test_a_session_of_snowflake_that_ended_while_nobody_used_it_is_opened_again(snowflake_place, emulator):
    store = snowflake_place()
    push(store, entering("ann"))
    emulator.expire_sessions()
    keeper_of(store)._used -= RESTED + 1

    assert acknowledged(store) == ["ann"]


@pytest.mark.emulator
def test_a_session_of_snowflake_says_begin_and_commit_itself_and_waits_for_no_lock_for_hours(snowflake_place, emulator):
    emulator.log()
    store = snowflake_place()
    store.note_run(run())

    log = emulator.log()
    (session,) = (line["login"]["SESSION_PARAMETERS"] for line in log if "login" in line)
    said = [line["sql"] for line in log if "sql" in line]
    assert (session["AUTOCOMMIT"], session["LOCK_TIMEOUT"]) == (False, "30")
    assert [said.count(word) for word in ("BEGIN TRANSACTION", "COMMIT", "ROLLBACK")] == [2, 2, 0]


# ---------------------------------------------------------------------------------------------------- personas.toml

WRONG = {
    'store = "warehouse"\npath = "elsewhere"': ("'path' means nothing", "state.path", "leave it out"),
    'schema = "ours"': ("'schema' means nothing", "state.schema", 'store = "warehouse"'),
    'store = "warehouse"\nschema = "a b"': ("cannot be the name of a schema", "state.schema", 'schema = "personas"'),
    'store = "warehouse"\nschema = "x; drop"': ("cannot be the name of a schema", "state.schema", "letters, digits"),
    'store = "cloud"': ("'local' or 'warehouse'", "state.store", ""),
    'store = "warehouse"\nschem = "ours"': ("unknown key 'schem'", "state.schem", "did you mean 'schema'?"),
}


@pytest.mark.parametrize("state", WRONG)
def test_what_is_wrong_about_the_state_in_the_file_is_said_with_its_key(tmp_path, state):
    what, key, hint = WRONG[state]
    small.make(tmp_path, "https://example.com", ["u1"])
    file = tmp_path / "personas.toml"
    file.write_text(f"{file.read_text()}\n[state]\n{state}\n")

    with pytest.raises(ConfigError) as raised:
        load(file)
    assert what in raised.value.what
    assert raised.value.where == f"personas.toml: {key}"
    assert hint in raised.value.hint


def test_tables_that_are_files_cannot_keep_a_state(tmp_path):
    file = tmp_path / "personas.toml"
    file.write_text(
        '[warehouse]\nfiles = { users = "users.parquet" }\n[state]\nstore = "warehouse"\n'
        '[source]\nusers = { table = "users", id = "user_id" }\n'
    )

    with pytest.raises(ConfigError, match="the tables are files") as raised:
        load(file)
    assert raised.value.where == "personas.toml: state.store"


# ---------------------------------------------------------------------------------------------- a workspace of a team


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def duckdb_team(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, ["ann", "bob"])
    file = tmp_path / "personas.toml"
    file.write_text(f'{file.read_text()}\n[state]\nstore = "warehouse"\n')
    return [tmp_path, tmp_path], lambda vips: small.set_vips(tmp_path, vips)


@pytest.fixture
def postgres_team(tmp_path, sandbox, server):
    schema = f"team_{time.time_ns()}"
    folders = [tmp_path / "ann", tmp_path / "bob"]
    for folder in folders:
        team.make(folder, sandbox.url, schema)
    team.set_vips(server, schema, ["ann", "bob"], ["cid"])
    return folders, lambda vips: team.set_vips(server, schema, vips, ["ann", "bob", "cid"])


@pytest.fixture
def snowflake_team(tmp_path, sandbox, emulator, monkeypatch):
    monkeypatch.setenv("SNOWFLAKE_HOME", str(emulator.connections.parent))
    schema = f"team_{time.time_ns()}"
    folders = [tmp_path / "ann", tmp_path / "bob"]
    for folder in folders:
        team.make(folder, sandbox.url, schema, "snowflake", "emulator")

    def set_vips(vips):
        lines = [f"('{user}', '{user}@example.com', {user in vips})" for user in ("ann", "bob", "cid")]
        make = f"CREATE OR REPLACE TABLE shop.prod.{schema}_users (user_id TEXT, email TEXT, vip BOOLEAN)"
        emulator.run(make, f"INSERT INTO shop.prod.{schema}_users VALUES {', '.join(lines)}")

    set_vips(["ann", "bob"])
    return folders, set_vips


@pytest.mark.parametrize("kind", ["duckdb", POSTGRES, SNOWFLAKE])
def test_what_one_pushed_the_other_knows(request, sandbox, kind):
    folders, set_vips = request.getfixturevalue(f"{kind}_team")
    ann, bob = (pk.open(folder) for folder in folders)
    ann.plan("vips").push()
    set_vips(["bob", "cid"])

    plan = bob.plan("vips")
    users = plan.changes.filter(pl.col("member").is_in(["ann", "bob", "cid"])).select("member", "change").unique()
    assert sorted(users.rows()) == [("ann", "exit"), ("cid", "enter")]
    report = plan.push(override=[guard.name for guard in plan.guards])
    assert report.complete
    assert small.received(sandbox) == {"bob", "cid"}
    assert ann.status().to_polars().select("acknowledged", "unknown").rows() == [(2, 0)] * 3
    assert bob.profile("cid").acknowledged

    ann.pause("vips", to="analytics")
    assert "paused" in [guard.name for guard in bob.plan("vips", to="analytics").guards]
    ann.resume("vips", to="analytics")
    bob.reset("vips", to="analytics", confirm="vips")
    assert ann.plan("vips", to="analytics").changes.height == 4
    assert len(ann.store.runs()) == 6
    for workspace in (ann, bob):
        workspace.close()
    assert not any((folder / ".personas").exists() for folder in folders)


def test_a_notebook_that_holds_the_file_open_keeps_its_state_there(duckdb_team, sandbox):
    (folder, _), _ = duckdb_team
    with duckdb.connect(folder / "warehouse.duckdb") as notebook:
        workspace = pk.open(folder, connection=notebook)
        workspace.plan("vips").push()

    again = pk.open(folder)
    assert again.status().to_polars()["acknowledged"].to_list() == [2, 2, 2]
    assert again.plan("vips").changes.height == 0


@pytest.mark.parametrize("integers", [False, True])
def test_a_long_chain_is_made_a_base_where_it_lies(every_place, integers, monkeypatch):
    """No member travels for it: nothing is read, and only the last changes are written."""
    store = every_place()

    def some(*changes):
        frame = lines(*changes, value="7")
        return frame.cast({"member": pl.Int64}) if integers else frame

    push(store, some(*(("set", str(n)) for n in range(40))), valued=True)
    push(store, some(("set", "50"), ("set", "1")), plan_id="p2", valued=True)
    again = every_place()
    monkeypatch.setattr(type(keeper_of(again)), "get", lambda *_: pytest.fail("members are read"))
    written = []
    put = type(keeper_of(again)).put
    monkeypatch.setattr(
        type(keeper_of(again)),
        "put",
        lambda keeper, name, frame: (written.append(frame.height), put(keeper, name, frame)),
    )

    gone = some(("set", "1"), ("set", "2"), ("set", "50")).with_columns(value=pl.Series(["null", "8", "null"]))
    push(again, pl.concat([gone, some(("set", "60"))]), plan_id="p3", valued=True)

    monkeypatch.undo()
    state = every_place().load(BUYERS)
    expected = {str(n): "7" for n in range(40) if n != 1} | {"2": "8", "60": "7"}
    assert {str(member): value for member, value in state.acknowledged.rows()} == expected
    assert state.acknowledged.schema["member"] == (pl.Int64 if integers else pl.String)
    assert [(part.kind, part.members) for part in store.outline(BUYERS).chain] == [("base", 40)]
    assert max(written) == 4
    assert (
        len([name for name in frames(store) if name.startswith("members_")]) == 3
    )  # the chain before: others may read it


def test_who_is_forgotten_is_taken_out_of_numbers(every_place):
    store = every_place()
    push(store, entering("1", "2", "3").cast({"member": pl.Int64}))

    with store.lock(BUYERS):
        store.erase(BUYERS, "2")

    assert sorted(store.load(BUYERS).acknowledged["member"].to_list()) == [1, 3]


def test_the_format_is_looked_at_once_a_minute(shared_place, monkeypatch):
    """It was a sixth of all statements."""
    asked = []
    first = shared_place()
    push(first, entering("ann"))
    with keeper_of(first).looking() as session:
        kind = type(session)
    rows = kind.rows
    monkeypatch.setattr(kind, "rows", lambda session, *said: asked.append(said[0]) or rows(session, *said))

    store = shared_place()
    asked.clear()
    for at in range(3):
        push(store, entering(f"u{at}"), plan_id=f"p{at + 2}")

    assert len([statement for statement in asked if "name = 'version'" in statement]) == 2  # is it there, is it ours
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + FORMAT_HOLDS + 1)
    change(store, "update meta set value = '99' where name = 'version'")
    with pytest.raises(StateError, match="a newer version of the kit"):
        store.load(BUYERS)
