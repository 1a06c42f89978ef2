"""The handle of spawn.c, which runs commands in turns and times them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.installation import CHECKOUT, PYTHON, compile_program

FILE, PIPE, NULL = "file", "pipe", "null"
_HEADER = b"From: wiki@example.com\nTo: bob@example.org\nSubject: nightly report\n\n"
_LINE = b"All is well with this line of text, as it was with the last one.\n"


@dataclass(frozen=True, slots=True)
class Command:
    """What is run: words, the first of them a full path; ``root``: see spawn.c."""

    name: str
    words: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    root: str = "/"


FLOOR = Command("python3 -IS -c pass", [PYTHON, "-IS", "-c", "pass"])


class CommandError(Exception):
    """A command failed; says what the spawner and the command said."""


class Spawner:
    """spawn.c, compiled into a directory, in which the messages lie, too."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._program = directory / "spawn"
        source = CHECKOUT / "tests" / "bench" / "spawn.c"
        compile_program(source.read_text(), self._program)

    def message(self, size: int) -> Path:
        """Return the file of a message of so many bytes, made if there is none."""
        path = self._directory / f"message-{size}"
        if not path.exists():
            lines = (size - len(_HEADER)) // len(_LINE)
            rest = size - len(_HEADER) - lines * len(_LINE)
            text = _HEADER + _LINE * lines + (b"x" * (rest - 1) + b"\n" if rest else b"")
            path.write_bytes(text)
            path.chmod(0o644)
        return path

    def times(
        self,
        commands: Sequence[Command],
        rounds: int,
        *,
        message: Path = Path("/dev/null"),
        kind: str = NULL,
        burst: int = 1,
        pause: float = 0.0,
        under: Sequence[str] = (),
    ) -> dict[str, list[float]]:
        """Return the seconds of each command by its name, one for each round: see spawn.c.

        ``under`` is a command that runs the spawner, such as strace. Raises CommandError.
        """
        words: list[object] = [*under, self._program, rounds, burst, round(pause * 1e6)]
        words += [kind, message]
        for command in commands:
            variables = [f"{name}={value}" for name, value in command.environ.items()]
            words += ["--", command.root, *variables, *command.words]
        done = subprocess.run(list(map(str, words)), cwd="/", capture_output=True, text=True)
        if done.returncode:
            raise CommandError(done.stderr)
        lines = [map(int, line.split()) for line in done.stdout.splitlines()]
        columns = [[each / 1e9 for each in column] for column in zip(*lines, strict=True)]
        return dict(zip((command.name for command in commands), columns, strict=True))
