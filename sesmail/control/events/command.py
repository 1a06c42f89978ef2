"""``sesmailctl events``: have SES tell this host what became of its mail."""

from __future__ import annotations

import argparse

from sesmail.control import admin_flags, verb
from sesmail.control.events.names import PREFIX
from sesmail.control.verb import Context, Verbs


def add(verbs: Verbs) -> None:
    """Add the verbs that follow ``events``."""
    events = verb.group(verbs, "events", "bounces, complaints and deliveries, as SES tells them")
    parser = verb.add(events, "setup", "have SES tell this host what became of its mail", _setup)
    _add_common(parser)
    admin_flags.add(parser)
    parser = verb.add(events, "remove", "take away what events setup made", _remove)
    _add_common(parser)
    admin_flags.add(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser = verb.add(events, "policy", "print the rights in AWS that events need", _policy)
    _add_common(parser)
    parser.add_argument(
        "--admin", action="store_true", help="those for setup and remove, not those of sesmaild"
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("identity", metavar="DOMAIN|ADDRESS", help="an identity with credentials")
    parser.add_argument(
        "--name",
        metavar="PREFIX",
        default=PREFIX,
        help=f"how the names begin of what is made at AWS [{PREFIX}]",
    )


# botocore takes longer to import than all else here: it is for those who need it.


def _setup(context: Context, arguments: argparse.Namespace) -> None:
    from sesmail.control.events import verbs

    verbs.setup(context, arguments)


def _remove(context: Context, arguments: argparse.Namespace) -> None:
    from sesmail.control.events import verbs

    verbs.remove(context, arguments)


def _policy(context: Context, arguments: argparse.Namespace) -> None:
    from sesmail.control.events import verbs

    verbs.policy(context, arguments)
