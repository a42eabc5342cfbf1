"""Hostile input: values, names and SELECTs that try to be more than what they are. Data only; three tests read it.

A value or a name is only ever itself. A SELECT of a person's own reads tables of the warehouse, and does nothing else.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import NamedTuple

DIALECTS = ("duckdb", "snowflake", "postgres", "bigquery")

# --------------------------------------------------------------------------------------------------------------- values

#: Texts, by what is odd about each. Every one can be a value of a trait or a property.
VALUES: dict[str, str] = {
    "single quote": "it's",
    "two single quotes": "''",
    "double quote": 'say "hi"',
    "backtick": "`id`",
    "backslash": "a\\b",
    "backslash at the end": "ends in \\",
    "escaped quote": "\\'",
    "escaped quote and more": "\\'; DROP TABLE users; --",
    "doubled backslash and quote": "\\\\'",
    "drop": "'; DROP TABLE users; --",
    "drop behind a parenthesis": "x'); DELETE FROM users; --",
    "always true": "' OR '1'='1",
    "union": "' UNION SELECT user_id FROM users --",
    "dollar quotes": "$$; DROP TABLE users; $$ $tag$ x $tag$",
    "one dollar quote": "$$",
    "numbered places": "$1 ?1 ? ??",
    "named places": "$p1 @p1 @@version :name :pk_1 :as_of",
    "formats": "%s %(p1)s %% {} {0} {plan}",
    "templates": "{{ 7 * 7 }} {% raw %} $(rm -rf /) ${HOME}",
    "comments": "/* and */ -- # // /*! 1 */",
    "open comment": "/*",
    "semicolon": ";;",
    "other kinds of texts": "E'\\n' U&'\\0027' r'\\' R\"(x)\" x'27' 0x27 N'a' b'1'",
    "escapes": "\\u0027 \\x27 \\047",
    "like wildcards": "50%_x",
    "one wildcard": "%",
    "regex": "^.*(a+)+$[\\d]{2}|\\",
    "typographic quotes": "\u2018\u2019 \u201c\u201d \u02bc \uff07\uff02\uff3c",
    "composed": unicodedata.normalize("NFC", "Ame\u0301lie"),
    "decomposed": unicodedata.normalize("NFD", "Ame\u0301lie"),
    "right to left": "\u202e'; -- \u202c\u200f",
    "zero width": "pro\u200b\u200d\ufeff",
    "emoji": "\U0001f389\U0001f469\u200d\U0001f4bb",
    "last character": "\U0010ffff\ufffe\ue000",
    "dotted and sharp": "\u0130\u0131\u00df\u1e9e",
    "newlines": "one\ntwo\r\nthree\rfour",
    "strange newlines": "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g",
    "tab and spaces": "\t  lead and trail \t",
    "bell and escape": "\x07\x08\x1b[2J\x7f\x01",
    "only a space": " ",
    "the generator's own mark": "__SQLGLOT__LB__ __SQLGLOT__LB\n",
    "null by name": "NULL",
    "number as text": "1e309",
    "json": '{"a": [1, "\\u0000"]}',
    "long": "x" * 500_000 + "'; DROP TABLE users; -- \\" + "y" * 500_000,
}
#: What one engine or another cannot hold.
NUL = "a\x00'b"
LONE_SURROGATES = ("\ud800", "a\udfff'", "\udc80 OR 1=1")
#: Numbers that are values, and numbers that are none.
NUMBERS: tuple[int | float, ...] = (
    0, -1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, -(2**63), 10**37, -(10**37), 0.1, -0.0, 5e-324, 1e-7,
    1.7976931348623157e308, -1e300, 123456789.123456789,
)  # fmt: skip
NO_NUMBERS: tuple[int | float, ...] = (float("nan"), float("inf"), float("-inf"), 10**38, -(10**400))
DATES: tuple[dt.date, ...] = (
    dt.date.min, dt.date.max, dt.date(1582, 10, 10), dt.date(2000, 2, 29), dt.date(1, 1, 2),
)  # fmt: skip
INSTANTS: tuple[dt.datetime, ...] = (
    dt.datetime.min.replace(tzinfo=dt.UTC),
    dt.datetime.max.replace(tzinfo=dt.UTC),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, dt.UTC),
    dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC),
)

# ---------------------------------------------------------------------------------------------------------------- names

#: Names of tables, columns, events, properties, traits and keys of documents.
NAMES: dict[str, str] = {
    "double quote": 'say "hi"',
    "only a quote": '"',
    "quote and drop": 'x"; DROP TABLE users; --',
    "quote and select": '" FROM users --',
    "single quote": "it's",
    "backtick": "a`b",
    "backtick and drop": "`; DROP TABLE users; --",
    "brackets": "[a]",
    "dot": "a.b",
    "space": "two words",
    "spaces around": " lead and trail ",
    "reserved": "select",
    "a function without parentheses": "user",
    "unicode": "Größe 日本",
    "decomposed": unicodedata.normalize("NFD", "Größe"),
    "comments": "a;b--c /* d */",
    "open comment": "/*",
    "leading digit": "1st",
    "placeholder": ":pk_1",
    "named placeholder": "$p1",
    "question mark and percent": "?%s",
    "json path": "$.a['b']",
    "json pointer": "/a/~1b",
    "wildcard": "*",
    "backslash": "a\\b",
    "backslash at the end": "ends\\",
    "backslash and quote": '\\"',
    "newline": "a\nb",
    "emoji": "\U0001f389",
    "right to left": "\u202ea",
    "part of the statement": "users_now",
    "the generator's own mark": "__SQLGLOT__LB__",
    "long": "n" * 300,
}
#: Keys that no definition can have: a key stands in column names, file names and fields of destinations.
NO_KEYS = ("", "a-b", "a b", "a.b", 'a"b', "a;b", "1a", "é", "a\n", "k" * 256, "../a", "a\x00", "\ud800")

# -------------------------------------------------------------------------------------------------------------- SELECTs


class Refused(NamedTuple):
    """SQL that no definition can be; ``words`` stand in the error, ``writes`` where it would change something."""

    sql: str
    words: str
    dialects: tuple[str, ...] = DIALECTS
    writes: bool = False


_DUCKDB, _SNOWFLAKE, _POSTGRES, _BIGQUERY = ((name,) for name in DIALECTS)
_STATEMENT, _PART, _FUNCTION = "a SELECT is expected", "cannot stand in a definition", "is not one that is known"
_TABLE, _OUTSIDE, _SEVERAL = "there is no table", "tables of the warehouse only", "one SELECT is expected"
_PARAMETER, _UNREAD, _CLOCK = "nothing is known of the parameter", "cannot be read as", "gives another answer each time"

REFUSED: tuple[Refused, ...] = (
    # statements that write, or do something else altogether
    Refused("DELETE FROM canary", _STATEMENT, writes=True),
    Refused("DROP TABLE canary", _STATEMENT, writes=True),
    Refused("INSERT INTO canary SELECT 'x', 1", _STATEMENT, writes=True),
    Refused("UPDATE canary SET n = 0", _STATEMENT, writes=True),
    Refused("TRUNCATE TABLE canary", _STATEMENT, writes=True),
    Refused("CREATE TABLE stolen AS SELECT user_id FROM users", _STATEMENT, writes=True),
    Refused("CREATE OR REPLACE VIEW canary_view AS SELECT 1 AS n", _STATEMENT, writes=True),
    Refused("ALTER TABLE canary ADD COLUMN x INTEGER", _STATEMENT, writes=True),
    Refused(
        "MERGE INTO canary USING users ON user_id = id WHEN MATCHED THEN DELETE", _STATEMENT, _DUCKDB + _SNOWFLAKE,
        writes=True,
    ),
    Refused("COPY users TO '/tmp/personas_stolen.csv'", _STATEMENT, _DUCKDB + _POSTGRES, writes=True),
    Refused("COPY INTO @~/stolen FROM users", _STATEMENT, _SNOWFLAKE, writes=True),
    Refused("EXPORT DATABASE '/tmp/personas_stolen'", _UNREAD, _DUCKDB, writes=True),
    Refused("ATTACH '/tmp/personas_stolen.duckdb' AS other", _STATEMENT, _DUCKDB, writes=True),
    Refused("DETACH warehouse", _STATEMENT, _DUCKDB),
    Refused("PRAGMA database_list", _STATEMENT, _DUCKDB),
    Refused("SET threads = 1", _STATEMENT, _DUCKDB),
    Refused("SET ROLE postgres", _STATEMENT, _POSTGRES),
    Refused("RESET ALL", _STATEMENT, _POSTGRES),
    Refused("CALL pragma_version()", _STATEMENT, _DUCKDB),
    Refused("CALL purge_everything()", _STATEMENT, _SNOWFLAKE + _POSTGRES, writes=True),
    Refused("INSTALL httpfs", _STATEMENT, _DUCKDB),
    Refused("LOAD httpfs", _STATEMENT, _DUCKDB),
    Refused("USE ROLE accountadmin", _STATEMENT, _SNOWFLAKE),
    Refused("GRANT SELECT ON users TO PUBLIC", _STATEMENT, writes=True),
    Refused("EXPLAIN ANALYZE DELETE FROM canary", _STATEMENT, _DUCKDB + _POSTGRES, writes=True),
    Refused("DESCRIBE users", _STATEMENT, _DUCKDB + _SNOWFLAKE),
    Refused("SHOW TABLES", _STATEMENT, _DUCKDB + _SNOWFLAKE),
    Refused("DO $$ BEGIN DELETE FROM canary; END $$", _STATEMENT, _POSTGRES, writes=True),
    Refused("VACUUM", _STATEMENT, _POSTGRES + _DUCKDB),
    Refused("LISTEN everything", _STATEMENT, _POSTGRES),
    Refused("BEGIN", _STATEMENT, _POSTGRES + _SNOWFLAKE),
    Refused("PREPARE p AS DELETE FROM canary", _STATEMENT, _POSTGRES + _DUCKDB, writes=True),
    Refused("EXECUTE IMMEDIATE 'DROP TABLE canary'", _STATEMENT, _SNOWFLAKE + _BIGQUERY, writes=True),
    # several statements
    Refused("SELECT user_id FROM users; DROP TABLE canary", _SEVERAL, writes=True),
    Refused("SELECT user_id FROM users; SELECT user_id FROM users", _SEVERAL),
    Refused("/* */; SELECT user_id FROM users;; DELETE FROM canary", _SEVERAL, writes=True),
    Refused(";", _SEVERAL),
    Refused("-- nothing", _SEVERAL),
    # parts that write or hold something
    Refused(
        "WITH gone AS (DELETE FROM canary RETURNING id) SELECT id AS user_id FROM gone", _PART, _POSTGRES + _DUCKDB,
        writes=True,
    ),
    Refused(
        "WITH made AS (INSERT INTO canary VALUES ('x', 1) RETURNING id) SELECT id AS user_id FROM made", _PART,
        _POSTGRES + _DUCKDB, writes=True,
    ),
    Refused(
        "WITH made AS (UPDATE canary SET n = 0 RETURNING id) SELECT id AS user_id FROM made", _PART, _POSTGRES,
        writes=True,
    ),
    Refused("SELECT user_id INTO stolen FROM users", _PART, _POSTGRES, writes=True),
    Refused("SELECT user_id FROM users FOR UPDATE", _PART, _POSTGRES, writes=True),
    Refused("SELECT user_id FROM users FOR SHARE NOWAIT", _PART, _POSTGRES, writes=True),
    Refused("SELECT user_id FROM users TABLESAMPLE BERNOULLI (10)", _PART, _POSTGRES + _DUCKDB),
    Refused("SELECT user_id FROM users USING SAMPLE 10 ROWS", _PART, _DUCKDB),
    Refused("SELECT user_id FROM (DESCRIBE users)", _PART, _DUCKDB),
    Refused("SELECT user_id FROM (SUMMARIZE users)", _PART, _DUCKDB),
    Refused("SELECT user_id FROM (PIVOT users ON plan USING COUNT(*))", _PART, _DUCKDB),
    Refused("SELECT user_id FROM users AT(OFFSET => -60)", _PART, _SNOWFLAKE),
    Refused("SELECT user_id FROM users FOR SYSTEM_TIME AS OF TIMESTAMP '2020-01-01'", _PART, _BIGQUERY),
    Refused("SELECT user_id OPERATOR(pg_catalog.||) user_id AS user_id FROM users", _PART, _POSTGRES),
    Refused("SELECT CAST('pg_authid' AS regclass) AS user_id FROM users", _PART, _POSTGRES),
    Refused("SELECT user_id FROM users WHERE plan = E'pro\\''", _PART, _POSTGRES + _DUCKDB),
    Refused("SELECT AS STRUCT user_id FROM users", _PART, _BIGQUERY),
    Refused("SELECT COLUMNS('user_.*') AS user_id FROM users", _FUNCTION, _DUCKDB),
    # files, the network, other services
    Refused("SELECT user_id FROM read_csv('/etc/passwd')", _OUTSIDE, _DUCKDB),
    Refused("SELECT user_id FROM read_parquet(['a.parquet', 'https://example.com/b.parquet'])", _OUTSIDE, _DUCKDB),
    Refused("SELECT content AS user_id FROM read_text('/etc/passwd')", _OUTSIDE, _DUCKDB),
    Refused("SELECT filename AS user_id FROM read_blob('/etc/passwd')", _OUTSIDE, _DUCKDB),
    Refused("SELECT file AS user_id FROM glob('/etc/*')", _OUTSIDE, _DUCKDB),
    Refused("SELECT user_id FROM sniff_csv('/etc/passwd')", _OUTSIDE, _DUCKDB),
    Refused("SELECT user_id FROM '/etc/passwd'", _TABLE, _DUCKDB),
    Refused("SELECT user_id FROM 'stolen.csv'", _TABLE, _DUCKDB),
    Refused('SELECT user_id FROM "https://example.com/a.parquet"', _TABLE, _DUCKDB + _POSTGRES),
    Refused("SELECT user_id FROM 's3://bucket/*.parquet'", _TABLE, _DUCKDB),
    Refused("SELECT user_id FROM query('DELETE FROM canary')", _OUTSIDE, _DUCKDB),
    Refused("SELECT user_id FROM query_table('users')", _OUTSIDE, _DUCKDB),
    Refused("SELECT user_id FROM postgres_query('db', 'DROP TABLE canary')", _OUTSIDE, _DUCKDB),
    Refused("SELECT user_id FROM duckdb_secrets()", _OUTSIDE, _DUCKDB),
    Refused("SELECT user_id FROM duckdb_settings()", _OUTSIDE, _DUCKDB),
    Refused("SELECT user_id FROM range(1000000000000) AS r(user_id)", _OUTSIDE, _DUCKDB),
    Refused("SELECT user_id FROM generate_series(1, 1000000000) AS g(user_id)", _OUTSIDE, _DUCKDB + _POSTGRES),
    Refused("SELECT UNNEST(generate_series(1, 1000000000)) AS user_id FROM users", _FUNCTION, _DUCKDB),
    Refused("SELECT getenv('HOME') AS user_id FROM users", _FUNCTION, _DUCKDB),
    Refused("SELECT current_setting('secret_directory') AS user_id FROM users", _FUNCTION, _DUCKDB + _POSTGRES),
    Refused("SELECT getvariable('x') AS user_id FROM users", _FUNCTION, _DUCKDB),
    Refused("SELECT write_log('x') AS user_id FROM users", _FUNCTION, _DUCKDB),
    Refused("SELECT pg_read_file('/etc/passwd') AS user_id FROM users", _FUNCTION, _POSTGRES),
    Refused("SELECT pg_catalog.pg_read_file('/etc/passwd') AS user_id FROM users", _FUNCTION, _POSTGRES),
    Refused("SELECT user_id FROM pg_ls_dir('/etc') AS user_id", _OUTSIDE, _POSTGRES),
    Refused("SELECT user_id FROM dblink('host=example.com', 'SELECT 1') AS t(user_id TEXT)", _OUTSIDE, _POSTGRES),
    Refused("SELECT query_to_xml('DELETE FROM canary', true, true, '') AS user_id FROM users", _FUNCTION, _POSTGRES),
    Refused("SELECT lo_import('/etc/passwd') AS user_id FROM users", _FUNCTION, _POSTGRES),
    Refused("SELECT lo_from_bytea(0, 'x') AS user_id FROM users", _FUNCTION, _POSTGRES),
    Refused("SELECT pg_sleep(0.01) AS user_id FROM users", _FUNCTION, _POSTGRES),
    Refused("SELECT pg_terminate_backend(0) AS user_id FROM users", _FUNCTION, _POSTGRES),
    Refused("SELECT pg_advisory_lock(1) AS user_id FROM users", _FUNCTION, _POSTGRES),
    Refused("SELECT pg_notify('a', 'b') AS user_id FROM users", _FUNCTION, _POSTGRES),
    Refused("SELECT set_config('default_transaction_read_only', 'off', false) AS user_id FROM users", _FUNCTION,
            _POSTGRES),
    Refused("SELECT nextval('counter') AS user_id FROM users", _FUNCTION, _POSTGRES + _DUCKDB, writes=True),
    Refused("SELECT \"nextval\"('counter') AS user_id FROM users", _FUNCTION, _POSTGRES, writes=True),
    Refused("SELECT setval('counter', 1) AS user_id FROM users", _FUNCTION, _POSTGRES, writes=True),
    Refused("SELECT counter.nextval AS user_id FROM users", _FUNCTION, _SNOWFLAKE, writes=True),
    Refused("SELECT shop.prod.counter.NEXTVAL AS user_id FROM users", _FUNCTION, _SNOWFLAKE, writes=True),
    Refused("SELECT SYSTEM$CANCEL_ALL_QUERIES(1) AS user_id FROM users", _FUNCTION, _SNOWFLAKE),
    Refused("SELECT SYSTEM$WAIT(1) AS user_id FROM users", _FUNCTION, _SNOWFLAKE),
    Refused("SELECT shop.prod.an_external_function(user_id) AS user_id FROM users", _FUNCTION, _SNOWFLAKE),
    Refused("SELECT AI_COMPLETE('model', plan) AS user_id FROM users", _FUNCTION, _SNOWFLAKE),
    Refused("SELECT SNOWFLAKE.CORTEX.COMPLETE('model', plan) AS user_id FROM users", _FUNCTION, _SNOWFLAKE),
    Refused("SELECT user_id FROM @stage/users.csv", _OUTSIDE, _SNOWFLAKE),
    Refused("SELECT user_id FROM @~", _OUTSIDE, _SNOWFLAKE),
    Refused("SELECT $1 AS user_id FROM @stage (FILE_FORMAT => f)", _PARAMETER, _SNOWFLAKE),
    Refused("SELECT user_id FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))", _OUTSIDE, _SNOWFLAKE),
    Refused("SELECT user_id FROM TABLE(GENERATOR(ROWCOUNT => 1000000000))", _OUTSIDE, _SNOWFLAKE),
    Refused("SELECT user_id FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY())", _OUTSIDE, _SNOWFLAKE),
    Refused("SELECT user_id FROM TABLE('users')", _OUTSIDE, _SNOWFLAKE),
    Refused("SELECT user_id FROM IDENTIFIER('users')", _OUTSIDE, _SNOWFLAKE),
    Refused("SELECT GET_DDL('table', 'users') AS user_id FROM users", _FUNCTION, _SNOWFLAKE),
    Refused("SELECT user_id FROM EXTERNAL_QUERY('connection', 'DROP TABLE canary')", _OUTSIDE, _BIGQUERY),
    Refused("SELECT user_id FROM ML.PREDICT(MODEL `m`, TABLE users)", _OUTSIDE, _BIGQUERY),
    Refused("SELECT user_id FROM ML.GENERATE_TEXT(MODEL `m`, TABLE users, STRUCT(1 AS n))", _OUTSIDE, _BIGQUERY),
    Refused("SELECT SESSION_USER() AS user_id FROM users", "tells who asks", _BIGQUERY),
    Refused("SELECT `shop.functions.mine`(user_id) AS user_id FROM users", _FUNCTION, _BIGQUERY),
    Refused("SELECT KEYS.NEW_KEYSET('AEAD_AES_GCM_256') AS user_id FROM users", _FUNCTION, _BIGQUERY),
    # texts that the parser takes for names or parts, and that would be written without their quotes
    Refused("SELECT user_id, 1 AS E'x FROM pg_authid --' FROM users", "this is no name", _POSTGRES + _DUCKDB),
    Refused("SELECT user_id, 1 AS E'x FROM users; DROP TABLE canary; --' FROM users", "this is no name", _DUCKDB),
    Refused("SELECT user_id FROM SELECT `events_*`", _PART, _BIGQUERY),
    Refused("SELECT user_id FROM users, (ARRAY['a', 'b']) AS wanted(plan_)", _PART, _POSTGRES),
    Refused("SELECT user_id FROM users WHERE plan NOT IN timestamp (SELECT colour FROM events)", "in parentheses",
            _SNOWFLAKE),
    Refused("SELECT user_id FROM users WHERE ZEROIFNULL() > 0", "something is missing", _SNOWFLAKE),
    Refused("user_id users UNION SELECT user_id FROM events", _PART, DIALECTS[:3]),
    Refused("SELECT user_id, DATE() OVER (ORDER BY seats) AS value FROM users", "cannot be written", _DUCKDB),
    Refused("SELECT evil.lower(plan) AS user_id FROM users", _FUNCTION),
    Refused("GRANT '' ON users PUBLIC", _UNREAD, _SNOWFLAKE),
    # what the warehouse knows of itself, and what another database holds
    Refused("SELECT table_name AS user_id FROM information_schema.tables", _TABLE),
    Refused("SELECT usename AS user_id FROM pg_catalog.pg_user", _TABLE, _POSTGRES + _DUCKDB),
    Refused("SELECT rolpassword AS user_id FROM pg_authid", _TABLE, _POSTGRES),
    Refused("SELECT name AS user_id FROM sqlite_master", _TABLE, _DUCKDB),
    Refused("SELECT user_id FROM other.public.users", _TABLE),
    Refused("SELECT user_id FROM snowflake.account_usage.query_history", _TABLE, _SNOWFLAKE),
    Refused("SELECT user_id FROM `other-project.data.users`", _TABLE, _BIGQUERY),
    Refused("SELECT user_id FROM region.INFORMATION_SCHEMA.JOBS", _TABLE, _BIGQUERY),
    Refused("SELECT user_id FROM `events_*`", _TABLE, _BIGQUERY),
    Refused("TABLE users", "not named", _POSTGRES),
    # a WITH that hides less than it seems to
    Refused("WITH pg_user AS (SELECT usename AS user_id FROM pg_user) SELECT user_id FROM pg_user", _TABLE, _POSTGRES),
    Refused("WITH sqlite_master AS (SELECT name AS user_id FROM sqlite_master) SELECT user_id FROM sqlite_master",
            _TABLE, _DUCKDB),
    Refused("SELECT b.name AS user_id FROM (WITH sqlite_master AS (SELECT 1 AS n) SELECT n FROM sqlite_master) AS a, "
            "sqlite_master AS b", _TABLE, _DUCKDB),
    Refused("SELECT user_id FROM users WHERE user_id IN (WITH pg_user AS (SELECT 'a' AS n) SELECT n FROM pg_user) "
            "OR EXISTS (SELECT 1 FROM pg_user)", _TABLE, _POSTGRES),
    Refused("WITH first AS (SELECT usename AS user_id FROM pg_shadow), pg_shadow AS (SELECT 1 AS n) "
            "SELECT user_id FROM first", _TABLE, _POSTGRES + _DUCKDB),
    Refused("SELECT user_id FROM users_now", _TABLE),
    # clocks, chance, and who asks
    Refused("SELECT user_id FROM users WHERE created_at < CURRENT_TIMESTAMP", _CLOCK),
    Refused("SELECT user_id FROM users WHERE created_at < NOW()", _CLOCK, _POSTGRES + _DUCKDB),
    Refused("SELECT user_id FROM users WHERE created_at < CLOCK_TIMESTAMP()", _CLOCK, _POSTGRES),
    Refused("SELECT user_id FROM users WHERE RANDOM() < 0.1", _CLOCK, _POSTGRES + _DUCKDB + _SNOWFLAKE),
    Refused("SELECT GEN_RANDOM_UUID() AS user_id FROM users", _CLOCK, _POSTGRES + _DUCKDB),
    Refused("SELECT CURRENT_USER AS user_id FROM users", "tells who asks", _POSTGRES + _SNOWFLAKE + _DUCKDB),
    Refused("SELECT user AS user_id FROM users", "tells who asks", _POSTGRES + _DUCKDB),
    # parameters, and what cannot be read
    Refused("SELECT user_id FROM users WHERE plan = ?", _PARAMETER, _DUCKDB + _SNOWFLAKE + _POSTGRES),
    Refused("SELECT user_id FROM users WHERE plan = $1", _PARAMETER, _DUCKDB + _POSTGRES),
    Refused("SELECT user_id FROM users WHERE plan = :pk_1", _PARAMETER, _DUCKDB + _POSTGRES + _SNOWFLAKE),
    Refused("SELECT user_id FROM users WHERE plan = @p1", _PARAMETER, _BIGQUERY),
    Refused("SELECT user_id FROM users WHERE plan = %s", _PARAMETER, _POSTGRES),
    Refused("SELECT @@project_id AS user_id FROM users", _PARAMETER, _BIGQUERY),
    Refused("SELECT $a_variable AS user_id FROM users", _PARAMETER, _SNOWFLAKE),
    Refused("SELECT user_id FROM users /* never closed", _UNREAD),
    Refused("SELECT user_id FROM users WHERE plan = 'never closed", _UNREAD),
    Refused('SELECT user_id FROM "never closed', _UNREAD, _DUCKDB + _SNOWFLAKE + _POSTGRES),
    Refused("SELECT user_id FROM users WHERE (plan = 'pro'", _UNREAD),
    Refused("SELECT user_id FROM users WHERE " + "(" * 10_000 + "TRUE" + ")" * 10_000, "nested", _DUCKDB),
    Refused("SELECT user_id FROM users WHERE " + "NOT " * 5_000 + "TRUE", "nested", _DUCKDB),
    Refused("SELECT user_id FROM users WHERE " + " + 1 - ".join(["1"] * 500) + " > 1", "nested", _POSTGRES),
    Refused("SELECT " + "f(" * 5_000 + ")" * 5_000 + " AS user_id FROM users", "nested", _SNOWFLAKE),
    Refused("SELECT user_id FROM " + "(SELECT * FROM " * 1_000 + "users" + ")" * 1_000, "nested", _BIGQUERY),
    Refused("\x00", _STATEMENT),
    # columns that are not named
    Refused("SELECT * FROM users", "not named"),
    Refused("SELECT users.* FROM users", "not named"),
    Refused("SELECT plan FROM users", "there is no column user_id"),
)  # fmt: skip


class Kept(NamedTuple):
    """A SELECT that is as it should be; in most dialects it means the same."""

    sql: str
    dialects: tuple[str, ...] = DIALECTS


#: Over ``users`` and ``events`` of ``tests/corpus.py``, in its layouts ``full`` and ``json``.
KEPT: tuple[Kept, ...] = (
    Kept("SELECT user_id FROM users"),
    Kept("SELECT DISTINCT u.user_id FROM users AS u WHERE u.plan = 'pro' AND u.seats BETWEEN 1 AND 5"),
    Kept("SELECT user_id FROM users -- a remark\nWHERE plan LIKE 'p%' /* and another: */ OR plan IS NULL"),
    Kept("SELECT /*+ SeqScan(users) */ user_id FROM users"),
    Kept("SELECT user_id FROM users WHERE plan = 'it''s; DROP TABLE users; --'", DIALECTS[:3]),
    Kept("WITH active AS (SELECT user_id FROM events WHERE timestamp <= :as_of) SELECT DISTINCT user_id FROM active",
         DIALECTS[:3]),
    Kept("WITH active AS (SELECT user_id FROM events WHERE timestamp <= @as_of) SELECT DISTINCT user_id FROM active",
         _BIGQUERY),
    Kept("WITH users AS (SELECT user_id FROM users WHERE plan = 'pro') SELECT user_id FROM users"),
    Kept("WITH a AS (SELECT user_id FROM users), b AS (SELECT user_id FROM a) SELECT a.user_id FROM a "
         "JOIN b ON a.user_id = b.user_id"),
    Kept("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
         "SELECT DISTINCT user_id FROM users JOIN n ON n.i = users.seats"),
    Kept("SELECT user_id FROM users UNION SELECT user_id FROM events WHERE user_id IS NOT NULL",
         ("duckdb", "snowflake", "postgres")),
    Kept("SELECT user_id FROM users UNION DISTINCT SELECT user_id FROM events WHERE user_id IS NOT NULL", _BIGQUERY),
    Kept("(SELECT user_id FROM users WHERE plan = 'pro') EXCEPT (SELECT user_id FROM users WHERE seats > 5)",
         DIALECTS[:3]),
    Kept("SELECT user_id FROM users WHERE plan = 'pro' INTERSECT SELECT user_id FROM users WHERE seats > 1",
         DIALECTS[:3]),
    Kept("SELECT user_id FROM (SELECT user_id, "
         "ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY timestamp DESC) AS place FROM events) AS e "
         "WHERE place = 1 AND user_id IS NOT NULL"),
    Kept("SELECT user_id FROM events WHERE user_id IS NOT NULL "
         "QUALIFY ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY timestamp) = 1",
         ("duckdb", "snowflake", "bigquery")),
    Kept("SELECT u.user_id FROM users AS u WHERE EXISTS (SELECT 1 FROM events AS e WHERE e.user_id = u.user_id "
         "AND e.amount > 10)"),
    Kept("SELECT user_id FROM users WHERE user_id NOT IN (SELECT user_id FROM events WHERE user_id IS NOT NULL)"),
    Kept("SELECT user_id FROM users AS u WHERE seats > (SELECT AVG(seats) FROM users AS v WHERE v.plan = u.plan)"),
    Kept("SELECT user_id FROM events GROUP BY user_id HAVING COUNT(*) > 2 AND COUNT(DISTINCT colour) > 1 "
         "AND SUM(amount) > 10 AND user_id IS NOT NULL"),
    Kept("SELECT u.user_id FROM users AS u LEFT JOIN events AS e ON e.user_id = u.user_id AND e.amount > 1 "
         "GROUP BY u.user_id HAVING MAX(e.amount) IS NULL"),
    Kept("SELECT user_id FROM users WHERE COALESCE(LOWER(TRIM(plan)), 'none') IN ('pro', 'team') "
         "AND LENGTH(user_id) < 10 AND REPLACE(plan, 'x', 'y') <> ''"),
    Kept("SELECT user_id FROM users WHERE CASE WHEN seats > 3 THEN TRUE WHEN seats IS NULL THEN FALSE "
         "ELSE plan = 'pro' END"),
    Kept("SELECT user_id FROM users WHERE CAST(created_at AS DATE) >= DATE '2026-01-01'"),
    Kept("SELECT user_id FROM users WHERE created_at >= :as_of - INTERVAL '30 days'", _DUCKDB + _POSTGRES),
    Kept("SELECT user_id FROM users WHERE created_at >= DATEADD(day, -30, :as_of)", _SNOWFLAKE),
    Kept("SELECT user_id FROM users WHERE DATE_TRUNC('month', created_at) = DATE_TRUNC('month', :as_of)", DIALECTS[:3]),
    Kept("SELECT user_id FROM users WHERE DATE_DIFF('day', created_at, :as_of) > 30", _DUCKDB),
    Kept("SELECT user_id FROM users WHERE EXTRACT(YEAR FROM created_at) = 2026"),
    Kept("SELECT DISTINCT user_id FROM events WHERE properties ->> 'plan' = 'pro' AND user_id IS NOT NULL",
         _DUCKDB + _POSTGRES),
    Kept("SELECT DISTINCT user_id FROM events WHERE CAST(properties -> 'cart' ->> 'size' AS INTEGER) > 1 "
         "AND user_id IS NOT NULL", _POSTGRES),
    Kept("SELECT DISTINCT user_id FROM events WHERE properties:cart.size::INTEGER > 1 AND user_id IS NOT NULL",
         _SNOWFLAKE),
    Kept("SELECT DISTINCT e.user_id FROM events AS e, LATERAL FLATTEN(INPUT => e.properties:tags) AS t "
         "WHERE t.value::TEXT = 'a' AND e.user_id IS NOT NULL", _SNOWFLAKE),
    Kept("SELECT DISTINCT user_id FROM events WHERE JSON_VALUE(properties, '$.plan') = 'pro'", _BIGQUERY),
    Kept("SELECT user_id FROM events GROUP BY user_id HAVING COUNT(*) FILTER (WHERE amount > 10) > 0 "
         "AND user_id IS NOT NULL", _DUCKDB + _POSTGRES),
    Kept("SELECT user_id FROM users WHERE plan ~ '^p.o$' AND SPLIT_PART(plan, 'r', 1) = 'p'", _POSTGRES),
    Kept("SELECT user_id FROM users WHERE REGEXP_MATCHES(plan, '^p.o$') AND plan ILIKE 'PRO'", _DUCKDB),
    Kept("SELECT user_id FROM users WHERE REGEXP_CONTAINS(plan, r'^p\\w+$') AND SAFE_CAST(plan AS INT64) IS NULL",
         _BIGQUERY),
    Kept("SELECT user_id FROM users WHERE plan = $$it's$$", DIALECTS[:3]),
    Kept("SELECT user_id FROM users WHERE TRY_CAST(plan AS INTEGER) IS NULL", _DUCKDB + _SNOWFLAKE),
    Kept("SELECT user_id FROM users WHERE IFF(seats > 1, 'a', 'b') = 'a' AND ZEROIFNULL(seats) > 0 "
         "AND NVL(plan, '') <> ''", _SNOWFLAKE),
    Kept("SELECT user_id FROM (VALUES ('u1'), ('u2')) AS listed(user_id)", DIALECTS[:3]),
    Kept("SELECT user_id, RANK() OVER (ORDER BY seats DESC NULLS LAST) AS place, "
         "SUM(seats) OVER (PARTITION BY plan ORDER BY seats ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS running, "
         "LAG(seats, 1, 0) OVER (ORDER BY seats) AS before FROM users"),
    Kept("SELECT user_id, STRING_AGG(plan, ', ') AS plans FROM users GROUP BY user_id",
         _POSTGRES + _DUCKDB + _BIGQUERY),
    Kept("SELECT user_id, LISTAGG(plan, ', ') WITHIN GROUP (ORDER BY plan) AS plans FROM users GROUP BY user_id",
         _SNOWFLAKE),
    Kept("SELECT user_id FROM users ORDER BY seats DESC NULLS LAST, user_id LIMIT 10 OFFSET 5"),
    Kept('SELECT "user_id" AS user_id FROM "users" WHERE "plan" = \'a "quoted" text\'', ("duckdb", "postgres")),
    Kept("SELECT user_id FROM users, UNNEST(ARRAY['pro', 'team']) AS wanted(plan_) WHERE plan = plan_", _POSTGRES),
    Kept("SELECT user_id FROM users WHERE list_contains(['pro', 'team'], plan)", _DUCKDB),
    Kept("SELECT DISTINCT user_id FROM events, json_each(properties) AS j WHERE j.key = 'plan' AND user_id IS NOT NULL",
         _DUCKDB),
    Kept("SELECT DISTINCT user_id FROM events "
         "CROSS JOIN LATERAL jsonb_array_elements_text(properties -> 'tags') AS t(tag) "
         "WHERE tag = 'a' AND user_id IS NOT NULL", _POSTGRES),
)  # fmt: skip
