"""Asking for what is in the queue without giving anything up: by a child of ours.

Where no daemon runs, ``ask`` becomes the user of the settings for good. Whoever has to write a file
of his own afterwards lets a child do that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from sesmail.control import ask
from sesmail.settings import Settings
from sesmail.sysexits import EX_OK, EX_SOFTWARE, Failure, Unavailable


def ask_apart(settings: Settings, request: dict[str, object]) -> Iterator[dict[str, Any]]:
    """Yield what ``ask.ask`` does, and raise what it raises, with its text and exit code."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(_answer(settings, request, writing))
    os.close(writing)
    is_whole = False
    try:
        with open(reading, encoding="ascii") as lines:
            for line in lines:
                kind, content = json.loads(line)
                if kind == "failure":
                    raise _failure(*content)
                is_whole = kind == "end"
                if kind == "document":
                    yield content
    finally:
        os.waitpid(child, 0)
    if not is_whole:
        raise Unavailable("the answer broke off; try again")


def _answer(settings: Settings, request: dict[str, object], descriptor: int) -> int:
    """Write the answer, and how it ended; return the child's exit code."""
    try:
        with open(descriptor, "w", encoding="ascii") as stream:
            try:
                answer = ask.ask(settings, request)
                stream.writelines(_line("document", document) for document in answer)
                stream.write(_line("end", None))
            except Failure as failure:
                stream.write(_line("failure", [str(failure), failure.exit_code]))
    except BaseException:  # noqa: BLE001  a child must not go on as its parent
        return EX_SOFTWARE
    return EX_OK


def _line(kind: str, content: object) -> str:
    return json.dumps([kind, content]) + "\n"


def _failure(text: str, exit_code: int) -> Failure:
    failure = Failure(text)
    failure.exit_code = exit_code
    return failure
