"""The reference has the keys of the code with their defaults, and is what is committed."""

from __future__ import annotations

import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from sesmail import settings
from sesmail.control.reference import Key, conf, mdoc
from sesmail.control.reference.of_credentials import KEYS, OWN, SOURCES
from sesmail.control.reference.of_settings import SETTINGS
from sesmail.delivery import credential_rules, credential_values, credentials, credentials_file
from tests.installation import CHECKOUT

PAGE = CHECKOUT / "man/sesmail.conf.5"
IN_FILE = (*KEYS, *SOURCES, *OWN)


def names(keys: tuple[Key, ...]) -> list[str]:
    """Return the names of keys, their synonyms among them."""
    return sorted(name for key in keys for name in (key.name, *key.synonyms))


def test_the_settings_are_those_of_the_code() -> None:
    """Each key that sesmail.conf may have, once, in the order of the alphabet."""
    assert [key.name for key in SETTINGS] == sorted(settings._KEYS)


def test_the_keys_of_a_credentials_file_are_those_of_the_code() -> None:
    """Our own, the pair and where else keys may come from; what botocore takes is not listed."""
    sources = {"credential_source", "source_profile", *credential_rules.SOURCES}
    ours = {*credential_rules.PAIR, *credential_values.PARSERS, *credentials_file._ALIASES}
    assert names(IN_FILE) == sorted(sources | ours)
    assert {key.name for key in SOURCES} == sources


def test_synonyms_are_those_of_the_code() -> None:
    """Each belongs to its key."""
    found = {synonym: key.name for key in IN_FILE for synonym in key.synonyms}
    assert found == credentials_file._ALIASES


@pytest.mark.parametrize("key", SETTINGS, ids=lambda key: key.name)
def test_what_the_file_shows_is_the_default_or_can_be_set(key: Key) -> None:
    """A default is read as the default; without one there is an example, which can be read."""
    parsed = settings._KEYS[key.name](key.default or key.example)
    if key.default:
        assert parsed == getattr(settings.Settings(), key.name)
    else:
        assert not getattr(settings.Settings(), key.name)
        assert "Default: " in key.text


def test_defaults_of_credentials_are_those_of_the_code(tmp_path: Path) -> None:
    """What counts where a file says nothing."""
    (tmp_path / "example.com").write_text("")
    empty = credentials.load(str(tmp_path), "example.com")
    for key in OWN:
        if key.name != "transport":  # which the shape of the secret decides
            assert (getattr(empty, key.name) or "") == key.default, key.name
    assert {key.name: key.default for key in KEYS}["region"] == empty.region


def test_words_to_choose_from_are_those_of_the_code() -> None:
    """A word of a value is taken, and what is said of choices is said of these."""
    for key in (*SETTINGS, *OWN):
        parse = settings._KEYS.get(key.name) or credential_values.PARSERS[key.name]
        words = [word for word in key.value.replace(" ... ", " | ").split(" | ") if "<" not in word]
        for word in words:
            assert parse(word) == word
        assert not key.choices or [word for word, _ in key.choices] == words
    assert {field.name for field in fields(credentials.Credentials)} >= {key.name for key in OWN}


def test_the_page_has_what_the_tables_say() -> None:
    """packaging/settings --manual was run after the last change of the tables."""
    page = PAGE.read_text()
    assert mdoc.renewed(page) == page


def test_a_page_without_a_place_for_a_list_is_an_error() -> None:
    """So that a list cannot get lost unnoticed."""
    begin = '.\\" settings: written by packaging/settings\n'
    with pytest.raises(ValueError, match="the list settings"):
        mdoc.renewed(PAGE.read_text().replace(begin, ""))


def test_the_file_is_all_comments_and_counts_when_they_are_taken_away(tmp_path: Path) -> None:
    """As it is installed it changes nothing; without the # before its keys nothing is unknown."""
    text = subprocess.run(
        [CHECKOUT / "packaging/settings"], capture_output=True, text=True, check=True
    ).stdout
    assert text == conf.text()
    lines = text.splitlines()
    assert all(line.startswith("#") for line in lines if line)
    assert all(len(line) <= 80 for line in lines if line.startswith("# "))
    found = [line[1:].partition(" = ")[0] for line in lines if line[:2] not in ("", "#", "# ")]
    assert found == [key.name for key in SETTINGS]
    path = tmp_path / "sesmail.conf"
    path.write_text("".join(f"{line[1:]}\n" for line in lines if line[:2] not in ("", "#", "# ")))
    read = settings.load({"SESMAIL_CONFIG": str(path)})
    assert not read.warnings
    assert read.queue_lifetime == settings.Settings().queue_lifetime
    assert read.postmaster == "you@example.org"


def test_what_is_marked_becomes_macros() -> None:
    """Keys, words, paths, pages and commands, with the punctuation around them."""
    key = Key(
        "region",
        "<id> | none",
        "See sesmail(8), `region`, `region = none` (`/etc/x`). Then `sesmailctl init`.",
        default="none",
    )
    assert mdoc.listing([key]).splitlines() == [
        ".Bl -tag -width Ds",
        ".It Ic region Li = Ar id | Cm none",
        "See",
        ".Xr sesmail 8 ,",
        ".Ic region ,",
        ".Ic region Li = Cm none",
        ".Pa ( /etc/x ) .",
        "Then",
        ".Ql sesmailctl init .",
        "Default:",
        ".Cm none .",
        ".El",
    ]
