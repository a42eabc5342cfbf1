"""Bad input to what reads definitions: text, kept data and files give a definition, or say what to do."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from personas_kit import from_dict, parse
from personas_kit.config import load
from personas_kit.definitions import words
from personas_kit.definitions.definition import Audience, Definition, SqlAudience
from personas_kit.definitions.vocabulary import event, prop, split, trait
from personas_kit.errors import ConfigError, DefinitionError, PersonasError
from personas_kit.opening import open_warehouse
from tests.corpus import DEFINITIONS
from tests.hostile import DATES, INSTANTS, LONE_SURROGATES, NAMES, NO_KEYS, NUL, NUMBERS, VALUES

MANY = 10_000
"""Levels: Python gives up at a thousand."""
SOME = 2_000
TEXTS = {**VALUES, **{f"name {odd}": name for odd, name in NAMES.items()}, "nul": NUL}


def said(error: PersonasError, *, placed: bool = False) -> str:
    """What a person is told: short, and in whole characters; if it is about a file, where in that."""
    assert error.what
    assert error.where or not placed
    text = str(error)
    text.encode()
    assert len(text) < 2_000
    return text


# ------------------------------------------------------------------------------------------------------ what is written


@pytest.mark.parametrize("odd", TEXTS)
def test_a_text_or_a_name_is_read_back_as_it_was_written(odd: str) -> None:
    text = TEXTS[odd][-10_000:]
    where = (
        (trait(text) == text)
        & trait("a").contains(text, "b", ignore_case=True)
        & (event(text).where(prop(text) != text).last(text) == text)
        & split(text, (0, 50))
    )
    written = str(where)

    assert len(written.splitlines()) == 1
    assert str(parse(written)) == written
    kept = json.loads(json.dumps(Audience("A", where).to_dict()))
    assert str(from_dict(kept).expression) == written


@pytest.mark.parametrize("constant", [*NUMBERS, *DATES, *INSTANTS], ids=str)
def test_a_number_or_a_date_is_read_back_as_it_was_written(constant: float | dt.date) -> None:
    definition = Audience("A", (trait("a") == constant) | trait("b").one_of(constant, "x"))

    assert str(parse(str(definition.where))) == str(definition.where)
    assert repr(from_dict(json.loads(json.dumps(definition.to_dict())))) == repr(definition)


@pytest.mark.parametrize("key", NO_KEYS[1:], ids=ascii)
def test_a_key_is_letters_digits_and_underscores(key: str) -> None:
    with pytest.raises(DefinitionError, match="cannot be a key"):
        Audience("A", trait("a") == 1, key=key)
    data = {**Audience("A", trait("a") == 1).to_dict(), "key": key}
    with pytest.raises(DefinitionError, match="cannot be a key"):
        from_dict(data)


# ---------------------------------------------------------------------------------------------- text that anybody wrote

DEEP = {
    "parentheses": "(" * MANY + "trait('a') = 1" + ")" * MANY,
    "open parentheses": "(" * MANY,
    "not": "NOT " * SOME + "trait('a') = 1",
    "any": "ANY " * SOME + "trait('a') = 1",
    "literal": "trait('a') = " + "literal(" * SOME + "1" + ")" * SOME,
    "where": "event('a').where(" * SOME + "trait('a') = 1" + ").count() >= 1" * SOME,
    "then inside then": "event('a').then(" * SOME + "event('b')" + ")" * SOME + ".count() >= 1",
    "then after then": "event('a')" + ".then(event('b'))" * SOME + ".count() >= 1",
    "top": "top(1, by: trait('a'), of: " * SOME + "trait('a') = 1" + ")" * SOME,
    "sums": "users().sum(" * SOME + "trait('a')" + ")" * SOME + " > 1",
    "shares": "users().share(" * SOME + "trait('a') = 1" + ") > 1" * SOME,
}


@pytest.mark.parametrize("what", DEEP)
def test_what_is_nested_absurdly_deep_is_refused(what: str) -> None:
    with pytest.raises(DefinitionError, match="nested more than 80 deep") as refused:
        parse(DEEP[what])

    said(refused.value)


def test_a_chain_in_python_is_refused_before_python_gives_up() -> None:
    chain = event("a")
    for _ in range(25):
        chain = chain.then(event("b"))
    longer = chain.then(event("b")).then(event("b"))

    with pytest.raises(DefinitionError, match="nested more than 80 deep"):
        longer.then(event("b"))


@pytest.mark.parametrize(
    "text",
    [
        f"event('a').within(1{'0' * 400} days).count() > 1", f"event('a').within({'9' * 5_000} days).count() > 1",
        "event('a').within(1e999 hours).count() > 1", f"trait('a').within_last(1{'0' * 400} days)",
        f"trait('a') > 1{'0' * 38}", f"trait('a') > {'9' * 5_000}", "trait('a') > 1e999", "trait('a') = 9999-99-99",
        "trait('a') > 0001-01-01T00:00:00+14:00", "trait('a') > 2026-01-01T00:00:00+:::", "holdout('a', 1e999)",
        "split('a', -1, 5)", f"top({'9' * 40}, by: trait('a'), of: trait('b') = 1)", "trait('a') = '\\ud800'",
        *(f"trait('{text}') = 1" for text in LONE_SURROGATES), *LONE_SURROGATES, "'" * MANY, "." * MANY, "[" * MANY,
        "trait('a')" + ".x" * MANY, "\x00", "\u202etrait('a') = 1", "\x1b[2Jtrait('a') = 1", "trait(\u2019a\u2019) = 1",
    ],
    ids=lambda text: ascii(text[:40]),
)  # fmt: skip
def test_what_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(text)

    assert "\x1b" not in said(refused.value)


WORDS = st.sampled_from(
    [
        *words.STARTS, *words.COMPARISONS, *words.OF_EVENTS, *words.OF_USERS, *words.SYMBOLS, *words.UNITS,
        *words.TYPES, "AND", "OR", "NOT", "ANY", "ALL", "EXCEPT", "as", "parent:", "by:", "of:", "smallest:",
        "ignore_case: true",
        "literal", "true", "false", "(", ")", "(", ")", ".", ",", "'a'", "'b'", "1", "-1.5e3", "2026-01-31", "30 days",
        "event('a')", "trait('a')", ".count()", ".where(", "property('p')", ">= 1", "\\", "'", '"',
    ]
)  # fmt: skip
SENTENCES = st.lists(WORDS, max_size=25).map("".join) | st.lists(WORDS, max_size=25).map(" ".join)


@given(SENTENCES | st.text(max_size=60) | st.tuples(SENTENCES, st.text(max_size=5), SENTENCES).map("".join))
@example("event('a').count() >= 1")
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except DefinitionError as refused:
        said(refused)
        return
    assert str(parse(str(found))) == str(found)


# ----------------------------------------------------------------------------------------------------- data kept before

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["count", "sum", "=", "exists", "account", "number", "member", "2026-02-30", "Compare", "Window"])
)  # fmt: skip
NAMES_OF_FIELDS = st.sampled_from(
    ["node", "date", "instant", "left", "right", "of", "parts", "name", "version", "type"]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES_OF_FIELDS | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
KEPT = [json.loads(json.dumps(definition.to_dict())) for _, definition in DEFINITIONS.values()]


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """What was kept of a definition, with something else in one or two places of it."""
    data = json.loads(json.dumps(draw(st.sampled_from(KEPT))))
    for _ in range(draw(st.integers(1, 2))):
        place: Any = data
        while True:
            at = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            inside = place[at]
            if not isinstance(inside, dict | list) or not inside or draw(st.booleans()):
                break
            place = inside
        match draw(st.integers(0, 2)):
            case 0 if isinstance(place, dict):
                del place[at]
                place = data
            case 1 if isinstance(place, dict):
                place[draw(NAMES_OF_FIELDS)] = draw(JSON)
            case _:
                place[at] = draw(JSON)
        if not data:
            break
    return data


def check_kept(data: Any) -> None:
    try:
        found = from_dict(data)
    except DefinitionError as refused:
        said(refused)
        return
    assert isinstance(found, Definition)
    assert repr(from_dict(json.loads(json.dumps(found.to_dict())))) == repr(found)
    assert len(found.fingerprint) == 16


@pytest.mark.parametrize("spoilt", [{"dialect": None}, {"dialect": 3}, {"of": []}, {"of": None}])
def test_sql_of_ones_own_with_a_part_that_is_no_text_is_refused(spoilt):
    whole = {"version": 1, "type": "SqlTrait", "name": "T", "key": "t", "sql": "SELECT user_id, 1 AS value FROM events"}

    with pytest.raises(DefinitionError, match=f"{next(iter(spoilt))}= is"):
        from_dict({**whole, **spoilt})


@given(spoilt())
def test_spoilt_data_is_read_or_refused(data: Any) -> None:
    check_kept(data)


@given(JSON)
@example({"version": 1, "type": "Audience", "name": "A", "where": {"date": "x"}})
@example({"version": 1, "type": ["Audience"], "name": "A"})
@example({"version": [[[]]], "type": "Audience"})
@example({"version": 1, "type": "SqlAudience", "name": "A", "sql": "SELECT 1", "dialect": ["duckdb"], "of": {}})
@example({"version": 1, "type": "SqlAudience", "name": "A", "sql": "SELECT '\ud800'"})
@example({"version": 1, "type": "Trait", "name": "\udc80", "value": {"node": "TraitRef", "key": "a"}})
@example({"version": 1, "type": "Trait", "name": "A", "value": {"node": "TraitRef", "key": "\ud800"}})
def test_any_data_is_read_or_refused(data: Any) -> None:
    check_kept(data)


SUM = {"node": "Reduced", "stream": {"node": "Events", "name": "a"}, "reducer": "sum"}


@pytest.mark.parametrize(
    "value",
    [
        SUM,
        {**SUM, "of": {"node": "PropertyRef", "name": 5}},
        {**SUM, "of": {"node": "PropertyRef", "name": "a", "as_type": "x) OR ANY ("}},
        {**SUM, "reducer": "count().sum", "of": {"node": "PropertyRef", "name": "a"}},
        {**SUM, "stream": {"node": "Events", "name": "a", "window": {"node": "Window", "older": 0.5}}},
        {**SUM, "stream": {"node": "Events", "name": "a", "counted": []}},
        {**SUM, "stream": {"node": "Users"}, "reducer": "last", "of": {"node": "TraitRef", "key": "a"}},
        {"node": "TraitRef", "key": ""},
        {"node": "TraitRef", "key": "a", "of": "nobody"},
        {"node": "Compare", "left": {"node": "TraitRef", "key": "a"}, "operator": "=", "right": [1]},
        {"node": "Nothing"},
        {"date": "2026-01-31"},
    ],
    ids=repr,
)  # fmt: skip
def test_nothing_is_kept_that_could_not_be_written(value: Any) -> None:
    with pytest.raises(DefinitionError) as refused:
        from_dict({"version": 1, "type": "Trait", "name": "A", "value": value})

    said(refused.value)


@pytest.mark.parametrize(
    "right", [[], [1, 2], ["x"], [None], [[]], [{"node": "Users"}], 1, "a", [float("nan")]], ids=repr
)
@pytest.mark.parametrize("operator", ["<", "within_last", "exists", "before_date"])
def test_a_comparison_is_with_what_its_operator_takes(operator: str, right: Any) -> None:
    compared = {"node": "Compare", "left": {"node": "TraitRef", "key": "a"}, "operator": operator, "right": right}
    data = {"version": 1, "type": "Audience", "name": "A", "where": compared}
    if (operator, right) in [("exists", []), ("<", ["x"])]:  # as it should be
        assert str(from_dict(data).expression) == (
            "trait('a').exists()" if operator == "exists" else "trait('a') < 'x'"
        )
    else:
        with pytest.raises(DefinitionError):
            from_dict(data)


@pytest.mark.parametrize(
    "around", [lambda data: [data], lambda data: {"node": "Not", "part": data}, lambda data: {"x": data}]
)
def test_data_that_is_nested_absurdly_deep_is_refused(around: Any) -> None:
    data: Any = "a"
    for _ in range(MANY):
        data = around(data)
    for field in ("where", "name", "type", "version", "unless"):
        kept = {"version": 1, "type": "Audience", "name": "A", "where": {"node": "TraitRef", "key": "a"}}
        with pytest.raises(DefinitionError):
            from_dict({**kept, field: data})


# -------------------------------------------------------------------------------------------------------- personas.toml


def toml(value: object) -> str:
    """A value as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + "".join(f"\\U{ord(each):08x}" if not each.isalnum() else each for each in value) + '"'
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{toml(name)} = {toml(inside)}" for name, inside in value.items()) + "}"
        case _:
            return str(value)


WHOLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUE = st.recursive(
    WHOLE | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.dates() | SENTENCES
    | st.sampled_from(["1h", "0s", f"{'9' * 30}d", "user", "duckdb", "a.sql", "../a", "~nobody/a", "a\0b", "*"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WHOLE, inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
TABLES = st.sampled_from(["audience", "account_audience", "trait", "account_trait", "sql_audience", "sql_trait"])
FIELDS = st.sampled_from(
    ["name", "key", "every", "to", "where", "value", "unless", "unless_user", "scope", "membership", "sql", "file",
     "of", "dialect", "x"]
)  # fmt: skip
GOOD: dict[str, object] = {"name": "A", "where": "trait('a') = 1"}
WAREHOUSE = '\n[warehouse]\npath = "warehouse.duckdb"\n'
SECTIONS = ["warehouse", "state", "source", "destinations.x", "source.users", "source.events", "include", "audience"]


def check_file(folder: Path, content: str | bytes) -> None:
    file = folder / "personas.toml"
    file.write_bytes(content if isinstance(content, bytes) else f"{content}{WAREHOUSE}".encode())
    try:
        config = load(file)
        open_warehouse(config)
    except PersonasError as refused:
        said(refused, placed=True)
        return
    for scheduled in config.scheduled:
        assert repr(from_dict(scheduled.definition.to_dict())) == repr(scheduled.definition)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@given(table=TABLES, said=st.dictionaries(FIELDS, VALUE, max_size=4), good=st.booleans())
def test_any_definition_of_a_file_is_read_or_refused(
    folder: Path, table: str, said: dict[str, object], good: bool
) -> None:
    fields = {**(GOOD if good else {}), **said}
    check_file(folder, f"[[{table}]]\n" + "".join(f"{name} = {toml(value)}\n" for name, value in fields.items()))


@given(section=st.sampled_from(SECTIONS), name=WHOLE, value=VALUE)
@example(section="warehouse", name="a", value={})
def test_any_setting_is_read_or_refused(folder: Path, section: str, name: str, value: object) -> None:
    names = ["path", "type", "table", "id", "files", "url", "timeout", "connection", "timezone", "events", "write_key"]
    for key in (name, *names):
        said = f"[{section}]\n{toml(key)} = {toml(value)}\n"
        check_file(folder, said.encode() if section == "warehouse" else said)
    check_file(folder, f"{section} = {toml(value)}\n")


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_file_is_read_or_refused(folder: Path, content: bytes) -> None:
    check_file(folder, content)


@pytest.mark.parametrize(
    ("content", "words_said"),
    [
        ("x = " + "[" * MANY + "]" * MANY, "nested too deep"),
        ("x = " + "{a = " * MANY + "1" + "}" * MANY, "not valid TOML"),
        ("x = " + "9" * MANY, "not valid TOML"),
        ("x = 2026-99-99", "not valid TOML"),
        ('include = ["/etc/*"]', "include"),
        ('include = [""]', "include"),
        ('include = ["a\\u0000b"]', "include"),
        ('[state]\npath = "~nobody-of-that-name/x"', "home"),
        ('[state]\npath = "a\\u0000b"', "U+0000"),
        ('[warehouse]\npath = "~nobody-of-that-name/x.duckdb"', "home"),
        ('[warehouse]\nfiles = { users = "~nobody-of-that-name/*.parquet" }', "home"),
        ('[[sql_audience]]\nname = "A"\nfile = "~nobody-of-that-name/x.sql"', "home"),
        ('[[sql_audience]]\nname = "A"\nfile = "a\\u0000b"', "U+0000"),
        ('[destinations.x]\ntype = "segment"\nwrite_key = { file = "~nobody-of-that-name/x" }', "home"),
        ('[destinations.x]\ntype = "segment"\nwrite_key = { env = "a\\u0000b" }', "needs a name"),
        (f'[[audience]]\nname = "A"\nwhere = "{"(" * MANY}"', "nested more than 80 deep"),
        (f'[[audience]]\nname = "A"\nwhere = "trait(\'a\') = 1"\nevery = "{"9" * 30}d"', "at most"),
        (f'[[audience]]\nname = "A"\nwhere = "trait(\'a\') = 1"\nkey = "{"k" * 300}"', "cannot be a key"),
    ],
    ids=lambda text: ascii(text[:40]),
)  # fmt: skip
def test_a_file_that_means_nothing_says_where(tmp_path: Path, content: str, words_said: str) -> None:
    file = tmp_path / "personas.toml"
    file.write_text(content + ("" if "[warehouse]" in content else WAREHOUSE), encoding="utf-8")

    with pytest.raises((ConfigError, DefinitionError)) as refused:
        open_warehouse(load(file))

    assert words_said in said(refused.value)
    assert "personas.toml" in refused.value.where


def test_sql_of_a_file_is_as_hostile_as_any(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"\xff\xfe SELECT")
    (tmp_path / "personas.toml").write_text('[[sql_audience]]\nname = "A"\nfile = "a.sql"\n', encoding="utf-8")

    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "personas.toml")
    with pytest.raises(DefinitionError, match="there is no SQL"):
        SqlAudience("A", " ")
