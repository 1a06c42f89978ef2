"""The command line of sesmailctl is read with the one verb that it names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sesmail.control import main
from sesmail.control.command_tree import Place, places
from tests.installation import CHECKOUT


def below(verb: str, whole: list[Place]) -> list[Place]:
    """Return the places after a verb."""
    return [place for place in whole if place.verbs[:1] == (verb,)]


def test_the_table_has_all_verbs_in_their_order() -> None:
    """What ``--help`` and completion show is what the table names."""
    (top,) = [place for place in places(main.parser()) if not place.verbs]
    assert list(top.following) == list(main.VERBS)


@pytest.mark.parametrize("verb", main.VERBS)
def test_a_verb_alone_is_what_it_is_among_all(verb: str) -> None:
    """Its flags, operands and help are the same."""
    alone = list(places(main.parser(verb)))
    assert below(verb, alone) == below(verb, list(places(main.parser())))


@pytest.mark.parametrize("word", ["", "--help", "statuss"])
def test_what_is_no_verb_is_read_with_all(word: str) -> None:
    """So that all of them can be shown or proposed."""
    assert list(places(main.parser(word))) == list(places(main.parser()))


def test_other_verbs_are_not_imported() -> None:
    """``status`` pays neither for making mail nor for setting up."""
    script = "import sys; from sesmail.control import main; main.parser('status')"
    command = [sys.executable, "-c", f"{script}; print(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CHECKOUT)
    loaded = done.stdout.split()
    assert "sesmail.control.status" in loaded
    assert not {"email", "sesmail.control.testmail", "sesmail.control.setup"} & set(loaded)
