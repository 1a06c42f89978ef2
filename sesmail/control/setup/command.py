"""``sesmailctl setup``: from nothing to a delivered mail; run again, it goes on where it stands.

The order: credentials, which are tried; the identity at SES; the records; the wait; the account; a
test mail. Whatever the keys at hand may not do is said and left out, with the steps for the console
in its place.
"""

from __future__ import annotations

import argparse

from sesmail.control import identity_name, verb
from sesmail.control.setup import flags
from sesmail.control.verb import Context, Verbs


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verb.add(verbs, "setup", "let a domain or an address send through SES", _run)
    flags.add(parser)


def _run(context: Context, arguments: argparse.Namespace) -> int:
    from sesmail.control.setup.run import Run  # brings botocore, which other verbs can do without

    flags.check(arguments)
    return Run(context, arguments, identity_name.read(arguments.identity)).run()
