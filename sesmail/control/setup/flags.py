"""The flags of ``sesmailctl setup``. Every question that it asks has one; no secret is one."""

from __future__ import annotations

import argparse

from sesmail.control import admin_flags, secret_input
from sesmail.sysexits import UsageError

NONE = "none"  # --mail-from none: the MAIL FROM domain stays SES's own
TRANSACTIONAL, MARKETING = "transactional", "marketing"
_INTERVAL = 15.0  # seconds; SES takes one such call a second, from all who use the account
_TIMEOUT = 3600.0


def add(parser: argparse.ArgumentParser) -> None:
    """Add the flags and the operand."""
    parser.add_argument("identity", metavar="DOMAIN|ADDRESS", help="who shall send")
    _add_stored(parser)
    admin_flags.add(parser)
    _add_dns(parser)
    _add_waiting(parser)
    _add_production(parser)
    test = parser.add_argument_group("the test mail at the end").add_mutually_exclusive_group()
    test.add_argument(
        "--test-to", metavar="ADDRESS", help="to whom, instead of SES's mailbox simulator"
    )
    test.add_argument("--no-test", action="store_true", help="send none")


def check(arguments: argparse.Namespace) -> None:
    """Raise UsageError for a flag that would go unused, or that another one contradicts."""
    files = (arguments.secret_file, arguments.admin_secret_file)
    if files == (secret_input.STDIN, secret_input.STDIN):
        raise UsageError("only one of --secret-file and --admin-secret-file can be standard input")
    if arguments.role and arguments.secret_file:
        raise UsageError("--secret-file belongs to a key, and --role has none")
    if arguments.admin_secret_file and not arguments.admin_key_id:
        raise UsageError("--admin-secret-file belongs to --admin-key-id, which is missing")
    of_request = (arguments.mail_type, arguments.website, arguments.use_case, arguments.contact)
    if any(of_request) and not arguments.request_production:
        raise UsageError("--mail-type, --website, ... belong to --request-production")
    if arguments.test_to and "@" not in arguments.test_to:
        raise UsageError("--test-to is no address")
    if arguments.zone and "@" in arguments.identity:
        raise UsageError("--zone is for a domain; an address has no records")


def seconds(text: str) -> float:
    value = float(text)
    if not 0.0 <= value < 1e7:
        raise ValueError
    return value


def _add_stored(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is stored")
    whose = group.add_mutually_exclusive_group()
    whose.add_argument("--key-id", metavar="ID", help="access key id, or SMTP user name")
    whose.add_argument(
        "--role", action="store_true", help="no keys: the role of this instance or container"
    )
    group.add_argument(
        "--secret-file",
        metavar="FILE",
        help="where secret access key or SMTP password is; - is standard input",
    )
    group.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="another key of the credentials file, see sesmail.conf(5); can be repeated",
    )
    group.add_argument("--replace", action="store_true", help="overwrite what is stored already")


def _add_dns(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the DNS")
    group.add_argument(
        "--mail-from", metavar="NAME", help="custom MAIL FROM domain, or none [bounce.DOMAIN]"
    )
    group.add_argument("--zone", metavar="FILE", help="write the records as a zone file")
    group.add_argument(
        "--new-dkim", action="store_true", help="new DKIM records where SES gave up on the old"
    )
    admin_flags.add_nameserver(group)


def _add_waiting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("waiting for SES to verify the domain")
    group.add_argument("--no-wait", action="store_true", help="look once")
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=_TIMEOUT,
        help="wait for so long [3600]",
    )
    group.add_argument(
        "--interval", metavar="SECONDS", type=seconds, default=_INTERVAL, help="between looks [15]"
    )


def _add_production(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("leaving the sandbox")
    group.add_argument(
        "--request-production", action="store_true", help="ask AWS for production access"
    )
    group.add_argument(
        "--mail-type", choices=(TRANSACTIONAL, MARKETING), help="what is sent, for the request"
    )
    group.add_argument("--website", metavar="URL", help="whose mail it is")
    group.add_argument("--use-case", metavar="TEXT", help="what is sent, to whom, and why")
    group.add_argument(
        "--contact", metavar="ADDRESS", action="append", default=[], help="whom AWS may write to"
    )
