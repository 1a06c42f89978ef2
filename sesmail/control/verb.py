"""What a verb of sesmailctl is: words on the command line, and a function that does it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sesmail.control.terminal import Terminal
from sesmail.settings import Settings
from sesmail.sysexits import Failure


@dataclass(frozen=True, slots=True)
class Context:
    """What a verb works with; ``faults``: what of the settings could not be read (``check``)."""

    settings: Settings
    terminal: Terminal
    environ: Mapping[str, str]
    faults: Sequence[Failure] = ()


Run = Callable[[Context, argparse.Namespace], int | None]
"""Does it; returns the exit code, None for 0. Raises a Failure."""
Verbs = Any  # argparse._SubParsersAction, which has no public name


def add(verbs: Verbs, name: str, text: str, run: Run) -> argparse.ArgumentParser:
    """Add a verb with its line of help."""
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", help="answer in JSON, a document a line")
    parser.set_defaults(run=run)
    return parser


def group(verbs: Verbs, name: str, text: str) -> Verbs:
    """Add a word that verbs follow, such as ``queue``; return where they are added."""
    parser = verbs.add_parser(name, help=text, description=text)
    return parser.add_subparsers(metavar="VERB", required=True)
