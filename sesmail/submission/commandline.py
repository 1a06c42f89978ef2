"""sendmail's command line, as Sendmail, Postfix and Exim read it: one table, one loop.

Flags bundle (``-ti``), values are attached or separate, ``--`` or the first word that is no flag
ends the flags, the last ``-f`` or ``-r`` wins. A flag that is not in the table may or may not take
a value, so the whole command line belongs to the real sendmail; so does one without its value.

The words come from callers that paste user input into them: nothing here names a file to read or
write, and the flags that once did (-C -D -X -oQ -O QueueDirectory) have no effect.
"""

from __future__ import annotations

# What a run is for.
DELIVER = "deliver"
LIST_QUEUE = "list the queue"
RUN_QUEUE = "run the queue"
REBUILD_ALIASES = "rebuild the aliases"
SMTP = "speak SMTP"
HAND_OVER = "hand over"  # to the real sendmail, before standard input is read
HELP = "help"
VERSION = "version"

_MODES = {"m": DELIVER, "s": SMTP, "p": LIST_QUEUE, "i": REBUILD_ALIASES}
_NAMES = {"mailq": LIST_QUEUE, "newaliases": REBUILD_ALIASES}

_ALONE = frozenset("GUcimntvx")
_WITH_VALUE = frozenset("ABCFLNORVXbefhopr")
_WITH_ATTACHED_VALUE = frozenset("dq")  # or none at all


class CommandLine:
    """What the words ask for; ``unknown`` is the flag or mode that only the real sendmail knows."""

    __slots__ = (
        "add_fields",
        "delivery",
        "full_name",
        "ignore_dots",
        "mode",
        "operands",
        "recipients_from_header",
        "reverse_path",
        "unknown",
        "verbose",
    )

    def __init__(self) -> None:
        self.mode = DELIVER
        self.operands: list[str] = []
        self.recipients_from_header = False  # -t
        self.ignore_dots = False  # -i, -oi, -O IgnoreDots
        self.reverse_path: str | None = None  # -f, -r: as written
        self.full_name = ""  # -F
        self.delivery = ""  # the letter of -odi, -odb, -odq, -odd
        self.add_fields = True  # not -G
        self.verbose = False  # -v
        self.unknown = ""


def parse(name: str, words: list[str]) -> CommandLine:
    """Read the words after the program's name."""
    command = CommandLine()
    command.mode = _NAMES.get(name, DELIVER)
    index = 0
    while index < len(words) and not command.unknown:
        word = words[index]
        if word == "--":
            index += 1
            break
        if word == "-" or not word.startswith("-"):
            break
        if word in ("--help", "--version"):
            command.mode = HELP if word == "--help" else VERSION
            return command
        index += _read_bundle(command, word, words[index + 1 : index + 2])
    if command.unknown:
        command.mode = HAND_OVER
    command.operands = words[index:]
    return command


def _read_bundle(command: CommandLine, word: str, following: list[str]) -> int:
    """Read a word of flags; return how many words it took: 2 where its value stood apart."""
    for position in range(1, len(word)):
        flag, attached = word[position], word[position + 1 :]
        if flag in _ALONE:
            _set_flag(command, flag)
        elif flag in _WITH_ATTACHED_VALUE:
            if flag == "q":
                command.mode = RUN_QUEUE
            return 1
        elif flag not in _WITH_VALUE:
            command.unknown = word if word.startswith("--") else f"-{flag}"
            return 1
        elif attached:
            _set_value(command, flag, attached)
            return 1
        elif following:
            _set_value(command, flag, following[0])
            return 2
        else:
            command.unknown = f"-{flag} without a value"
            return 1
    return 1


def _set_flag(command: CommandLine, flag: str) -> None:
    if flag == "t":
        command.recipients_from_header = True
    elif flag == "i":
        command.ignore_dots = True
    elif flag == "v":
        command.verbose = True
    elif flag == "G":
        command.add_fields = False


def _set_value(command: CommandLine, flag: str, value: str) -> None:
    if flag in "fr":
        command.reverse_path = value
    elif flag == "F":
        command.full_name = value
    elif flag == "b":
        command.mode = _MODES.get(value, HAND_OVER)
        if command.mode == HAND_OVER:
            command.unknown = f"-b{value}"
    elif flag == "o" and value[:1] == "i":
        command.ignore_dots = _is_true(value[1:])
    elif flag == "o" and value[:1] == "d":
        command.delivery = value[1:]
    elif flag == "O":
        name, _, setting = value.partition("=")
        if name.strip().lower() == "ignoredots":
            command.ignore_dots = _is_true(setting.strip())


def _is_true(value: str) -> bool:
    """Read a boolean as Sendmail does: true when absent or when it starts with t or y."""
    return value[:1] in ("", "t", "T", "y", "Y")
