"""Address lists (RFC 5322, 3.4, with the obsolete syntax of 4.4): the one scanner of both halves.

It reads what callers write, as Sendmail, Postfix and Exim do: ``;`` also separates, empty elements
are skipped, dots may stand in display names, a route (``<@relay:bob@x>``) is dropped, a backslash
quotes the next character, a trailing dot of a domain goes. What it cannot read it refuses with
AddressError: a guess could mail the wrong person.

Values are text in which bytes that are no UTF-8 are surrogates (``surrogateescape``).
"""

from __future__ import annotations

from sesmail.identity import a_labels
from sesmail.sysexits import DataError

SPACE = " \t\r\n"
_SPECIALS = frozenset('()<>[]:;@,."' + SPACE)
_PHRASE = frozenset(("atom", "quoted", "comment", "."))
# RFC 5322, 3.2.3; beyond ASCII see RFC 6532, 3.2.
_ATEXT_CHARACTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~"
)
_ATEXT = frozenset(_ATEXT_CHARACTERS)
_PLAIN = _ATEXT_CHARACTERS + ".@"


class AddressError(DataError):
    """An address list that cannot be read; the text names the element."""


class Mailbox:
    """One address of a list.

    ``local_part`` is quoted where it must be; ``domain`` is "" for a bare name, else as written,
    without trailing dot. ``name`` is the display name, unquoted, or "". ``span`` and ``name_span``
    are (start, end) of the addr-spec and of the display name in the value.
    """

    __slots__ = ("domain", "local_part", "name", "name_span", "span")

    def __init__(self, local_part: str, domain: str, span: tuple[int, int]) -> None:
        self.local_part = local_part
        self.domain = domain
        self.span = span
        self.name = ""
        self.name_span = (span[0], span[0])

    def address(self) -> str:
        """Return ``local-part@domain`` as written, U-labels as A-labels; or the bare name."""
        if not self.domain:
            return self.local_part
        domain = self.domain if self.domain.isascii() else a_labels(self.domain)
        return f"{self.local_part}@{domain}"


class Token:
    """A piece of a value: ``atom``, ``quoted``, ``comment``, ``literal``, or the special itself."""

    __slots__ = ("end", "kind", "start", "text")

    def __init__(self, kind: str, start: int, end: int, text: str) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.text = text


def parse(value: str, *, split_at_blanks: bool = False) -> list[Mailbox]:
    """Return the mailboxes of an address list in order, members of groups included.

    With ``split_at_blanks`` an element of bare words is several addresses, as where recipients
    are read in Sendmail and Postfix. Raises AddressError.
    """
    plain = _plain(value)
    if plain is not None:
        return [plain]
    mailboxes: list[Mailbox] = []
    element: list[Token] = []
    is_phrase = True  # element could be a display name; kept along, or each ":" would cost a walk
    depth = 0  # inside < >
    in_group = False
    for token in scan(value):
        if token.kind == "<":
            depth += 1
        elif token.kind == ">":
            depth -= 1
        if depth == 0 and token.kind == ":" and not in_group and element and is_phrase:
            in_group = True
            element = []
        elif depth == 0 and token.kind in ",;":
            mailboxes += _read(element, value, split_at_blanks)
            element = []
            is_phrase = True
            in_group = in_group and token.kind == ","
        else:
            element.append(token)
            is_phrase = is_phrase and token.kind in _PHRASE
    return mailboxes + _read(element, value, split_at_blanks)


def _plain(value: str) -> Mailbox | None:
    """Read a value that is a single address without anything to unquote: most are."""
    text = value.strip(SPACE)
    if text[:1] == "<" and text[-1:] == ">":
        text = text[1:-1]
    if text.strip(_PLAIN) or text.count("@") != 1:
        return None
    local_part, _, domain = text.partition("@")
    if not local_part or not all(domain.split(".")):
        return None
    start = value.index(text)
    return Mailbox(local_part, domain, (start, start + len(text)))


def scan(value: str) -> list[Token]:
    """Cut ``value`` into tokens, without white space. Raises AddressError for an open one."""
    tokens = []
    position, end = 0, len(value)
    while position < end:
        start, char = position, value[position]
        if char in SPACE:
            position += 1
            continue
        if char == '"':
            position, text = _enclosed(value, start, '"')
            tokens.append(Token("quoted", start, position, text))
        elif char == "(":
            position, text = _comment(value, start)
            tokens.append(Token("comment", start, position, text))
        elif char == "[":
            position, _ = _enclosed(value, start, "]")
            tokens.append(Token("literal", start, position, value[start:position]))
        elif char in _SPECIALS:
            position += 1
            tokens.append(Token(char, start, position, char))
        else:
            position, text = _atom(value, start)
            tokens.append(Token("atom", start, position, text))
    return tokens


def _atom(value: str, start: int) -> tuple[int, str]:
    """Read an atom; return its end and its text, with the characters that a backslash quoted."""
    text = ""
    position = start
    while position < len(value) and value[position] not in _SPECIALS:
        if value[position] == "\\" and position + 1 < len(value):
            position += 1
        text += value[position]
        position += 1
    return position, text


def _enclosed(value: str, start: int, close: str) -> tuple[int, str]:
    """Read from an opening character to ``close``; return the end and the text without quoting."""
    text = ""
    position = start + 1
    while position < len(value):
        char = value[position]
        if char == close:
            return position + 1, text
        if char == "\\" and position + 1 < len(value):
            position += 1
            char = value[position]
        if char not in "\r\n":
            text += char
        position += 1
    raise AddressError(f"{value[start]} without {close} in {_shown(value)}")


def _comment(value: str, start: int) -> tuple[int, str]:
    """Read a comment, which may nest (RFC 5322, 3.2.2); return its end and its text."""
    depth = 0
    position = start
    while position < len(value):
        char = value[position]
        if char == "\\":
            position += 1
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return position + 1, value[start + 1 : position]
        position += 1
    raise AddressError(f"( without ) in {_shown(value)}")


def _read(element: list[Token], value: str, split_at_blanks: bool) -> list[Mailbox]:
    """Read one element of a list: nothing, a mailbox, or several bare words."""
    words = [token for token in element if token.kind != "comment"]
    if not words:
        return []
    kinds = {token.kind for token in element}
    if "<" in kinds or ">" in kinds:
        return [_name_and_address(words, value)]
    if split_at_blanks and kinds <= {"atom", ".", "@"}:
        return [_address(part, value) for part in _split_at_blanks(words)]
    return [_address(words, value)]


def _split_at_blanks(words: list[Token]) -> list[list[Token]]:
    parts = [[words[0]]]
    for before, token in zip(words, words[1:], strict=False):
        if before.end == token.start:
            parts[-1].append(token)
        else:
            parts.append([token])
    return parts


def _name_and_address(words: list[Token], value: str) -> Mailbox:
    """Read ``[display-name] <[route] addr-spec>`` (RFC 5322, 3.4 and 4.4)."""
    kinds = [token.kind for token in words]
    if kinds.count("<") != 1 or kinds.count(">") != 1 or kinds[-1] != ">":
        raise AddressError(f"< and > do not match in {_shown(value)}")
    opening = kinds.index("<")
    name, inside = words[:opening], words[opening + 1 : -1]
    if name and not _is_phrase(name, ("@",)):
        raise AddressError(f"a display name cannot be read in {_shown(value)}")
    if inside and inside[0].kind == "@":
        route = [token.kind for token in inside]
        if ":" in route:
            inside = inside[route.index(":") + 1 :]
    if not inside:
        raise AddressError(f"no address between < and > in {_shown(value)}")
    mailbox = _address(inside, value)
    if name:
        mailbox.name_span = (name[0].start, name[-1].end)
        mailbox.name = _phrase(name)
    return mailbox


def _is_phrase(words: list[Token], also: tuple[str, ...] = ()) -> bool:
    """Tell whether ``words`` can be a display name (RFC 5322, 3.2.5, with the dots of 4.1)."""
    return bool(words) and all(token.kind in _PHRASE or token.kind in also for token in words)


def _phrase(words: list[Token]) -> str:
    """Return a display name: words parted by one blank wherever there was white space."""
    text = words[0].text
    for before, token in zip(words, words[1:], strict=False):
        text += (" " if before.end < token.start else "") + token.text
    return text


def _address(words: list[Token], value: str) -> Mailbox:
    """Read an addr-spec (RFC 5322, 3.4.1), or a bare name without ``@domain``."""
    span = (words[0].start, words[-1].end)
    kinds = [token.kind for token in words]
    if kinds[0] == "@" and ":" in kinds:  # a route without brackets, as in -f @relay:sue@x
        words = words[kinds.index(":") + 1 :]
        kinds = [token.kind for token in words]
    at = kinds.index("@") if "@" in kinds else len(words)
    local_part = _local_part(words[:at])
    domain = _domain(words[at + 1 :]) if at < len(words) else ""
    if not local_part or domain is None or not _is_printable(local_part + domain):
        raise AddressError(f"not an address: {_shown(value[span[0] : span[1]])}")
    return Mailbox(local_part, domain, span)


def _local_part(words: list[Token]) -> str:
    """Return a local part, quoted only where it must be; "" if the words are none."""
    if not _is_joined_by_dots(words, ("atom", "quoted")):
        return ""
    text = "".join(token.text for token in words)
    if not text or _is_dotted(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_joined_by_dots(words: list[Token], kinds: tuple[str, ...]) -> bool:
    """Tell whether there is a dot between any two words, and every word is of these kinds."""
    for before, token in zip(words, words[1:], strict=False):
        if "." not in (before.kind, token.kind):
            return False
    return all(token.kind == "." or token.kind in kinds for token in words)


def _is_dotted(text: str) -> bool:
    """Tell whether ``text`` needs no quotes. Dots anywhere: some providers give out such names."""
    return all(char in _ATEXT or char == "." or char > "\x7f" for char in text)


def _is_printable(text: str) -> bool:
    return all(char >= " " and char != "\x7f" for char in text)


def _domain(words: list[Token]) -> str | None:
    """Return a domain without trailing dot, or None if the words are none."""
    if len(words) == 1 and words[0].kind == "literal":
        return words[0].text
    if not _is_joined_by_dots(words, ("atom",)):
        return None
    text = "".join(token.text for token in words).removesuffix(".")
    labels = text.split(".")
    if not all(labels) or not _is_dotted(text):
        return None
    return text


def _shown(text: str) -> str:
    """Return ``text`` for an error message: printable ASCII, short."""
    return ascii(" ".join(text.split())[:100])
