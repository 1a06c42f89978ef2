"""Address fields (RFC 5322, 3.6.2 and 3.6.6) for SES: ASCII only, domains as A-labels.

Display names, names of groups and comments become encoded-words. A local part beyond ASCII is
refused: SES has no SMTPUTF8. A semicolon between addresses, Outlook's habit, becomes the comma that
RFC 5322 wants. A display name with an @, as in ``bob@x.org <bob@x.org>``, gets the quotes that it
lacks: some readers would take it for the address. Everything else stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sesmail.delivery.encoded_words import encode, is_encoded_word
from sesmail.message import address
from sesmail.message.address import Mailbox, Token
from sesmail.sysexits import DataError

_PHRASE = ("atom", "quoted", ".", "@")


def encode_addresses(value: bytes) -> bytes:
    """Return the ``value`` of an address field in ASCII; its folds stay.

    Raises AddressError where it cannot be read, DataError for a local part or a domain that
    cannot be written in ASCII.
    """
    text = value.decode("utf-8", "surrogateescape")
    mailboxes = address.parse(text)
    pieces = []
    position = 0
    changes = [*_addresses(text, mailboxes), *_words(text, mailboxes), *_separators(text)]
    for start, end, encoded in sorted(changes):
        pieces += [text[position:start].encode("ascii"), encoded]
        position = end
    return b"".join([*pieces, text[position:].encode("ascii")])


def is_usable(mailbox: Mailbox) -> bool:
    """Tell whether SES takes the address: ASCII, and a domain of two labels or more."""
    return mailbox.address().isascii() and "." in mailbox.domain


def _addresses(text: str, mailboxes: list[Mailbox]) -> Iterator[tuple[int, int, bytes]]:
    for mailbox in mailboxes:
        start, end = mailbox.span
        if not text[start:end].isascii():
            _check(mailbox)
            yield start, end, mailbox.address().encode("ascii")


def _check(mailbox: Mailbox) -> None:
    shown = ascii(mailbox.address()[:100])
    if not mailbox.domain:
        raise DataError(f"no address: {shown} (a name with a comma must be in quotes)")
    if not mailbox.local_part.isascii():
        raise DataError(f"{shown}: SES takes only ASCII before the @")
    if not mailbox.address().isascii():
        raise DataError(f"{shown}: the domain cannot be written in ASCII")


def _separators(text: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield what replaces each semicolon that does not end a group."""
    in_group = has_at = False
    for token in address.scan(text):
        if token.kind == ";" and not in_group:
            yield token.start, token.end, b","
        if token.kind == ":":
            in_group = not has_at  # else the end of a route
        elif token.kind == ";":
            in_group = False
        has_at = token.kind == "@" or (has_at and token.kind not in ",;:")


def _words(text: str, mailboxes: list[Mailbox]) -> Iterator[tuple[int, int, bytes]]:
    """Yield what replaces each comment and each phrase that is not ASCII."""
    ends = {mailbox.span[0]: mailbox.span[1] for mailbox in mailboxes}
    names = {mailbox.name_span[0]: mailbox.name_span[1] for mailbox in mailboxes}
    phrase: list[Token] = []
    inside = 0  # the end of the addr-spec that is being passed
    named = 0  # the end of the display name
    for token in address.scan(text):
        inside = max(inside, ends.get(token.start, 0))
        named = max(named, names.get(token.start, 0))
        if token.start < inside:
            continue
        if token.kind in _PHRASE:
            phrase.append(token)
            continue
        if token.kind == "comment" and not token.text.isascii():
            yield token.start, token.end, b"(" + _encoded(token.text) + b")"
        yield from _phrase(phrase, named)
        phrase = []
    yield from _phrase(phrase, named)


def _phrase(words: list[Token], named: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield what replaces the words of one phrase, but for those that are encoded already.

    Words before ``named`` are those of a display name.
    """
    group: list[Token] = []
    after_encoded = False
    for word in [*words, None]:
        is_encoded = word is not None and is_encoded_word(_bytes(word.text))
        if word is not None and not is_encoded:
            group.append(word)
            continue
        if group and not all(member.text.isascii() for member in group):
            text = (" " if after_encoded else "") + _joined(group) + (" " if word else "")
            yield group[0].start, group[-1].end, _encoded(text)
        elif any(member.kind == "@" and member.start < named for member in group):
            yield group[0].start, group[-1].end, _quoted(_joined(group))
        group = []
        after_encoded = True


def _joined(words: list[Token]) -> str:
    """Return the text of ``words``, parted by one blank wherever there was white space."""
    text = words[0].text
    for before, word in pairwise(words):
        text += (" " if before.end < word.start else "") + word.text
    return text


def _quoted(text: str) -> bytes:
    return b'"' + _bytes(text.replace("\\", "\\\\").replace('"', '\\"')) + b'"'


def _encoded(text: str) -> bytes:
    return b" ".join(encode(_bytes(text)))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
