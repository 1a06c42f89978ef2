"""How many instructions a command takes, counted by valgrind: the same on a busy machine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TOTAL = "totals: "


def count(
    words: Sequence[str | Path],
    environ: Mapping[str, str],
    message: Path,
    directory: Path,
    *,
    until_exec: bool = False,
) -> int:
    """Return the instructions of a command that reads a message, or those before its exec.

    Children are not counted. ``directory`` is an empty one, which is left with callgrind's output.
    Raises subprocess.CalledProcessError if the command fails.
    """
    output = directory / "callgrind"
    options = ["--tool=callgrind", "--quiet", "--vgdb=no", f"--callgrind-out-file={output}"]
    options += ["--dump-before=execve"] if until_exec else []
    with message.open() as standard_input:
        subprocess.run(
            ["valgrind", *options, *words],
            env=dict(environ),
            stdin=standard_input,
            stdout=subprocess.DEVNULL,
            cwd="/",
            check=True,
        )
    # What is written before an exec has a number; the file without one then stays empty.
    return _total(directory / "callgrind.1" if until_exec else output)


def _total(output: Path) -> int:
    for line in reversed(output.read_text().splitlines()):
        if line.startswith(_TOTAL):
            return int(line.removeprefix(_TOTAL))
    raise ValueError(f"{output} has no total")
