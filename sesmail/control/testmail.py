"""``sesmailctl test``: one mail the whole real way, from sendmail to SES, and what becomes of it.

The installed command is run as any program runs it. Who delivers is its decision: with a daemon
the message is followed in its queue; in the foreground the command itself says what SES said.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import time
from dataclasses import dataclass
from email.message import EmailMessage

from sesmail import identity as identities
from sesmail.control import ask, following, identity_name, verb
from sesmail.control.check import sendmail
from sesmail.control.following import Outcome, Sought, Step
from sesmail.control.terminal import BROKEN, OK, WARNING
from sesmail.control.verb import Context, Verbs
from sesmail.delivery import credentials
from sesmail.launch import PATH
from sesmail.sysexits import (
    EX_OK,
    ConfigurationError,
    NotPermitted,
    Unavailable,
    UsageError,
)

SIMULATOR = "success@simulator.amazonses.com"
_LOCAL_PART = "sesmail-test"
_TIMEOUT = 120  # seconds; with delivery_mode = queue the daemon looks once a minute
_IN_FOREGROUND = re.compile(r"sent through (\S+) as (\S+), recipients")
_LEVELS = {following.SENT: OK, following.DELIVERED: OK}


@dataclass(frozen=True, slots=True)
class _Test:
    """A test mail."""

    identity: str
    sender: str
    to: str
    seconds: float


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verb.add(verbs, "test", "send a mail and follow it until its outcome", _run)
    parser.add_argument("identity", metavar="DOMAIN", help="whose credentials: domain or address")
    parser.add_argument("--to", metavar="ADDRESS", default=SIMULATOR, help="default: %(default)s")
    parser.add_argument("--from", dest="sender", metavar="ADDRESS", help="the author")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, default=_TIMEOUT, help="default: %(default)s"
    )


def seconds(text: str) -> float:
    """Return a time-out. Raises ValueError."""
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError
    return value


def _run(context: Context, arguments: argparse.Namespace) -> int:
    name = arguments.identity
    if name != identities.DEFAULT:
        name = identity_name.read(name)
    if "@" not in arguments.to:
        raise UsageError("--to is no address; mail to a local name does not go through SES")
    sender = arguments.sender or _sender(name)
    return _send(context, _Test(name, sender, arguments.to, arguments.timeout))


def send_and_follow(context: Context, identity: str, to: str = SIMULATOR) -> int:
    """Send a test mail as ``identity`` and follow it; return the exit code. Raises a Failure."""
    return _send(context, _Test(identity, _sender(identity), to, _TIMEOUT))


def _sender(identity: str) -> str:
    if identity == identities.DEFAULT:
        raise UsageError("the default file serves any author; --from names one")
    return identity if "@" in identity else f"{_LOCAL_PART}@{identity}"


def _send(context: Context, test: _Test) -> int:
    settings, terminal = context.settings, context.terminal
    sought = Sought(test.sender, test.to, _now(), _has_events(context, test))
    is_running = ask.is_running(settings)
    terminal.say(f"From {test.sender} to {test.to}")
    started = time.monotonic()
    with terminal.progress("sendmail takes the mail") as update:
        code, said = _hand_over(context, test)
        direct = _IN_FOREGROUND.search(said)
        if code != EX_OK:
            outcome = Outcome(following.FAILED, text=said or f"sendmail ended with {code}")
        elif direct:
            outcome = Outcome(following.SENT, relay=direct[1], remote_id=direct[2])
        elif is_running:
            update("waiting for what becomes of it")
            outcome = following.follow(
                settings, sought, test.seconds, lambda step: update(_told(step))
            )
        else:
            outcome = Outcome(following.ON_ITS_WAY, text=f"sesmaild does not run. {said}".strip())
    _show(context, outcome, sought)
    document = outcome.as_dict() | {"identity": test.identity, "from": test.sender, "to": test.to}
    terminal.result(document | {"seconds": round(time.monotonic() - started, 1)})
    return code or outcome.exit_code


def _has_events(context: Context, test: _Test) -> bool:
    """Tell whether SES will say more; raise where the mail would not go out as this identity."""
    directory = context.settings.credentials_directory
    found = _served_by(context, test.sender)
    if found is None:
        raise ConfigurationError(
            f"{directory} has no credentials for {test.sender}: its mail is not for SES; "
            f"sesmailctl setup {test.identity}"
        )
    own = test.identity
    if own != identities.DEFAULT:
        own = _served_by(context, _sender(own)) or own  # of a subdomain the credentials above it
    if found != own:
        raise UsageError(f"mail of {test.sender} goes out by the credentials of {found}")
    try:
        return bool(credentials.load(directory, found).events_queue_url)
    except NotPermitted:
        return False  # only root and the daemon know


def _served_by(context: Context, author: str) -> str | None:
    settings = context.settings
    return identities.find(author, settings.credentials_directory, settings.identity_lookup)


def _hand_over(context: Context, test: _Test) -> tuple[int, str]:
    """Run the installed sendmail; return its exit code and what it said."""
    environ = {"PATH": PATH, "LANG": "C.UTF-8"}
    if "SESMAIL_CONFIG" in context.environ:
        environ["SESMAIL_CONFIG"] = context.environ["SESMAIL_CONFIG"]
    command = _command()
    try:
        done = subprocess.run(
            [command, "-t", "-i", "-v", "-f", test.sender],
            check=False,
            input=_message(test),
            capture_output=True,
            env=environ,
            cwd="/",
        )
    except OSError as error:
        raise Unavailable(f"cannot run {command}: {error.strerror}") from None
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    return done.returncode, "; ".join(line.removeprefix("sendmail: ") for line in lines)


def _command() -> str:
    own = sendmail.own_command()
    if os.path.exists(own):
        return own
    if sendmail.is_ours(sendmail.SENDMAIL):
        return sendmail.SENDMAIL
    raise Unavailable(f"there is neither {own} nor a {sendmail.SENDMAIL} of ours; install it again")


def _message(test: _Test) -> bytes:
    message = EmailMessage()
    message["From"] = test.sender
    message["To"] = test.to
    message["Subject"] = f"Test of sesmail on {socket.gethostname()}"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        "sesmailctl test sent this mail, the way that all mail of this host takes.\n"
    )
    return message.as_bytes()


# What is shown.


def _show(context: Context, outcome: Outcome, sought: Sought) -> None:
    terminal = context.terminal
    level = _LEVELS.get(outcome.name, BROKEN)
    if outcome.name in (following.DEFERRED, following.ON_ITS_WAY):
        level = WARNING
    terminal.mark(level, _sentence(outcome, context))
    if outcome.name == following.SENT and sought.has_events:
        terminal.mark(WARNING, "SES has not told yet what became of it; sesmailctl log knows later")


def _sentence(outcome: Outcome, context: Context) -> str:
    said = " ".join(part for part in (outcome.status, outcome.text) if part)
    by = f"{outcome.relay} as {outcome.remote_id}" if outcome.remote_id else outcome.relay
    log = f"sesmailctl log {outcome.queue_id}" if outcome.queue_id else ""
    match outcome.name:
        case following.SENT:
            return f"sent: SES took it, {by}" if by else "sent"
        case following.DELIVERED:
            return f"delivered: {said}; SES took it, {by}"
        case following.FAILED:
            return said if said.startswith("not sent") else f"not delivered: {said}"
        case following.HELD:
            return f"held until somebody mends it: {said}; {log}"
        case following.DEFERRED:
            return f"not sent yet, and tried again later: {said}; {log}"
        case following.ON_ITS_WAY if outcome.queue_id:
            return f"in the queue, without an outcome yet; {log}"
        case following.ON_ITS_WAY:
            return f"it waits in {context.settings.spool_directory}/drop: {said}"
    return "sesmaild has not picked it up yet; sesmailctl check may tell why"


def _told(step: Step) -> str:
    name = step.get("kind") or step["step"]
    return " ".join(part for part in (name, step.get("status", ""), step.get("text", "")) if part)


def _now() -> int:
    return int(time.time() * 1000)
