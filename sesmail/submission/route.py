"""The way of one message: by its author's domain to SES, or to the real sendmail."""

from __future__ import annotations

from sesmail import identity
from sesmail.message import address, body, header
from sesmail.message.address import AddressError
from sesmail.message.body import Lines
from sesmail.message.header import Section
from sesmail.submission import caller, relay
from sesmail.submission.input import Input
from sesmail.sysexits import DataError, Unavailable, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sesmail.message.address import Mailbox
    from sesmail.message.header import Field
    from sesmail.settings import Settings
    from sesmail.submission.commandline import CommandLine


def submit(
    argv: list[str],
    command: CommandLine,
    settings: Settings,
    environ: Mapping[str, str],
    library: str,
) -> int:
    """Read the message from standard input and send it on; return the exit code."""
    message = Input(environ)
    lines = Lines(command.ignore_dots)
    section = _read_section(message, lines, settings.message_size_limit)
    fields = header.split(bytes(section.text[section.start : section.end]))
    author = _author(fields, command, settings)
    name = identity.find(author, settings.credentials_directory, settings.identity_lookup)
    if name is None:
        real = relay.find(settings, environ, argv[0], "sendmail")
        if real is None:
            raise _nobody(author, settings)
        relay.execute(real, "sendmail", argv[1:], environ, message)

    from sesmail.submission import recipients, send  # relayed mail does not pay for these

    found = recipients.collect(command, fields, settings)
    real = relay.find(settings, environ, argv[0], "sendmail") if found.local else None
    if found.local and real is None:
        raise recipients.no_local_delivery(found.local, settings)
    if real is not None and not found.forward_paths:
        relay.execute(real, "sendmail", argv[1:], environ, message)
    message.forget()
    reverse_path = reverse_path_of(command, settings)
    submission = send.Submission(command, settings, environ, author, reverse_path)
    pieces = submission.pieces(fields, _body(message, lines, section))
    return submission.send(library, name, found, real, pieces)


def _read_section(message: Input, lines: Lines, limit: int) -> Section:
    """Read on until the header section's end is known; a longer one than ``limit`` is cut."""
    section = Section()
    while not lines.ended and len(section.text) <= limit:
        chunk = message.read()
        if not chunk:
            section.feed(lines.finish())
            break
        if section.feed(lines.feed(chunk)):
            break
    else:
        message.end_of_typing()
    section.feed(b"", final=True)
    return section


def _body(message: Input, lines: Lines, section: Section) -> Iterator[bytes]:
    """Yield the body in pieces, with LF line ends, and read what follows a lone dot."""
    yield body.clean(bytes(section.text[section.body :]))
    while chunk := message.read():
        yield body.clean(lines.feed(chunk))
    yield body.clean(lines.finish())


def _author(fields: list[Field], command: CommandLine, settings: Settings) -> str:
    """Return the address that decides the way: From's first, else -f, else login@origin."""
    for field in fields:
        if field.key == b"from" and field.text():
            try:
                mailboxes = address.parse(field.text())
            except AddressError as error:
                raise DataError(f"malformed From: {error}") from None
            if mailboxes:
                return _qualified(mailboxes[0], settings)
    return reverse_path_of(command, settings) or caller.address(settings)


def reverse_path_of(command: CommandLine, settings: Settings) -> str | None:
    """Return the address given by -f or -r, "" for the null reverse-path, None for none given.

    Raises UsageError for anything but one address: a wrong sender is worse than none.
    """
    if command.reverse_path is None:
        return None
    if not command.reverse_path.strip(" \t<>"):
        return ""
    try:
        mailboxes = address.parse(command.reverse_path)
    except AddressError as error:
        raise UsageError(f"-f: {error}") from None
    if len(mailboxes) != 1:
        raise UsageError(f"-f takes one address, not {command.reverse_path[:100]!a}")
    return _qualified(mailboxes[0], settings)


def _qualified(mailbox: Mailbox, settings: Settings) -> str:
    if mailbox.domain:
        return mailbox.address()
    return f"{mailbox.local_part}@{caller.origin(settings)}"


def _nobody(author: str, settings: Settings) -> Unavailable:
    domain = author.rpartition("@")[2]
    return Unavailable(
        f"no credentials for {domain[:255]!a}, and no real sendmail; put the domain's credentials "
        f"into {settings.credentials_directory}, in a file named like the domain"
    )
