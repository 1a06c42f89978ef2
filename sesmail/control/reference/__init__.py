"""The reference of all keys: what a setting or a key of a credentials file takes, and what it does.

The one text for the package's sesmail.conf, all of it comments, and for the lists in
sesmail.conf(5): ``packaging/settings`` writes both. Values are parsed elsewhere, by
``sesmail.settings`` and ``sesmail.delivery.credential_values``; a test holds these tables to the
keys and defaults of those.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A key. ``value``: ``<argument>``, words to choose from, ``|``; ``name`` may have synonyms.

    ``text`` is sentences. What is between backquotes stands in a file or is typed; a manual page is
    written as sesmaild(8). ``default`` is what counts without the key, where a value can say it;
    where only words can, they are in ``text`` and ``example`` shows a value.
    """

    name: str
    value: str
    text: str
    default: str = ""
    example: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    more: str = ""  # sentences after the choices
    synonyms: tuple[str, ...] = ()
