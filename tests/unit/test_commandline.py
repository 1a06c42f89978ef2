"""The command line, by the tables of tests/corpus/sendmail/flags.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.submission import commandline
from sesmail.submission.commandline import CommandLine, parse

CORPUS = Path(__file__).parent.parent / "corpus" / "sendmail"
# The 154 spellings of section 8, each followed by -t: what differs from a plain -t, and the way.
MATRIX: dict[str, dict[str, Any]] = json.loads((CORPUS / "flags.json").read_text())
# Section 2, column "sesmail".
VALUES = {  # flags with a value, and values that callers give
    "A": ["c", "m"],
    "B": ["7BIT", "8BITMIME", "FOO"],
    "C": ["/etc/passwd"],
    "F": ["Sue S", "-t"],
    "L": ["tag"],
    "N": ["never", "success,failure", "bogus"],
    "O": ["DeliveryMode=b", "QueueDirectory=/tmp", "IgnoreDots"],
    "R": ["hdrs", "full"],
    "V": ["envid"],
    "X": ["/tmp/log"],
    "b": ["m"],
    "e": ["m", "p", "q", "w", "e"],
    "f": ["sue@example.com", "Sue <sue@example.com>"],
    "h": ["5", "x"],
    "o": ["i", "em", "db", "dq", "Q/tmp", "A/etc/aliases"],
    "p": ["SMTP:host.example.net"],
    "r": ["sue@example.com"],
}
ALONE = "GUcimntvx"
OPTIONAL = {"d": "", "q": commandline.RUN_QUEUE}  # an attached value or none; the mode they set
EFFECTS = {  # what is not ignored
    "-G": {"add_fields": False},
    "-i": {"ignore_dots": True},
    "-oi": {"ignore_dots": True},
    "-t": {"recipients_from_header": True},
    "-v": {"verbose": True},
}
HANDED_OVER_MODES = "abcdefghjklnoqrtuvwxyzBCDHP"
FLAGS = st.sampled_from(sorted({*VALUES, *ALONE, *OPTIONAL, "M", "-", "1"}))
WORDS = st.one_of(
    st.text(max_size=6),
    st.builds("-{}{}".format, FLAGS, st.text("aefitv=@", max_size=5)),
    st.sampled_from(["--", "-", "--help", "bob@example.org"]),
)


def read(*words: str, name: str = "sendmail") -> dict[str, Any]:
    """What the words change, compared with none at all."""
    plain, command = CommandLine(), parse(name, list(words))
    values = {member: getattr(command, member) for member in CommandLine.__slots__}
    return {member: value for member, value in values.items() if value != getattr(plain, member)}


def test_the_matrix_has_every_spelling_that_was_run() -> None:
    """flags.json has the rows of the matrix of flags.md, section 8: 154, in its order."""
    _, _, matrix = (CORPUS / "flags.md").read_text("utf-8").partition("## 8. Flag matrix")
    assert list(MATRIX) == re.findall(r"^\| `([^`]+)` \|", matrix, re.MULTILINE)
    assert len(MATRIX) == 154


@pytest.mark.parametrize("spelling", MATRIX)
def test_matrix(spelling: str) -> None:
    """Each spelling, followed by -t, means what is written for it."""
    expected = {"recipients_from_header": True, **MATRIX[spelling]}
    way = expected.pop("way")
    found = read(*spelling.split(), "-t")
    if "mode" in expected:
        assert way in ("real", "prints")
        assert found["mode"] == expected["mode"]
        assert found.get("unknown") == expected.get("unknown")
    else:
        plain = CommandLine()
        assert found == {
            member: value for member, value in expected.items() if value != getattr(plain, member)
        }


@pytest.mark.parametrize(("flag", "value"), [(f, value) for f in VALUES for value in VALUES[f]])
def test_a_value_may_be_attached_or_stand_apart(flag: str, value: str) -> None:
    """Both spellings take the value, and the flags go on after it."""
    attached = read(f"-{flag}{value}", "-t", "bob@example.org")
    assert attached == read(f"-{flag}", value, "-t", "bob@example.org")
    assert attached["operands"] == ["bob@example.org"]
    assert attached["recipients_from_header"]
    assert "mode" not in attached


@pytest.mark.parametrize(("flag", "value"), [(f, value) for f in VALUES for value in VALUES[f]])
def test_a_value_ends_a_bundle(flag: str, value: str) -> None:
    """In ``-tfADDR`` all that follows the f is the address; ``-tf ADDR`` is the same."""
    assert read(f"-t{flag}{value}", "x") == read("-t", f"-{flag}", value, "x")
    assert read(f"-t{flag}", value, "x") == read("-t", f"-{flag}", value, "x")


@pytest.mark.parametrize("flag", VALUES)
def test_a_missing_value_is_for_the_real_sendmail(flag: str) -> None:
    """A flag whose value is missing cannot be followed; the real sendmail says what it thinks."""
    assert read("-t", f"-{flag}")["mode"] == commandline.HAND_OVER


@pytest.mark.parametrize("flag", ALONE)
def test_a_flag_without_value(flag: str) -> None:
    """The next word is not its value, alone or in a bundle; most have no effect."""
    effect = EFFECTS.get(f"-{flag}", {})
    assert read(f"-{flag}") == effect
    assert read(f"-{flag}", "x") == {**effect, "operands": ["x"]}
    assert read(f"-{flag}m") == read(f"-m{flag}") == effect


@pytest.mark.parametrize("flag", OPTIONAL)
def test_an_optional_value_is_attached(flag: str) -> None:
    """What follows apart is not the value of -d or -q."""
    mode = {"mode": OPTIONAL[flag]} if OPTIONAL[flag] else {}
    assert read(f"-{flag}") == read(f"-{flag}0.1") == mode
    assert read(f"-{flag}", "0.1") == {**mode, "operands": ["0.1"]}
    assert read(f"-v{flag}t") == {**mode, "verbose": True}


def test_every_other_character_is_for_the_real_sendmail() -> None:
    """Who does not know a flag does not know whether a value follows it."""
    ours = {*VALUES, *ALONE, *OPTIONAL}
    for code in range(1, 256):
        flag = chr(code)
        found = read(f"-{flag}", "m", "bob@example.org")
        if flag in ours:
            assert "unknown" not in found
        elif flag != "-":
            assert found["mode"] == commandline.HAND_OVER
            assert found["unknown"] == f"-{flag}"
            assert read(f"-t{flag}")["unknown"] == f"-{flag}"


@pytest.mark.parametrize("letter", HANDED_OVER_MODES)
def test_modes_of_the_real_sendmail(letter: str) -> None:
    """-bd, -bv and the like are not ours."""
    for words in ([f"-b{letter}"], ["-b", letter]):
        found = read(*words, "-t")
        assert (found["mode"], found["unknown"]) == (commandline.HAND_OVER, f"-b{letter}")


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        (["-bp"], commandline.LIST_QUEUE),
        (["-bi"], commandline.REBUILD_ALIASES),
        (["-q"], commandline.RUN_QUEUE),
        (["-q", "-bp"], commandline.LIST_QUEUE),
        (["--help"], commandline.HELP),
        (["-t", "--version"], commandline.VERSION),
    ],
)
def test_our_modes(words: list[str], mode: str) -> None:
    """Each mode by its flag; of several the last."""
    assert parse("sendmail", words).mode == mode


def test_the_last_mode_wins() -> None:
    """-bm goes back to delivery."""
    assert read("-bp", "-bm") == {}


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("mailq", commandline.LIST_QUEUE),
        ("newaliases", commandline.REBUILD_ALIASES),
        ("sendmail", commandline.DELIVER),
        ("exim", commandline.DELIVER),
    ],
)
def test_the_name_sets_the_mode(name: str, mode: str) -> None:
    """mailq and newaliases are modes by name; any other name delivers."""
    assert parse(name, []).mode == mode


def test_the_first_word_that_is_no_flag_ends_the_flags() -> None:
    """A recipient list built from data cannot become flags."""
    assert read("bob@example.org", "-oi", "-f", "x") == {
        "operands": ["bob@example.org", "-oi", "-f", "x"]
    }
    assert read("-i", "-", "-t") == {"ignore_dots": True, "operands": ["-", "-t"]}
    assert read("", "-t") == {"operands": ["", "-t"]}


def test_two_hyphens_end_the_flags() -> None:
    """What comes after ``--`` are recipients, also another ``--`` and ``--help``."""
    assert read("-t", "--", "-i", "--", "--help") == {
        "recipients_from_header": True,
        "operands": ["-i", "--", "--help"],
    }
    assert read("--") == {}


def test_long_words_are_for_the_real_sendmail() -> None:
    """But --help and --version, which are sesmail's own, as whole words only."""
    assert read("--from=x")["unknown"] == "--from=x"
    assert read("--helpme")["unknown"] == "--helpme"


@pytest.mark.parametrize(
    ("words", "reverse_path"),
    [
        (["-f", "one@example.com", "-f", "two@example.com"], "two@example.com"),
        (["-r", "one@example.com", "-ftwo@example.com"], "two@example.com"),
        (["-f", "one@example.com", "-rtwo@example.com"], "two@example.com"),
        (["-f", ""], ""),
        (["-f", "<>"], "<>"),
        (["-f<>"], "<>"),
        (["-f", "-t"], "-t"),
    ],
)
def test_the_last_reverse_path_wins(words: list[str], reverse_path: str) -> None:
    """-r is -f; empty is a value; a value may look like a flag."""
    assert read(*words) == {"reverse_path": reverse_path}


@pytest.mark.parametrize("value", ["i", "iTrue", "itrue", "iTRUE", "iyes", "iYes", "it"])
def test_dots_are_ignored(value: str) -> None:
    """A boolean is true when absent or when it begins with t, T, y or Y."""
    assert read(f"-o{value}") == {"ignore_dots": True}
    assert read(f"-OIgnoreDots={value[1:]}") == {"ignore_dots": True}


@pytest.mark.parametrize("value", ["iFalse", "ifalse", "ino", "i0", "iN"])
def test_dots_are_not_ignored(value: str) -> None:
    """All else is false, and the last one counts."""
    assert read("-i", f"-o{value}") == {}
    assert read("-i", "-O", f"IgnoreDots={value[1:]}") == {}
    assert read(f"-o{value}", "-i") == {"ignore_dots": True}


def test_option_names_are_read_as_sendmail_reads_them() -> None:
    """In any case, with blanks around the equals sign; other names have no effect."""
    assert read("-O", "ignoredots") == {"ignore_dots": True}
    assert read("-O", "IGNOREDOTS = true") == {"ignore_dots": True}
    assert read("-O", "IgnoreDotsX=true", "-O", "X=IgnoreDots") == {}


@given(st.lists(WORDS, max_size=6))
def test_any_words_are_read(words: list[str]) -> None:
    """No words fail, and operands are the last words, unchanged."""
    command = parse("sendmail", words)
    assert command.operands == words[len(words) - len(command.operands) :]
    assert bool(command.unknown) == (command.mode == commandline.HAND_OVER)


@given(st.lists(st.sampled_from(ALONE), min_size=1))
def test_a_bundle_is_its_flags(flags: list[str]) -> None:
    """``-tiv`` is ``-t -i -v``, in any order and number."""
    assert read("-" + "".join(flags)) == read(*(f"-{flag}" for flag in flags))
