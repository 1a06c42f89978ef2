"""The lists of keys in sesmail.conf(5), in mdoc(7), each between two comments of the page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from sesmail.control.reference import Key
from sesmail.control.reference.of_credentials import KEYS, OWN, SOURCES
from sesmail.control.reference.of_settings import SETTINGS

LISTS = {"settings": SETTINGS, "keys": KEYS, "sources": SOURCES, "own": OWN}
_NAMES = {key.name for keys in LISTS.values() for key in keys}
_WORDS = {word for keys in LISTS.values() for key in keys for word in re.findall(r"\w+", key.value)}
_BEGIN = '.\\" {}: written by packaging/settings\n'
_END = '.\\" end of {}\n'
# What has a macro of its own, with the punctuation around it: `literal` or page(8).
_MARKED = re.compile(r"([(\[]?)(?:`([^`]+)`|([a-z.]+)\((\d)\))([.,;:)\]]*)(?=\s|$)")
_SENTENCE = re.compile(r"(?<=[.:])\s+(?=[A-Z`])")
_WIDTH = 90


def renewed(page: str) -> str:
    """Return the manual page with each list as the tables have it."""
    for name, keys in LISTS.items():
        begin, end = _BEGIN.format(name), _END.format(name)
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"the page has no place for the list {name}")
        page = before + begin + listing(keys) + end + after
    return page


def listing(keys: Sequence[Key]) -> str:
    """Return the lines of a list."""
    return "".join(f"{line}\n" for line in _list(keys))


def _list(keys: Sequence[Key]) -> Iterator[str]:
    yield ".Bl -tag -width Ds"
    for key in keys:
        names = (key.name, *key.synonyms)
        yield ".It " + " , ".join(f"Ic {name} Li = {_value(key.value)}" for name in names)
        yield from _prose(key.text)
        if key.choices:
            yield from _choices(key)
        yield from _prose(key.more)
        if key.default:
            yield from _prose(f"Default: `{key.default}`.")
    yield ".El"


def _choices(key: Key) -> Iterator[str]:
    longest = max((word for word, _ in key.choices), key=len)
    yield f".Bl -tag -width {longest} -compact"
    for word, meaning in key.choices:
        yield f".It Cm {word}"
        yield from _prose(meaning)
    yield ".El"


def _value(value: str) -> str:
    """Return what a key takes, in macros: ``<path> | none`` is ``Ar path | Cm none``."""
    value = value.replace("[", "Op ").replace("]", "").replace(",", " ,")
    return " ".join(_word(word) for word in value.split())


def _word(word: str) -> str:
    if "<" not in word:
        return word if word in ("Op", "|", "...", ",") else f"Cm {word}"
    pieces = [piece for piece in re.split(r"<(\w+)>", word) if piece]
    return " Ns ".join(f"Ar {piece}" if piece.isalpha() else f"Li {piece}" for piece in pieces)


def _prose(sentences: str) -> Iterator[str]:
    """Yield lines: a new one for each sentence, and for each macro."""
    for sentence in _SENTENCE.split(sentences) if sentences else ():
        place = 0
        for match in _MARKED.finditer(sentence):
            yield from _plain(sentence[place : match.start()])
            yield _macro(match)
            place = match.end()
        yield from _plain(sentence[place:])


def _plain(words: str) -> list[str]:
    return textwrap.wrap(words.strip(), _WIDTH, break_on_hyphens=False, break_long_words=False)


def _macro(match: re.Match[str]) -> str:
    opened, literal, page, section, closed = match.groups()
    inner = f"Xr {page} {section}" if page else _literal(literal)
    macro, _, words = inner.partition(" ")
    return " ".join([f".{macro}", *opened, words, *closed])


def _literal(text: str) -> str:
    name, equals, value = text.partition(" = ")
    if name in _NAMES:
        return f"Ic {name}" + (f" Li = Cm {value}" if equals else "")
    if text.startswith("/") or text == "default":
        return f"Pa {text}"
    if text.startswith("-"):
        return f"Fl {text[1:]}"
    if " " in text:
        return f"Ql {text}"
    return f"{'Cm' if text in _WORDS else 'Li'} {text}"
