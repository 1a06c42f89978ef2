"""``sesmailctl remove``: takes the credentials of an identity away, and says what stays elsewhere.

What was made at AWS and in the DNS is not ours to undo unasked: others may send by it. Only
``--identity``, with an administrator's rights, deletes the identity at SES as well.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator

from sesmail import identity, launch
from sesmail.control import admin_flags, identity_name, verb
from sesmail.control import credentials_writer as writer
from sesmail.control.terminal import OK, WARNING
from sesmail.control.verb import Context, Verbs
from sesmail.sysexits import DataError, Failure, UsageError


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verb.add(verbs, "remove", "take the credentials of an identity away", _run)
    parser.add_argument("identity", metavar="DOMAIN|ADDRESS", help="whose credentials")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--identity",
        dest="deletes_identity",
        action="store_true",
        help="delete the identity at SES, too; needs --admin-profile or --admin-key-id",
    )
    admin_flags.add(parser)


def _run(context: Context, arguments: argparse.Namespace) -> None:
    name = arguments.identity
    if name != identity.DEFAULT:
        name = identity_name.read(name)
    if arguments.deletes_identity and not admin_flags.are_given(arguments):
        raise UsageError("--identity needs --admin-profile or --admin-key-id")
    if not writer.exists(context.settings, name):
        raise DataError(f"{writer.path(context.settings, name)} does not exist")
    writer.check_access(context.settings)
    waiting = _waiting(context, name)
    _say_waiting(context, name, waiting)
    question = f"Remove {writer.path(context.settings, name)}?"
    if not arguments.yes and not context.terminal.confirm(question, "--yes", default=False):
        raise UsageError("nothing is removed")
    stays = list(_what_stays(context, name))
    if arguments.deletes_identity:
        _delete(context, arguments, name)
    path = writer.remove(context.settings, name)
    context.terminal.mark(OK, f"{path} is removed")
    context.terminal.say(_new_way(context, name))
    for line in stays:
        context.terminal.say(line)
    context.terminal.result(
        {
            "identity": name,
            "path": path,
            "waiting": waiting,
            "identity_deleted": arguments.deletes_identity,
            "stays": stays,
        }
    )


def _waiting(context: Context, name: str) -> int | None:
    """Return how many messages of it wait; None where that cannot be found out.

    Asked by a process of its own: where no daemon runs, that becomes the daemon's user for good.
    """
    words = ("queue", "list", "--identity", name, "--json")
    environ = launch.environment(context.environ, ("SESMAIL_CONFIG",))
    done = subprocess.run(
        launch.command(launch.own_library(), launch.CONTROL, *words),
        check=False,
        capture_output=True,
        text=True,
        env=environ,
    )
    if done.returncode != 0:
        return None
    return len(done.stdout.splitlines())


def _say_waiting(context: Context, name: str, waiting: int | None) -> None:
    if waiting is None:
        context.terminal.say(f"Whether mail of {name} waits is not known: sesmaild does not say.")
    elif waiting:
        noun = "message" if waiting == 1 else "messages"
        context.terminal.mark(
            WARNING,
            f"{waiting} {noun} of {name} waiting: without credentials they are held until there "
            "are some again, or until they are too old; sesmailctl queue list shows them",
        )


def _new_way(context: Context, name: str) -> str:
    """Return a line about what serves its authors from now on."""
    if name == identity.DEFAULT:
        return "Authors without credentials of their own are the real sendmail's from now on."
    author = name if "@" in name else f"postmaster@{name}"
    settings = context.settings
    other = identity.find(author, settings.credentials_directory, settings.identity_lookup)
    if other is not None and other != name:
        return f"Mail of {name} goes by the credentials of {other} from now on."
    return f"Mail of {name} goes to the real sendmail from now on."


def _what_stays(context: Context, name: str) -> Iterator[str]:
    """Yield what the file knows of, and what only AWS and the DNS have."""
    from sesmail.delivery import credentials  # brings boto3's exceptions, for rows of replies

    try:
        there = credentials.load(context.settings.credentials_directory, name)
    except Failure:
        there = None  # it goes all the same
    if there is not None and there.access_key_id:
        yield f"The key {there.access_key_id} still works: delete it in IAM if nobody else uses it."
    region = f" in {there.region}" if there is not None else ""
    if there is not None and there.events_queue_url:
        yield (
            f"Topic, queue {there.events_queue_url} and configuration set stay; sesmailctl events "
            f"remove {name} takes them away while the credentials are there."
        )
    yield (
        f"SES{region} still knows {name}, and its DNS records stay: the SES console deletes the "
        "identity, your DNS provider the records."
    )


def _delete(context: Context, arguments: argparse.Namespace, name: str) -> None:
    from sesmail.control import aws  # brings botocore, which only this needs
    from sesmail.delivery import credentials

    if name == identity.DEFAULT:
        raise UsageError("--identity: default is no identity of SES")
    there = credentials.load(context.settings.credentials_directory, name)
    client = aws.admin(context, arguments, there.region, stored=there)
    try:
        client.call("sesv2", "delete_email_identity", EmailIdentity=name)
    finally:
        client.close()
    context.terminal.mark(OK, f"SES in {client.region} knows {name} no longer")
