"""Address syntax as SES judges it.

SES's texts are those of JavaMail's InternetAddress, and so are the rules here (RFC 822, strict):
the first offence ends it.  Its message names neither the header nor the address.
"""

from __future__ import annotations

from .refusals import BAD_VALUE, Refusal

_SPECIALS = '()<>,;:\\"[]@'


def split_list(text: str) -> list[str]:
    """The mailboxes of an address-list field (RFC 5322 3.4), as text; groups are opened up.

    Comments and quoted strings are kept whole; empty elements vanish.
    """
    found: list[str] = []
    current = ""
    quoted, angle, depth, escaped = False, False, 0, False
    for char in text:
        if escaped:
            escaped = False
        elif char == "\\" and (quoted or depth):
            escaped = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif not quoted:
            depth = max(0, depth + (char == "(") - (char == ")"))
            angle = (angle or char == "<") and char != ">"
            if not depth and not angle and char in ",;:":
                if char != ":":
                    found.append(current)
                current = ""
                continue
        current += char
    found.append(current)
    return [one.strip() for one in found if one.strip()]


def bare(mailbox: str) -> str:
    """The addr-spec of one mailbox: what is in the angle brackets, else all but comments."""
    outside, depth, quoted, escaped = "", 0, False, False
    for char in mailbox:
        if escaped:
            escaped = False
        elif char == "\\" and (quoted or depth):
            escaped = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif char == "<" and not quoted and not depth:
            inside, closed, _ = mailbox[mailbox.rindex("<") + 1 :].partition(">")
            if not closed:
                raise Refusal(BAD_VALUE, "Missing '>'")
            return inside.strip()
        elif char == "(" and not quoted:
            depth += 1
        elif char == ")" and not quoted and depth:
            depth -= 1
            continue
        if not depth:
            outside += char
    return outside.strip()


def check(address: str) -> None:
    """Refusal unless the addr-spec is one that SES takes."""
    if not address:
        raise Refusal(BAD_VALUE, "Empty address")
    end = _check_local(address)
    if end == len(address):
        raise Refusal(BAD_VALUE, "Missing final '@domain'")
    _check_domain(address[end + 1 :])


def _check_local(address: str) -> int:
    """Check up to the `@`; its index, or the length if there is none."""
    quoted, last = False, ""
    for index, char in enumerate(address):
        if char == "\\" or last == "\\":
            pass
        elif char == '"':
            _check_quote(address, index, quoted)
            quoted = not quoted
        elif quoted:
            pass
        elif char == "@":
            _check_end(index, last)
            return index
        else:
            _check_local_character(char, last)
        last = char
    if quoted:
        raise Refusal(BAD_VALUE, "Unterminated quote")
    return len(address)


def _check_quote(address: str, index: int, quoted: bool) -> None:
    if quoted and address[index + 1 : index + 2] not in ("", "@"):
        raise Refusal(BAD_VALUE, "Quote not at end of local address")
    if not quoted and index:
        raise Refusal(BAD_VALUE, "Unexpected quote")


def _check_end(index: int, last: str) -> None:
    if not index:
        raise Refusal(BAD_VALUE, "Missing local name")
    if last == ".":
        raise Refusal(BAD_VALUE, "Local address ends with dot")


def _check_local_character(char: str, last: str) -> None:
    if char == "." and not last:
        raise Refusal(BAD_VALUE, "Local address starts with dot")
    if char == "." and last == ".":
        raise Refusal(BAD_VALUE, "Local address contains dot-dot")
    if char <= " " or char >= "\x7f":
        raise Refusal(BAD_VALUE, "Local address contains control or whitespace")
    if char in _SPECIALS:
        raise Refusal(BAD_VALUE, "Local address contains illegal character")


def _check_domain(domain: str) -> None:
    if not domain:
        raise Refusal(BAD_VALUE, "Missing domain")
    if domain.startswith("."):
        raise Refusal(BAD_VALUE, "Domain starts with dot")
    literal = domain.startswith("[") and domain.endswith("]")
    for char in domain:
        if char <= " " or char == "\x7f":
            raise Refusal(BAD_VALUE, "Domain contains control or whitespace")
        if not literal and not (char.isascii() and (char.isalnum() or char in "-.")):
            raise Refusal(BAD_VALUE, "Domain contains illegal character")
    if ".." in domain:
        raise Refusal(BAD_VALUE, "Domain contains dot-dot")
    if domain.endswith("."):
        raise Refusal(BAD_VALUE, "Domain ends with dot")
