"""The way of one message: by its author's domain to SES, or to the real sendmail."""

from __future__ import annotations

from sesmail import identity
from sesmail.message import address, body, header
from sesmail.message.address import AddressError
from sesmail.message.body import Lines
from sesmail.message.header import Section
from sesmail.submission import caller
from sesmail.submission.input import Input
from sesmail.sysexits import DataError, Unavailable, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sesmail.message.address import Mailbox
    from sesmail.message.header import Field
    from sesmail.settings import Settings
    from sesmail.submission.commandline import CommandLine
    from sesmail.submission.recipients import Recipients


class ForSES:
    """A message of an ``identity``; ``real_sendmail`` gets it for its local recipients, if any."""

    __slots__ = ("author", "identity", "real_sendmail", "recipients")

    def __init__(
        self, author: str, identity: str, recipients: Recipients, real_sendmail: str | None
    ) -> None:
        self.author = author
        self.identity = identity
        self.recipients = recipients
        self.real_sendmail = real_sendmail


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
    text = _text(message, lines)
    section = read_section(text, settings.message_size_limit)
    fields = header.split(bytes(section.text[section.start : section.end]))
    way = choose(fields, command, settings, environ, argv[0])
    if isinstance(way, str):
        from sesmail.submission import relay  # mail for SES does not pay for it

        relay.execute(way, "sendmail", argv[1:], environ, message)

    from sesmail.submission import send  # relayed mail does not pay for it

    message.forget()
    reverse_path = reverse_path_of(command, settings)
    submission = send.Submission(command, settings, environ, way.author, reverse_path)
    pieces = submission.pieces(fields, body_of(section, text))
    return submission.send(library, way.identity, way.recipients, way.real_sendmail, pieces)


def choose(
    fields: list[Field],
    command: CommandLine,
    settings: Settings,
    environ: Mapping[str, str],
    own_path: str,
) -> ForSES | str:
    """Return what goes to SES, or the path of the real sendmail, which gets the whole message.

    Raises a Failure where the message can go neither way, or not to all.
    """
    author = _author(fields, command, settings)
    name = identity.find(author, settings.credentials_directory, settings.identity_lookup)
    if name is None:
        real = _real_sendmail(settings, environ, own_path)
        if real is None:
            raise _nobody(author, settings)
        return real

    from sesmail.submission import recipients  # relayed mail does not pay for it

    found = recipients.collect(command, fields, settings)
    real = _real_sendmail(settings, environ, own_path) if found.local else None
    if found.local and real is None:
        raise recipients.no_local_delivery(found.local, settings)
    if real is not None and not found.forward_paths:
        return real
    return ForSES(author, name, found, real)


def _real_sendmail(settings: Settings, environ: Mapping[str, str], own_path: str) -> str | None:
    from sesmail.submission import relay  # mail for SES alone does not pay for it

    return relay.find(settings, environ, own_path, "sendmail")


def _text(message: Input, lines: Lines) -> Iterator[bytes]:
    """Yield the text in pieces, with LF line ends, and read what follows a lone dot."""
    while chunk := message.read():
        yield lines.feed(chunk)
        if lines.ended:
            message.end_of_typing()
    yield lines.finish()


def read_section(text: Iterator[bytes], limit: int) -> Section:
    """Read on until the header section's end is known; a longer one than ``limit`` is cut."""
    section = Section()
    for piece in text:
        if section.feed(piece) or len(section.text) > limit:
            break
    section.feed(b"", final=True)
    return section


def body_of(section: Section, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the body in pieces: what was read with the section, and the rest of the text."""
    yield body.clean(bytes(section.text[section.body :]))
    for piece in rest:
        yield body.clean(piece)


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
