"""``sesmailctl import``: shows the credentials files that ``--apply`` would write."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail.control import credentials_writer, verb
from sesmail.control.importing import kinds, proposal, source
from sesmail.control.importing.account import Account
from sesmail.control.importing.proposal import Proposal
from sesmail.control.terminal import BROKEN, OK, WARNING, Terminal
from sesmail.control.verb import Context, Verbs
from sesmail.settings import Settings
from sesmail.sysexits import EX_OK, DataError, Failure, UsageError

_COLUMNS = ("identity", "key id", "secret", "region")
_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the command line says on the accounts."""

    account: str | None
    domain: str | None
    region: str
    is_final: bool  # they are to be written, not only shown


def add(verbs: Verbs) -> None:
    """Add the verb."""
    text = "take over logins of SES from the files of other programs"
    parser = verb.add(verbs, "import", text, _run)
    parser.add_argument("files", metavar="FILE", nargs="*", help="default: the usual places")
    parser.add_argument("--apply", action="store_true", help="write the files that are shown")
    parser.add_argument("--replace", action="store_true", help="also those that are there already")
    parser.add_argument("--from", dest="kind", choices=sorted(kinds.KINDS), help="the format")
    parser.add_argument("--account", metavar="NAME", help="only the account or profile NAME")
    parser.add_argument("--domain", metavar="DOMAIN", help="for a login that tells no domain")
    parser.add_argument("--region", metavar="REGION", help="for logins that tell no region")


def _run(context: Context, arguments: argparse.Namespace) -> int:
    terminal, settings = context.terminal, context.settings
    choice = _Choice(arguments.account, arguments.domain, arguments.region or "", arguments.apply)
    if arguments.apply:
        credentials_writer.check_access(settings)
    accounts, failures = _read(
        arguments.files or kinds.usual_places(context.environ), arguments.kind
    )
    proposals = _chosen(terminal, accounts, choice)
    usable = [one for one in proposals if not one.obstacle]
    if usable:
        _show(terminal, usable)
    for one in proposals:
        _settle(terminal, settings, arguments, one)
    for failure in failures:
        terminal.mark(BROKEN, str(failure))
    if usable and not arguments.apply:
        terminal.say("nothing is written; with --apply it is")
    return failures[0].exit_code if failures else EX_OK


def _read(paths: list[str], kind: str | None) -> tuple[list[Account], list[Failure]]:
    """Return the accounts in these files, and what is wrong with files that could not be read."""
    if not paths:
        raise DataError("no file of another program is where it usually is; name one")
    accounts: list[Account] = []
    failures: list[Failure] = []
    for path in paths:
        try:
            read = source.read(path)
            known = kinds.KINDS[kind] if kind else kinds.recognise(read)
            accounts += list(known.accounts(read))  # of a file with a mistake none
        except Failure as failure:
            failures.append(failure)
    return accounts, failures


# Which accounts, and for whom.


def _chosen(terminal: Terminal, accounts: list[Account], choice: _Choice) -> list[Proposal]:
    """Return the proposals for what was chosen, each with an identity if there is a way to one."""
    if choice.account is not None:
        accounts = [one for one in accounts if one.name == choice.account]
        if not accounts:
            raise UsageError("there is no such account; without --account all of them are shown")
    proposals = proposal.propose(accounts, choice.region)
    if choice.domain is not None:
        return _for_domain(proposals, choice.domain)
    return proposal.apart([_asked(terminal, one, choice) for one in proposals])


def _for_domain(proposals: list[Proposal], domain: str) -> list[Proposal]:
    """Give the one login that tells no domain, or else the only one, this identity."""
    usable = [one for one in proposals if not one.obstacle]
    nameless = [one for one in usable if not one.identity] or usable
    if len({one.account for one in nameless}) != 1:
        raise UsageError(f"--domain is for one login, here are {len(nameless)}; --account chooses")
    rest = [one for one in proposals if one not in nameless]
    return proposal.apart([nameless[0].named(domain), *rest])


def _asked(terminal: Terminal, one: Proposal, choice: _Choice) -> Proposal:
    """Ask for an identity that is missing; only what is final needs an answer."""
    if one.obstacle or one.identity or not (choice.is_final or terminal.has_person):
        return one
    return one.named(terminal.ask(f"Domain of the login in {one.account.place}", "--domain"))


# What is shown and done.


def _show(terminal: Terminal, usable: list[Proposal]) -> None:
    """Show what would be written; which file it is from in each row only where there are more."""
    files = {one.account.path for one in usable}
    is_one = len(files) == 1
    if is_one:
        terminal.say(f"In {files.pop()}:")
    terminal.table(
        _COLUMNS if is_one else (*_COLUMNS, "from"),
        [row[:-1] if is_one else row for one in usable for row in _rows(one)],
    )


def _rows(one: Proposal) -> Iterator[tuple[str, ...]]:
    """Yield a row for a proposal, and one for each setting beside the region."""
    settings = one.settings()
    region = settings.pop("region", f"{_DEFAULT_REGION} (default)")
    key_id = one.keys["aws_access_key_id"]
    yield one.identity or "?", key_id, one.secret_kind(), region, one.account.place
    for key, value in settings.items():
        yield "", "", "", f"{key} = {value}", ""


def _settle(
    terminal: Terminal, settings: Settings, arguments: argparse.Namespace, one: Proposal
) -> None:
    """Write the file of a proposal, or say why not."""
    done, reason = "would be written", one.obstacle
    if reason:
        done = "passed over"
        terminal.mark(WARNING, f"{one.account.place}: passed over: {reason}")
    elif not one.identity:
        done, reason = "passed over", "its domain is not told; --domain names it"
        terminal.mark(WARNING, f"{one.account.place}: {reason}")
    elif credentials_writer.exists(settings, one.identity) and not arguments.replace:
        done, reason = "left alone", "there is such a file already; --replace replaces it"
        terminal.mark(WARNING, f"{credentials_writer.path(settings, one.identity)}: {reason}")
    elif arguments.apply:
        done = "written"
        replace = arguments.replace
        path = credentials_writer.write(settings, one.identity, one.keys, replace=replace)
        terminal.mark(OK, f"{path} is written; sesmailctl check {one.identity} tries it")
    terminal.result(_document(one, done, reason))


def _document(one: Proposal, done: str, reason: str) -> dict[str, object]:
    document: dict[str, object] = {
        "file": one.account.path,
        "line": one.account.line or None,
        "account": one.account.shown_name,
        "identity": one.identity,
        "done": done,
        "reason": reason,
    }
    if one.keys:
        document["key_id"] = one.keys["aws_access_key_id"]
        document["secret"] = one.secret_kind()
        document["settings"] = one.settings()
    return document
