"""A cell becomes a definition in the file, and nothing else of the file changes."""

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

import personas_kit as pk
from personas_kit import account_trait, any_user, event, in_audience, trait
from personas_kit.company import open_demo
from personas_kit.config import load
from personas_kit.errors import ConfigError, DefinitionError, PersonasError, UnknownName
from personas_kit.notebook.saved_card import saved_card
from personas_kit.opening import open_workspace
from personas_kit.saving.blocks import with_definition
from tests import small
from tests.notebooks.sanitizer import problems

vip = trait("vip") == True  # noqa: E712
FILE = """\
# Ours. Ask Ada before you change anything.
[warehouse]
path = "warehouse.duckdb"   # made every night

[source]
users = { table = "users", id = "user_id" }

[destinations.analytics]
type = "segment"
write_key = { file = "key.txt" }

# The first one.
[[audience]]
name  = "Vips"                 # as marketing calls them
where = '''
    trait('vip')   =   true '''  # [[audience]] inside a comment
every = "1h"  # not more often
to    = [
    # the analytics only
    { destination = "analytics", send = ["identify", "track"] },
]
unless = "trait('email') = 'x'"

# The second one.
[[trait]]
  name = "Mail"
  key = "mail"
  value = "trait('email')"

  [[trait.to]]
  destination = "analytics"
# The end.
"""


@pytest.fixture
def folder(tmp_path):
    small.make(tmp_path, "http://127.0.0.1:1", ["u1"])
    (tmp_path / "personas.toml").write_text(FILE)
    return tmp_path


@pytest.fixture
def ws(folder):
    opened = open_workspace(folder)
    yield opened
    opened.close()


def text(folder):
    return (folder / "personas.toml").read_bytes().decode()


def defined(folder):
    return {each.definition.key: each for each in load(folder / "personas.toml").scheduled}


def test_a_new_one_stands_at_the_end_and_everything_else_stays(ws, folder):
    buyers = pk.Audience("Not vips", ~vip)

    saved = ws.save(buyers)

    assert text(folder) == FILE + "\n" + buyers.to_toml()
    assert defined(folder)["not_vips"].definition.fingerprint == buyers.fingerprint
    assert [(block.key, block.wrote) for block in saved.blocks] == [("not_vips", "added")]
    assert ws.members("not_vips").height == 0
    assert str(folder / "personas.toml") in repr(saved)


def test_one_that_is_there_changes_in_its_place_and_keeps_comments_and_syncs(ws, folder):
    saved = ws.save(pk.Audience("Vips", vip & (trait("email") != "y"), unless=trait("email") == "x"))

    assert text(folder) == FILE.replace(
        "'''\n    trait('vip')   =   true '''", "\"trait('vip') = true AND trait('email') != 'y'\""
    )
    assert saved.blocks[0].wrote == "changed"
    kept = defined(folder)["vips"]
    assert (kept.cadence.every, kept.to[0].destination) == (3600, "analytics")


def test_what_a_person_wrote_otherwise_but_means_the_same_stays(ws, folder):
    saved = ws.save(pk.Audience("Vips", vip, unless=trait("email") == "x"))

    assert text(folder) == FILE
    assert saved.blocks[0].wrote == "unchanged"
    assert saved.files == []


def test_what_is_said_no_more_goes_and_what_is_new_comes_beside_its_like(ws, folder):
    ws.save(pk.Audience("Renamed", vip, key="vips"))

    assert (
        text(folder)
        == (
            FILE.replace('name  = "Vips"', 'name  = "Renamed"')
            .replace("unless = \"trait('email') = 'x'\"\n", "")
            .replace("comment\nevery", 'comment\nkey   = "vips"\nevery')
        )
        or defined(folder)["vips"].definition.name == "Renamed"
    )
    assert "# as marketing calls them" in text(folder)
    assert "unless" not in text(folder)


def test_a_block_with_tables_below_it_is_changed_above_them(ws, folder):
    ws.save(pk.Trait("Mail", trait("vip"), key="mail"))

    assert text(folder) == FILE.replace("value = \"trait('email')\"", "value = \"trait('vip')\"")


def test_a_statement_goes_and_its_comment_stays():
    before = '[[audience]]\nname = "A"\nwhere = "trait(\'x\') = 1"\nunless = "trait(\'y\') = 1" # why\n'

    after = with_definition(before, pk.Audience("A", trait("x") == 1))

    assert after == '[[audience]]\nname = "A"\nwhere = "trait(\'x\') = 1"\n # why\n'


def test_ends_of_lines_stay_as_they_are(ws, folder):
    file = folder / "personas.toml"
    file.write_bytes(FILE.replace("\n", "\r\n").encode())

    ws.save(pk.Audience("Not vips", ~vip), pk.SqlAudience("Listed", "SELECT user_id\nFROM users"))

    assert text(folder).startswith(FILE.replace("\n", "\r\n"))
    assert text(folder).count("\n") == text(folder).count("\r\n")
    assert defined(folder)["listed"].definition.sql == "SELECT user_id\nFROM users"


def test_several_may_refer_to_each_other(ws, folder):
    first = pk.Audience("First", vip)
    second = pk.Audience("Second", ~in_audience("first"))

    ws.save(second, first)

    assert {"first", "second"} <= defined(folder).keys()


def test_one_that_refers_to_what_is_not_saved_names_it(ws, folder):
    ws.add(pk.Audience("First", vip))

    with pytest.raises(DefinitionError, match="refers to 'first', which is not saved") as refused:
        ws.save(pk.Audience("Second", ~in_audience("first")))

    assert "ws.save(first, second)" in refused.value.hint
    assert text(folder) == FILE


@pytest.mark.parametrize(
    ("make", "problem", "says"),
    [
        (lambda: (), DefinitionError, "nothing to save"),
        (lambda: (pk.Trait("Vips", trait("vip")),), DefinitionError, "belongs to the audience 'Vips'"),
        (lambda: (pk.Audience("A", vip), pk.Audience("a", ~vip)), DefinitionError, "two definitions have the key"),
        (lambda: (pk.Audience("A", trait("vipp") == 1),), UnknownName, "vipp"),
        (lambda: (pk.Audience("A", in_audience("nobody")),), UnknownName, "nobody"),
        (lambda: (pk.Audience("email", vip),), DefinitionError, "also a trait of the source"),
        (lambda: (pk.Audience("A", pk.SqlAudience("B", "SELECT 1").expression),), PersonasError, ""),
        (lambda: ("vips",), DefinitionError, "'vips' is no definition"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is_written(ws, folder, make, problem, says):
    with pytest.raises(problem) as refused:
        ws.save(*make())

    assert says in str(refused.value)
    assert text(folder) == FILE
    assert sorted(each.name for each in folder.iterdir() if each.name.startswith(".personas.toml")) == []


def test_a_file_that_is_broken_meanwhile_is_left_as_it_is(ws, folder):
    (folder / "personas.toml").write_text(FILE + "\nwrong =")

    with pytest.raises(ConfigError, match="not valid TOML"):
        ws.save(pk.Audience("A", vip))

    assert text(folder).endswith("wrong =")


def test_of_two_files_both_are_written_or_neither(folder):
    long = "a" * 245 + ".toml"  # beside it there is no place for a new file of a longer name
    (folder / "personas.toml").write_text(f'include = ["{long}"]\n' + FILE)
    (folder / long).write_text('[[audience]]\nname = "More"\nwhere = "trait(\'vip\') = true"\n')
    before = text(folder), (folder / long).read_text()
    ws = pk.open(folder)

    with pytest.raises(ConfigError, match="cannot be written") as refused:
        ws.save(pk.Audience("Vips", ~vip), pk.Audience("More", ~vip))

    assert refused.value.where.endswith(long)
    assert (text(folder), (folder / long).read_text()) == before
    assert not [each for each in folder.iterdir() if each.suffix == ".new"]


def test_an_array_on_one_line_is_refused_with_what_to_write(ws, folder):
    before = text(folder).partition("# The first one.")[0]
    inline = 'audience = [{ name = "Vips", where = "trait(\'vip\') = true" }]\n' + before
    (folder / "personas.toml").write_text(inline)

    with pytest.raises(ConfigError, match="cannot be changed by itself") as refused:
        ws.save(pk.Audience("Vips", ~vip))
    with pytest.raises(PersonasError):
        ws.save(pk.Audience("Others", ~vip))

    assert "[[audience]]" in refused.value.hint
    assert text(folder) == inline


def test_a_new_one_goes_to_the_only_file_that_holds_any_and_an_old_one_stays_where_it_is(ws, folder):
    main = FILE.partition("# The first one.")[0]
    (folder / "personas.toml").write_text('include = ["audiences/*.toml"]\n' + main)
    (folder / "audiences").mkdir()
    more = folder / "audiences" / "more.toml"
    more.write_text('[[audience]]\nname = "Vips"\nwhere = "trait(\'vip\') = true"')

    saved = ws.save(pk.Audience("Vips", ~vip), pk.Audience("New", vip))

    assert saved.files == [more.resolve()]
    assert text(folder) == 'include = ["audiences/*.toml"]\n' + main
    assert more.read_text().count("[[audience]]") == 2


def test_sql_in_a_file_of_its_own_is_changed_there_only(ws, folder):
    (folder / "one.sql").write_text("SELECT user_id FROM users")
    (folder / "personas.toml").write_text(FILE + '\n[[sql_audience]]\nname = "One"\nfile = "one.sql"\n')
    before = text(folder)

    assert ws.save(pk.SqlAudience("One", "SELECT user_id FROM users")).files == []
    with pytest.raises(DefinitionError, match="something else") as refused:
        ws.save(pk.SqlAudience("One", "SELECT user_id FROM users WHERE vip"))
    assert text(folder) == before
    assert "change it there" in refused.value.hint

    ws.save(pk.SqlAudience("Number one", "SELECT user_id FROM users", key="one"))
    assert 'file = "one.sql"' in text(folder)
    assert defined(folder)["one"].definition.name == "Number one"


def test_a_condition_becomes_sql_and_keeps_its_syncs(ws, folder):
    ws.save(pk.SqlAudience("Vips", "SELECT user_id FROM users WHERE vip"))

    kept = defined(folder)["vips"]
    assert isinstance(kept.definition, pk.SqlAudience)
    assert (kept.cadence.every, kept.to[0].destination) == (3600, "analytics")
    with pytest.raises(ConfigError, match="bear its name"):
        ws.save(pk.SqlTrait("Mail", "SELECT user_id, email AS value FROM users"))


def test_a_link_to_the_file_stays_one_and_so_do_its_permissions(ws, folder):
    real = folder / "real.toml"
    (folder / "personas.toml").rename(real)
    real.chmod(0o640)
    (folder / "personas.toml").symlink_to(real)

    ws.save(pk.Audience("New", vip))

    assert (folder / "personas.toml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "New" in real.read_text()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_says_so(ws, folder):
    folder.chmod(0o500)
    try:
        with pytest.raises(ConfigError, match="cannot be written"):
            ws.save(pk.Audience("New", vip))
    finally:
        folder.chmod(0o700)


def test_the_commands_to_review_it_are_those_of_git(ws, folder):
    assert ws.save(pk.Audience("Before", vip)).review == []

    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run(["git", "-C", folder, "add", "personas.toml"], check=True)
    look, commit = ws.save(pk.Audience("New", vip)).review

    shown = subprocess.run(look, shell=True, check=True, capture_output=True, text=True).stdout  # noqa: S602
    assert "+[[audience]]" in shown
    assert "-" not in {line[0] for line in shown.splitlines()[4:]}
    assert "Define new" in commit
    me = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run(commit.replace("git -C", f"git {' '.join(me)} -C"), shell=True, check=True, capture_output=True)  # noqa: S602
    left = subprocess.run(["git", "-C", folder, "status", "--short", "personas.toml"], check=True, capture_output=True)
    assert left.stdout == b""


def test_the_card_says_what_the_line_says_and_survives_the_sanitizer(ws):
    saved = ws.save(pk.Audience("<script>", vip, key="odd"))

    assert problems(saved_card(saved)) == []
    assert "&lt;script&gt;" in saved_card(saved)
    assert "odd</b> added" in saved_card(saved)
    assert "odd added" in repr(saved)


def test_the_demo_keeps_what_was_saved_when_it_is_opened_again(tmp_path):
    with_demo = open_demo(tmp_path)
    busy = pk.AccountAudience(
        "Busy", any_user(event("Feature Used").count() >= 5) & (account_trait("kind") == "company")
    )
    with_demo.save(busy)
    with_demo.close()

    again = open_demo(tmp_path)

    assert again.definitions["busy"].fingerprint == busy.fingerprint
    assert again.config.destinations["analytics"].url == again.sandbox.url
    assert "# Who bought within 30 days" in text(tmp_path)
    again.close()


PIECES = st.sampled_from(
    [
        "# [[audience]] x = \"'\n", "\n", "  \n", '[state]\npath = "[[trait]]"\n',
        "[source]\ntimezone = 'UTC' # \"\"\"\n",
        '[[audience]]\nname = """A # "x\n[[audience]]\n"""\nwhere = "trait(\'x\') = 1"\nkey = "a"\n',
        "[[audience]] # b\nto = [\n  { destination = 'z' }, # [[\n]\nname = 'B'\n  where='''trait('x') = 1'''",
        "[[ account_trait ]]\n\"name\" = 'C'\nvalue = \"event('X').count()\" # ]\nkey = 'c'\n",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=5, unique=True), st.sampled_from(["a", "b", "new"]), st.booleans())
def test_any_file_keeps_everything_but_the_block(pieces, key, crlf):
    before = "\n".join(pieces)
    before = before.replace("\n", "\r\n") if crlf else before
    definition = pk.Audience("Other", (trait("y") == "]]\n") & vip, key=key)

    after = with_definition(before, definition)

    assert with_definition(after, definition) == after
    kept = [
        line
        for piece in pieces
        if f"'{key.upper()}'" not in piece and f'"{key}"' not in piece
        for line in piece.split("\n")
    ]
    assert all(line in after for line in kept)
    assert [line for line in before.splitlines() if "#" in line and "'''" not in line and '"""A' not in line] == [
        line for line in after.splitlines() if "#" in line and "'''" not in line and '"""A' not in line
    ]
