"""Secrets: where one lies is shown, what it says is not."""

import copy
import pickle
import sys
import types

import pytest

from personas_kit.errors import ConfigError
from personas_kit.secret import Secret

VALUE = "s3cr3t-value"


@pytest.fixture
def key(monkeypatch) -> Secret:
    monkeypatch.setenv("ANALYTICS_KEY", VALUE)
    return Secret("env", "ANALYTICS_KEY")


@pytest.fixture
def keyring(monkeypatch) -> dict[tuple[str, str], str]:
    """A keyring that a test fills."""
    entries: dict[tuple[str, str], str] = {}

    class KeyringError(Exception):
        pass

    def get_password(service: str, user: str) -> str | None:
        if service == "locked":
            raise KeyringError(f"cannot unlock {VALUE}")
        return entries.get((service, user))

    errors = types.ModuleType("keyring.errors")
    errors.KeyringError = KeyringError
    module = types.ModuleType("keyring")
    module.get_password = get_password
    module.errors = errors
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return entries


class TestReveal:
    def test_a_variable(self, key):
        assert key.reveal() == VALUE

    def test_a_variable_that_was_rotated_is_read_anew(self, key, monkeypatch):
        key.reveal()
        monkeypatch.setenv("ANALYTICS_KEY", "rotated")
        assert key.reveal() == "rotated"

    @pytest.mark.parametrize("end", ["", "\n", "\r\n"])
    def test_a_file_without_the_line_end_of_the_editor(self, tmp_path, end):
        (tmp_path / "key").write_bytes(f" {VALUE} {end}".encode())
        assert Secret("file", str(tmp_path / "key")).reveal() == f" {VALUE} "

    def test_a_keyring_entry(self, keyring):
        keyring["analytics", "ann"] = VALUE
        assert Secret("keyring", "analytics/ann").reveal() == VALUE


class TestMissing:
    def test_a_variable(self):
        with pytest.raises(ConfigError, match="the secret in env NOT_THERE is missing or empty") as caught:
            Secret("env", "NOT_THERE").reveal()
        assert caught.value.hint == "set the environment variable NOT_THERE"

    def test_an_empty_variable(self, monkeypatch):
        monkeypatch.setenv("EMPTY", "")
        with pytest.raises(ConfigError, match="missing or empty"):
            Secret("env", "EMPTY").reveal()

    def test_a_file(self, tmp_path):
        with pytest.raises(ConfigError, match="missing or empty") as caught:
            Secret("file", str(tmp_path / "key")).reveal()
        assert caught.value.hint.startswith("write it into ")

    def test_a_folder_instead_of_a_file(self, tmp_path):
        with pytest.raises(ConfigError, match=r"cannot be read: (IsADirectory|Permission)Error"):
            Secret("file", str(tmp_path)).reveal()

    def test_a_keyring_entry(self, keyring):
        with pytest.raises(ConfigError) as caught:
            Secret("keyring", "analytics/ann").reveal()
        assert caught.value.hint == "store it with: keyring set analytics ann"

    def test_a_keyring_that_is_not_installed(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "keyring", None)
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            Secret("keyring", "analytics/ann").reveal()
        assert "personas-kit[keyring]" in caught.value.hint

    def test_a_keyring_entry_without_a_user(self):
        with pytest.raises(ConfigError, match="names no user"):
            Secret("keyring", "analytics").reveal()


class TestNothingLeaks:
    @pytest.mark.parametrize(
        "show", [repr, str, "{}".format, "{!r:>40}".format, lambda key: pickle.dumps(key).decode("latin-1")]
    )
    def test_shown_or_stored_it_says_where_and_not_what(self, key, show):
        key.reveal()
        assert VALUE not in show(key)
        assert "ANALYTICS_KEY" in show(key)

    def test_copies_lead_to_the_same_place(self, key):
        assert copy.deepcopy(key) == pickle.loads(pickle.dumps(key)) == key  # noqa: S301

    def test_two_places_with_the_same_value_are_not_equal(self, key, monkeypatch):
        monkeypatch.setenv("OTHER_KEY", VALUE)
        assert key != Secret("env", "OTHER_KEY")

    def test_bytes_that_are_no_text_are_not_quoted(self, tmp_path):
        (tmp_path / "key").write_bytes(b"abc\xff" + VALUE.encode())
        with pytest.raises(ConfigError) as caught:
            Secret("file", str(tmp_path / "key")).reveal()
        assert VALUE not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    def test_the_keyrings_own_words_are_not_repeated(self, keyring):
        with pytest.raises(ConfigError) as caught:
            Secret("keyring", "locked/ann").reveal()
        assert VALUE not in str(caught.value)


class TestParse:
    def test_a_variable(self, tmp_path):
        assert Secret.parse({"env": "KEY"}, base=tmp_path) == Secret("env", "KEY")

    def test_a_relative_path_starts_from_the_settings_folder(self, tmp_path):
        assert Secret.parse({"file": "keys/a"}, base=tmp_path) == Secret("file", str(tmp_path / "keys" / "a"))

    def test_an_absolute_path_stays(self, tmp_path):
        path = str(tmp_path / "a")
        assert Secret.parse({"file": path}, base=tmp_path / "elsewhere").name == path

    def test_a_path_from_home(self, tmp_path, home):
        assert Secret.parse({"file": "~/key"}, base=tmp_path).name.startswith(home)

    @pytest.mark.parametrize(
        ("reference", "what"),
        [
            (VALUE, "a secret is referred to and never written down here"),
            ({}, "a secret lies in exactly one place"),
            ({"env": "A", "file": "b"}, "a secret lies in exactly one place"),
            ({"env": ""}, "'env' needs a name"),
            ({"env": 3}, "'env' needs a name"),
            ({"evn": "A"}, "there is no place for a secret 'evn'"),
        ],
    )
    def test_what_is_no_reference(self, reference, what, tmp_path):
        with pytest.raises(ConfigError) as caught:
            Secret.parse(reference, base=tmp_path, where="personas.toml [destinations.a] api_key")

        assert caught.value.what.startswith(what)
        assert caught.value.where == "personas.toml [destinations.a] api_key"
        assert VALUE not in str(caught.value)
