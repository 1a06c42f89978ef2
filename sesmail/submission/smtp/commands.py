"""Command lines (RFC 5321, 4.1): the verb, and the arguments of MAIL and RCPT.

Tolerated as in every server: blanks after the colon, a path without its angle brackets, a source
route, which is dropped. Not offered, so refused: parameters other than SIZE (RFC 1870) and BODY
(RFC 6152), addresses beyond ASCII (RFC 6531).
"""

from __future__ import annotations

from sesmail.message import address
from sesmail.message.address import AddressError
from sesmail.submission.log import printable
from sesmail.submission.smtp import replies
from sesmail.submission.smtp.replies import Refusal

LONGEST = 512  # bytes, with CRLF (RFC 5321, 4.5.3.1.4)
_LONGEST_MAIL = LONGEST + 26 + 17  # SIZE and BODY add to it
_LONGEST_PATH = 256  # bytes, with its brackets (4.5.3.1.3)
_CONTROLS = bytes((*range(32), 127))
_NOT_ASCII = "553 5.6.7 Not ASCII; use an ASCII address"


def split(line: bytes) -> tuple[str, str]:
    """Return the verb in upper case and what follows it. Raises Refusal."""
    text = line.removesuffix(b"\r\n")
    command = text.decode("utf-8", "surrogateescape")
    verb, _, argument = command.strip(" ").partition(" ")
    verb = verb.upper()
    if len(line) > (_LONGEST_MAIL if verb == "MAIL" else LONGEST):
        raise replies.error(replies.TOO_LONG)
    if text == line or len(text.translate(None, _CONTROLS)) < len(text):
        raise replies.error(replies.NOT_A_LINE)
    return verb, argument.strip(" ")


def mail(argument: str, limit: int) -> str:
    """Return the reverse-path of MAIL, "" for the null one. Raises Refusal."""
    form = "MAIL FROM:<address>"
    path, parameters = _path_and_parameters(argument, "FROM:", form)
    for parameter in parameters:
        _check_parameter(parameter, limit)
    if path[:1] == "<" and not path.strip(" <>"):
        return ""
    return _address(path, "501 5.1.7 Bad sender address")


def rcpt(argument: str) -> str:
    """Return the forward-path of RCPT. Raises Refusal."""
    path, parameters = _path_and_parameters(argument, "TO:", "RCPT TO:<address>")
    if parameters:
        raise replies.error(_unknown_parameter(parameters[0]))
    return _address(path, "501 5.1.3 Bad recipient address")


def _path_and_parameters(argument: str, keyword: str, form: str) -> tuple[str, list[str]]:
    if argument[: len(keyword)].upper() != keyword:
        raise replies.usage(form)
    text = argument[len(keyword) :].lstrip(" ")
    end = _end_of_path(text)
    if not text or text[end : end + 1] not in ("", " "):
        raise replies.usage(form)
    return text[:end], text[end:].split(" ")[1:] if text[end:].strip(" ") else []


def _end_of_path(text: str) -> int:
    """Return where a path ends: behind its bracket, or before a blank; quotes may hold both."""
    close = ">" if text.startswith("<") else " "
    if '"' not in text and "\\" not in text:
        end = text.find(close)
        return len(text) if end < 0 else end + (close == ">")
    position, is_quoted = 0, False
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif char == '"':
            is_quoted = not is_quoted
        elif char == close and not is_quoted:
            return position + (close == ">")
        position += 1
    return len(text)


def _address(path: str, refusal: str) -> str:
    """Return the one address of a path as the command line's operands have it."""
    if not path.isascii():
        raise Refusal(_NOT_ASCII)
    try:
        mailboxes = address.parse(path)
    except AddressError:
        raise Refusal(refusal) from None
    if len(mailboxes) != 1 or mailboxes[0].name or len(path) > _LONGEST_PATH:
        raise Refusal(refusal)
    return mailboxes[0].address()


def _check_parameter(parameter: str, limit: int) -> None:
    name, _, value = parameter.upper().partition("=")
    if name == "SIZE" and value.isascii() and value.isdigit() and len(value) <= 20:
        if int(value) > limit:
            raise Refusal(replies.too_large(limit))
    elif name in ("SIZE", "BODY"):
        if name == "SIZE" or value not in ("7BIT", "8BITMIME"):
            raise replies.error(f"501 5.5.4 Bad value of {name}")
    else:
        raise replies.error(_unknown_parameter(parameter))


def _unknown_parameter(parameter: str) -> str:
    return f"555 5.5.4 Unsupported parameter {printable(parameter)[:100]}"
