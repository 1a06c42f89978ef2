"""``sesmailctl completion``: a script for a shell, and the words that only this host knows."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
from collections.abc import Iterator

from sesmail.control.verb import Context, Verbs
from sesmail.settings import Settings
from sesmail.sysexits import Failure

_MOST = 100  # queue ids


def add(verbs: Verbs) -> None:
    """Add the verb."""
    text = "print a script that completes this command in a shell"
    parser = verbs.add_parser("completion", help=text, description=text)
    parser.add_argument(
        "what",
        choices=("bash", "zsh", "fish", *_WORDS),
        help="a shell; or words that its script asks for",
    )
    parser.set_defaults(run=_run)


def _run(context: Context, arguments: argparse.Namespace) -> None:
    if arguments.what in _WORDS:
        context.terminal.write(_WORDS[arguments.what](context.settings))
    else:
        print(script(arguments.what), end="")


def script(shell: str) -> str:
    """Return the script for a shell."""
    from sesmail.control import main  # which imports this module
    from sesmail.control.command_tree import places
    from sesmail.control.completion_scripts import SCRIPTS

    return SCRIPTS[shell](list(places(main.parser())))


def _identities(settings: Settings) -> Iterator[str]:
    """Yield the names in the credentials directory; nothing for whom it does not list."""
    with contextlib.suppress(OSError):
        names = sorted(os.listdir(settings.credentials_directory))
        yield from (name for name in names if not name.startswith("."))


def _queue_ids(settings: Settings) -> Iterator[str]:
    """Yield ids of messages that wait, or failed."""
    from sesmail.control import ask  # the scripts themselves need no queue

    with contextlib.suppress(Failure):
        for entry in itertools.islice(ask.ask(settings, {"request": "queue"}), _MOST):
            yield entry["queue_id"]


_WORDS = {"identities": _identities, "queue-ids": _queue_ids}
