"""sesmail.conf as it is installed: each setting with its text, all of it in comments."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sesmail.control.reference import Key
from sesmail.control.reference.of_settings import SETTINGS

_WIDTH = 80
_HEAD = """\
# sesmail.conf(5): the settings of sesmail on this host. All are optional.
#
# A line "#key = value" shows the default or, where the text says what that is,
# an example. Credentials do not belong here: "sesmailctl setup" writes them to
# /etc/sesmail/credentials.
"""


def text() -> str:
    """Return the file."""
    return _HEAD + "".join(f"\n{''.join(_lines(key))}" for key in SETTINGS)


def _lines(key: Key) -> Iterator[str]:
    yield from _comment(key.text)
    for word, meaning in key.choices:
        yield from _comment(f"{word}: {meaning}", "  ")
    if "|" in key.value and not key.choices:
        yield from _comment(f"One of: {key.value.replace(' |', ',')}.".replace("<path>", "a path"))
    if key.more:
        yield from _comment(key.more)
    yield f"#{key.name} = {key.default or key.example}\n"


def _comment(sentences: str, indent: str = "") -> Iterator[str]:
    """Yield the lines of a comment; the lines of an item after its first are indented more."""
    plain = sentences.replace("`", "")
    further = f"# {indent * 2}"
    for line in textwrap.wrap(
        plain,
        _WIDTH,
        initial_indent=f"# {indent}",
        subsequent_indent=further,
        break_on_hyphens=False,
        break_long_words=False,
    ):
        yield f"{line}\n"
