"""One field for SES: ASCII, lines of at most 998 bytes, no line of blanks alone.

What is that already stays byte for byte, folds included. Which fields a message may have is the
business of ``repair``.
"""

from __future__ import annotations

from sesmail.delivery import parameters
from sesmail.delivery.address_fields import encode_addresses
from sesmail.delivery.encoded_words import encode_unstructured
from sesmail.delivery.folding import (
    ENCODED_LINE,
    fold,
    fold_long_lines,
    unfold,
    without_blank_lines,
)
from sesmail.message.address import AddressError
from sesmail.message.header import Field
from sesmail.sysexits import DataError

# What SES reads as addresses; a wrong one there costs the message, so it is refused by name here.
SES_ADDRESSES = frozenset(
    b"""from sender reply-to to cc
    resent-from resent-sender resent-reply-to resent-to resent-cc""".split()
)
_OTHER_ADDRESSES = frozenset(
    b"""disposition-notification-to errors-to mail-followup-to mail-reply-to
    return-receipt-to""".split()
)
_WITH_PARAMETERS = frozenset((b"content-type", b"content-disposition"))


def encode(field: Field, *, is_part: bool = False) -> bytes:
    """Return the field as SES takes it, lines ending in LF but for the last.

    Raises DataError for an address that SES refuses; never in the header of a part (``is_part``).
    """
    value = without_blank_lines(field.value)
    if value.isascii():
        is_list = b";" in value or value.count(b"@") > 1  # else there is nothing to mend
        if field.key in SES_ADDRESSES and is_list and not is_part:
            value = _mended(value)
        return fold_long_lines(b"%b:%b" % (field.name, value))
    encoded = _encode_value(field, unfold(value), is_part)
    return fold(b"%b:%b" % (field.name, encoded), ENCODED_LINE)


def _mended(value: bytes) -> bytes:
    try:
        return encode_addresses(value)
    except AddressError:
        return value


def _encode_value(field: Field, value: bytes, is_part: bool) -> bytes:
    if field.key in _WITH_PARAMETERS:
        return parameters.encode(value)
    if field.key in SES_ADDRESSES or field.key in _OTHER_ADDRESSES:
        try:
            return encode_addresses(value)
        except AddressError:
            pass  # what nobody can read as addresses goes as text
        except DataError as error:
            if field.key in SES_ADDRESSES and not is_part:
                raise DataError(f"{field.name.decode('ascii')}: {error}") from None
    return encode_unstructured(value)
