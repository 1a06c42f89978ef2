"""The manual pages leave nothing out: flags, settings, keys of a credentials file, exit codes.

An item of a list (mdoc's ``.It`` line) has to name each; prose alone does not count.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sesmail import settings, sysexits
from sesmail.delivery import credential_rules, credential_values, credentials_file
from sesmail.submission import commandline
from tests.installation import CHECKOUT

ALONE = commandline._ALONE | commandline._WITH_VALUE | commandline._WITH_ATTACHED_VALUE
MODES = {f"b{letter}" for letter in commandline._MODES}
FLAGS = sorted(ALONE - {"b"} | MODES | {"oi", "-help", "-version"})
SETTINGS = sorted(settings._KEYS)
KEYS = sorted(
    {*credential_values.PARSERS, *credential_rules.PAIR, *credentials_file._ALIASES}
    | {"credential_source", *credential_rules.SOURCES}
)
CODES = {value for name, value in vars(sysexits).items() if name.startswith("EX_")}


def items() -> Iterator[list[str]]:
    """Yield the words of each list item of the manual: sesmail(8) and sesmail.conf(5)."""
    for page in (CHECKOUT / "man").iterdir():
        for line in page.read_text().splitlines():
            if line.startswith(".It "):
                yield line.split()[1:]


def words() -> set[str]:
    """Return all words in list items."""
    return {word for item in items() for word in item}


def flags() -> set[str]:
    """Return what stands after an Fl macro in list items."""
    return {
        flag
        for item in items()
        for macro, flag in zip(item, item[1:], strict=False)
        if macro == "Fl"
    }


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_is_in_the_manual(flag: str) -> None:
    """A flag that the command line knows is an item of the manual."""
    assert flag in flags()


@pytest.mark.parametrize("key", SETTINGS)
def test_each_setting_is_in_the_manual(key: str) -> None:
    """A key of sesmail.conf is an item of the manual."""
    assert key in words()


@pytest.mark.parametrize("key", KEYS)
def test_each_credentials_key_is_in_the_manual(key: str) -> None:
    """A key of a credentials file is an item of the manual."""
    assert key in words()


def test_the_manual_has_the_exit_codes_and_no_others() -> None:
    """The items that are numbers are the exit codes, each once; 75 is not among them."""
    numbers = [int(word) for item in items() for word in item if word.isdigit()]
    assert sorted(numbers) == sorted(CODES)
    assert 75 not in numbers


def test_an_empty_manual_would_be_noticed() -> None:
    """The lists that these tests go through are not empty."""
    assert {"t", "f", "bp", "oi"} <= set(FLAGS)
    assert "real_sendmail" in SETTINGS
    assert {"region", "role_arn", "aws_secret_key", "author"} <= set(KEYS)
    assert {0, 64, 78} <= CODES
