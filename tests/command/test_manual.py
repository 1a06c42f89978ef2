"""The manual pages leave nothing out: flags, settings, keys of a credentials file, exit codes.

What a command takes stands on the page of its name, the rest on the page where people look for it.

An item of a list (mdoc's ``.It`` line) has to name each; prose alone does not count.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from sesmail import launch, settings, sysexits
from sesmail.control import main as control
from sesmail.delivery import credential_rules, credential_values, credentials_file
from sesmail.delivery.daemon import main as daemon
from sesmail.submission import commandline, mode, realsendmail
from tests.installation import CHECKOUT

ALONE = commandline._ALONE | commandline._WITH_VALUE | commandline._WITH_ATTACHED_VALUE
MODES = {f"b{letter}" for letter in commandline._MODES}
DELIVERY = {f"od{letter}" for letter in mode._REQUESTS}
FLAGS = sorted(ALONE - {"b"} | MODES | DELIVERY | {"oi", "-help", "-version"})
DAEMON_FLAGS = sorted(
    flag.removeprefix("-") for flag in (daemon._ONCE, daemon._CHECK, daemon._STDERR)
)
SETTINGS = sorted(settings._KEYS)
KEYS = sorted(
    {*credential_values.PARSERS, *credential_rules.PAIR, *credentials_file._ALIASES}
    | {"credential_source", *credential_rules.SOURCES}
)
MACROS = {"Fl", "Ar", "Cm", "Ns", "Op", "Ic", "Li"}  # what ends the words of an Fl
CODES = {value for name, value in vars(sysexits).items() if name.startswith("EX_")}


def items(page: str) -> Iterator[list[str]]:
    """Yield the words of each list item of a page of the manual."""
    for line in (CHECKOUT / "man" / page).read_text().splitlines():
        if line.startswith(".It "):
            yield line.split()[1:]


def words(page: str) -> set[str]:
    """Return all words in the list items of a page."""
    return {word for item in items(page) for word in item}


def flags(page: str) -> set[str]:
    """Return what stands after an Fl macro in the list items of a page, and after its commas."""
    found: set[str] = set()
    for item in items(page):
        is_flag = False
        for word in item:
            if word in MACROS:
                is_flag = word == "Fl"
            elif is_flag and word != ",":
                found.add(word)
    return found


def verbs(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield each command that a parser takes, with its flags."""
    own: list[str] = []
    is_branch = False
    for action in parser._actions:
        own += [flag.removeprefix("-") for flag in action.option_strings]
        if isinstance(action, argparse._SubParsersAction):
            is_branch = True
            for name, inner in action.choices.items():
                yield from verbs(inner, f"{before} {name}")
    yield ("" if is_branch else before.strip()), own


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_is_in_the_manual(flag: str) -> None:
    """A flag that sendmail's command line knows is an item of sesmail(8)."""
    assert flag in flags("sesmail.8")


@pytest.mark.parametrize("flag", DAEMON_FLAGS)
def test_each_flag_of_the_daemon_is_in_the_manual(flag: str) -> None:
    """A flag of sesmaild is an item of sesmaild(8)."""
    assert flag in flags("sesmaild.8")


@pytest.mark.parametrize("name", ["SESMAIL_CONFIG", "NOTIFY_SOCKET"])
def test_each_variable_of_the_daemon_is_in_the_manual(name: str) -> None:
    """A variable that sesmaild gets, beside those of roles, is an item of sesmaild(8)."""
    assert name in launch.DAEMON_VARIABLES
    assert name in words("sesmaild.8")


@pytest.mark.parametrize("name", launch.CONTROL_VARIABLES)
def test_each_variable_of_sesmailctl_is_in_the_manual(name: str) -> None:
    """A variable that it gets, beside those of roles, is an item of sesmailctl(8)."""
    assert name in words("sesmailctl.8")


def test_each_verb_of_sesmailctl_is_in_the_manual() -> None:
    """A command of sesmailctl and its flags are items of sesmailctl(8)."""
    there = [" ".join(item) for item in items("sesmailctl.8")]
    found = list(verbs(control.parser()))
    for verb, own in found:
        if verb:
            assert any(f"{line} ".startswith(f"Cm {verb} ") for line in there), verb
        assert set(own) <= flags("sesmailctl.8")
    assert {"init", "queue salvage"} <= {verb for verb, _ in found}
    assert any("-version" in own for _, own in found)


def test_the_verbs_are_in_the_order_of_the_help() -> None:
    """So that who has seen one finds his way in the other."""
    found = [verb for verb, _ in verbs(control.parser()) if verb]
    there = []
    for item in items("sesmailctl.8"):
        line = " ".join(item) + " "
        there += [verb for verb in found if line.startswith(f"Cm {verb} ") and verb not in there]
    assert there == found


def test_every_verb_is_in_the_synopsis() -> None:
    """By its first word."""
    page = (CHECKOUT / "man/sesmailctl.8").read_text()
    synopsis = page.partition(".Sh SYNOPSIS")[2].partition(".Sh")[0]
    for verb, _ in verbs(control.parser()):
        assert f"\n.Cm {verb.split(' ')[0]}" in synopsis, verb


@pytest.mark.parametrize("key", SETTINGS)
def test_each_setting_is_in_the_manual(key: str) -> None:
    """A key of sesmail.conf is an item of sesmail.conf(5)."""
    assert key in words("sesmail.conf.5")


@pytest.mark.parametrize("key", KEYS)
def test_each_credentials_key_is_in_the_manual(key: str) -> None:
    """A key of a credentials file is an item of sesmail.conf(5)."""
    assert key in words("sesmail.conf.5")


def test_the_manual_has_the_exit_codes_and_no_others() -> None:
    """The items of sesmail(8) that are numbers are the exit codes, each once; 75 is not one."""
    numbers = [int(item[0]) for item in items("sesmail.8") if item[0].isdigit()]
    assert sorted(numbers) == sorted(CODES)
    assert 75 not in numbers


@pytest.mark.parametrize("page", ["sesmaild.8", "sesmailctl.8"])
def test_the_other_commands_exit_with_known_codes(page: str) -> None:
    """What EXIT STATUS of the other pages lists are codes of sysexits(3)."""
    section = (
        (CHECKOUT / "man" / page).read_text().partition(".Sh EXIT STATUS")[2].partition(".Sh")[0]
    )
    listed = {int(line.split()[0]) for line in section.splitlines() if line[:1].isdigit()}
    assert {73, 74, 77, 78} <= listed <= CODES


def test_the_manual_has_the_names_of_the_real_sendmail() -> None:
    """Where it is looked for is in FILES, in that order."""
    page = (CHECKOUT / "man/sesmail.8").read_text().partition(".Sh FILES")[2]
    places = [page.index(f".Pa {name} ") for name in _places()]
    assert places == sorted(places)


def _places() -> list[str]:
    first, *others = realsendmail._SENDMAILS
    return [first, *(path.removeprefix("/usr/sbin/sendmail") for path in others)]


def test_an_empty_manual_would_be_noticed() -> None:
    """The lists that these tests go through are not empty."""
    assert {"t", "f", "bp", "oi", "odb", "odq"} <= set(FLAGS)
    assert "-once" in DAEMON_FLAGS
    assert {"real_sendmail", "queue_lifetime", "on_ambiguous"} <= set(SETTINGS)
    assert {"region", "role_arn", "aws_secret_key", "author"} <= set(KEYS)
    assert {0, 64, 73, 74, 78} <= CODES
