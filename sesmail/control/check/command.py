"""``sesmailctl check [DOMAIN]``: what is wrong, what it means, and what to do.

The exit code is for monitoring: 0 all is ok, 1 there are warnings, 2 something is broken.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

from sesmail.control import admin_flags, identity_name, verb
from sesmail.control.check.finding import EXIT_CODES, Finding, broken, exit_code
from sesmail.control.terminal import Terminal
from sesmail.control.verb import Context, Verbs
from sesmail.sysexits import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

_INDENTED = " " * 8


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verb.add(verbs, "check", "find what is wrong, and say what to do", _run)
    parser.add_argument(
        "domain",
        metavar="DOMAIN",
        nargs="?",
        default="",
        help="ask SES and the DNS for this domain or address alone",
    )
    parser.add_argument(
        "--offline", action="store_true", help="look at this host only; ask no network"
    )
    parser.add_argument(
        "--unit", metavar="NAME", help="look whether this systemd service can send; only that"
    )
    admin_flags.add_nameserver(parser)
    admin_flags.add_who(parser)
    parser.set_defaults(tells_faults=True)  # of sesmail.conf: the rest is looked at all the same


def _run(context: Context, arguments: argparse.Namespace) -> int:
    if admin_flags.are_given(arguments) and not arguments.domain:
        raise UsageError("name the DOMAIN that the administrator's keys are to be used for")
    answer = _Answer(context.terminal)
    if arguments.unit:
        _unit(context, arguments.unit, answer)
    else:
        _everything(context, arguments, answer)
    return exit_code(answer.findings)


class _Answer:
    """What was found so far, each told as it comes."""

    def __init__(self, terminal: Terminal) -> None:
        self.findings: list[Finding] = []
        self._terminal = terminal

    def tell(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.findings.append(finding)
            if self._terminal.is_json:
                self._terminal.result(finding.document())
                continue
            self._terminal.mark(finding.level, f"{finding.subject}: {finding.text}")
            if finding.remedy:
                self._terminal.say(f"{_INDENTED}{finding.remedy}")

    def sum_up(self) -> None:
        counts = Counter(finding.level for finding in self.findings)
        self._terminal.note(", ".join(f"{counts[level]} {level}" for level in EXIT_CODES))


def _everything(context: Context, arguments: argparse.Namespace, answer: _Answer) -> None:
    # What these import takes longer than all other verbs need.
    from sesmail.control.check import doctor
    from sesmail.delivery.credentials import Credentials

    settings = context.settings
    domain = identity_name.read(arguments.domain) if arguments.domain else ""
    if not arguments.offline:
        _try_nameserver(arguments.nameserver)
    answer.tell(doctor.of_host(settings, context.environ, context.faults))
    chosen = doctor.names(settings, domain)
    if domain and not chosen:
        text = f"no credentials serve {domain}: its mail goes to the real sendmail"
        answer.tell([broken(f"{domain}: credentials", text, f"sesmailctl setup {domain}")])
    read = list(doctor.load(settings, chosen))
    answer.tell(one for one in read if isinstance(one, Finding))
    usable = [one for one in read if isinstance(one, Credentials)]
    if usable and not arguments.offline:
        from sesmail.control import aws
        from sesmail.control.check import network

        with contextlib.ExitStack() as opened:
            admin = None
            if admin_flags.are_given(arguments):
                admin = aws.admin(context, arguments, usable[0].region, usable[0])
                opened.callback(admin.close)
            opened.enter_context(context.terminal.progress("asking SES and the DNS"))
            answer.tell(network.ask(usable, domain, arguments.nameserver, admin))
    answer.sum_up()


def _try_nameserver(address: str) -> None:
    """Raise UsageError for what is no address, before anything is asked."""
    from sesmail.control.dns import Dns, DnsError

    with contextlib.suppress(DnsError):  # the host has no resolver: told with the identities
        Dns(address)


def _unit(context: Context, name: str, answer: _Answer) -> None:
    from sesmail.control.check import configuration, units

    answer.tell(configuration.faults(context.faults))
    answer.tell(units.asked(context.settings, name))
    found = units.drop_in(context.settings, name)
    if found is None:
        return
    if context.terminal.is_json:
        context.terminal.result(dataclasses.asdict(found))
        return
    for line in ("", *found.commands()):
        context.terminal.say(line)
