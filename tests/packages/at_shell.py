"""Type what a page says, answer what is asked as the page answers, compare the screen."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

from tests.packages.stand_ins import PROMPT, StandIns
from tests.pages import FILE, RUN, SHOWN, Block
from tests.terminal import Person

WAITING = "Waiting (Ctrl-C leaves)"
# How a line of a screen on a page begins, that asks; after it stands what is typed.
_QUESTIONS = ("Do you want", "Access key id", "Secret access key", "AWS region", "Custom MAIL")
_QUESTION = re.compile(r"(.*(?:\[Y/n\]|:))(?: (.*))?")
_HIDDEN = "(not shown):"


def answers(screen: str, secret: str) -> dict[str, str]:
    """Return the questions that a page shows and what is typed; the secret for what is hidden."""
    found = {}
    for line in screen.splitlines():
        match = _QUESTION.fullmatch(line)
        if match and line.startswith(_QUESTIONS):
            found[match[1]] = secret if match[1].endswith(_HIDDEN) else match[2] or ""
    return found


def follow(
    person: Person, blocks: Sequence[Block], secret: str, host: StandIns, usual: str = ""
) -> None:
    """Do what the blocks say, and see what they show; ``usual``: a screen with usual answers."""
    for block, after in itertools.zip_longest(blocks, blocks[1:]):
        if block.kind == FILE:
            host.root.write(block.argument, block.text)
        elif block.kind == RUN:
            expected = after.text if after and after.kind == SHOWN else ""
            before = len(person.screen)
            run(person, block.text, answers(usual + expected, secret), host)
            compare(expected, person.screen[before:])


def run(person: Person, commands: str, typed: dict[str, str], host: StandIns) -> None:
    """Type commands, as they stand there, and answer; the shell must say that each was right."""
    for command in _commands(commands):
        if command.startswith("sesmailctl log"):
            host.wait_until_sent()
        for line in command.split("\n"):
            person.type(line)
        _attend(person, typed, host)
        if re.match(r"apt install \./(build/)?sesmail", command):
            host.start_daemon()
        person.type('echo "code=$?"')
        match = re.search(r"code=(\d+)", person.expect(PROMPT))
        assert match
        right = _codes(command)
        assert int(match[1]) in right, f"{command} ended with {match[1]}:\n{person.screen}"


def _attend(person: Person, typed: dict[str, str], host: StandIns) -> None:
    """Answer until the prompt is there again."""
    actions: dict[str, Callable[[], None]] = {
        question: lambda text=text: person.type(text)  # type: ignore[misc]
        for question, text in typed.items()
    }
    actions[WAITING] = host.enter_records
    while (shown := person.expect_one_of([*actions, PROMPT])) != PROMPT:
        actions[shown]()
        if shown == WAITING:
            del actions[WAITING]


def _commands(text: str) -> list[str]:
    """Return the commands of a block: a line each, but for loops and lines that go on."""
    whole: list[str] = []
    depth, goes_on = 0, False
    for line in text.rstrip("\n").split("\n"):
        if depth or goes_on:
            whole[-1] += f"\n{line}"
        else:
            whole.append(line)
        depth += len(re.findall(r"\bdo\b", line)) - len(re.findall(r"^\s*done\b", line))
        goes_on = line.endswith("\\")
    return whole


def _codes(command: str) -> Sequence[int]:
    """Return the exit codes that are right; `check` warns of what a root of the tests is."""
    return (0, 1) if command in ("sesmailctl check", "sesmailctl check --offline") else (0,)


def compare(expected: str, screen: str) -> None:
    """Find each line of a page on the screen, in this order; ... stands for anything."""
    place = 0
    for line in expected.splitlines():
        if line.strip() == "...":
            continue
        pattern = r"[^\n]*".join(re.escape(piece) for piece in line.split("..."))
        match = re.compile(pattern).search(screen, place)
        assert match, f"{line!r} is not on the screen from here on:\n{screen[place:]}"
        place = match.end()
