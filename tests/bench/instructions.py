"""Instructions of an empty Python, a drop, a session of one message, and a relay up to its exec.

They do not depend on what else the machine does, so that tests/system/test_instructions.py asserts
them. With them what a drop imports, and its system calls.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench import callgrind, rows
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.installation import PYTHON, Installation
from tests.spool import AUTHOR, RECIPIENT, Spool

NAME = "instructions"
DROP_BAR = 1.7  # times an empty Python
EMPTY = (PYTHON, "-IS", "-c", "pass")
_WHY = "each import of a large module costs half an empty Python or more"


def measure(directory: Path, installed: Installation, plan: Plan) -> Iterator[Row]:
    """Yield the ratios to an empty Python, then what a drop consists of."""
    message = plan.spawner.message(2000)
    places = (directory / str(number) for number in range(4))

    def counted(
        words: tuple[str, ...],
        environ: Mapping[str, str],
        text: Path = message,
        *,
        until_exec: bool = False,
    ) -> int:
        place = next(places)
        place.mkdir()
        return callgrind.count(words, environ, text, place, until_exec=until_exec)

    floor = counted(EMPTY, {})
    yield Row(name="an empty Python", value=floor / 1e6, unit="million")
    with receptive_spool(directory) as environ:
        dropped = counted(drop(installed.sendmail), environ)
        yield _ratio("drop", dropped, floor, rows.at_most(DROP_BAR, _WHY))
        dialogue = directory / "dialogue"
        dialogue.write_bytes(_dialogue(message))
        session = counted(_session(installed), environ, dialogue)
        yield _ratio("-bs, one message", session, floor)
        yield _modules(installed, environ, message)
        yield _system_calls(installed, environ, message, directory / "calls")
    place = directory / "host"
    place.mkdir()
    host = Host(place, installed)
    relayed = counted(_relay(installed), host.environment(), until_exec=True)
    yield _ratio("relay, up to its exec", relayed, floor)


@contextmanager
def receptive_spool(directory: Path) -> Iterator[dict[str, str]]:
    """Make a spool whose FIFO has a reader; yield the environment that leads there."""
    with SesServer() as ses:
        spool = Spool(directory, ses)
        reader = os.open(spool.directory / "wake", os.O_RDWR | os.O_NONBLOCK)
        try:
            yield {"SESMAIL_CONFIG": str(spool.configuration)}
        finally:
            os.close(reader)
            spool.close()


def drop(command: Path) -> tuple[str, ...]:
    """Return the words that run a command of ours in Python, and drop a message."""
    return (PYTHON, "-IS", str(command), "-i", "-odb", RECIPIENT)


def _session(installed: Installation) -> tuple[str, ...]:
    return (PYTHON, "-IS", str(installed.sendmail), "-bs", "-odb")


def _relay(installed: Installation) -> tuple[str, ...]:
    return (PYTHON, "-IS", str(installed.sendmail), "-i", "-f", "cron@host.example.net", RECIPIENT)


def _dialogue(message: Path) -> bytes:
    lines = f"HELO x\nMAIL FROM:<{AUTHOR}>\nRCPT TO:<{RECIPIENT}>\nDATA\n".encode()
    return (lines + message.read_bytes() + b".\nQUIT\n").replace(b"\n", b"\r\n")


def _ratio(name: str, counted: int, floor: int, bar: rows.Bar | None = None) -> Row:
    facts = {"million": counted / 1e6}
    return Row(name=f"{name} / an empty Python", value=counted / floor, facts=facts, bar=bar)


def _modules(installed: Installation, environ: Mapping[str, str], message: Path) -> Row:
    empty = set(_imported(EMPTY, environ, message))
    ours = _imported(drop(installed.sendmail), environ, message)
    new = [name for name in ours if name not in empty]
    facts = {"of an empty Python": len(empty)}
    name = "modules that a drop imports besides"
    return Row(name=name, value=len(new), unit="modules", facts=facts, note=" ".join(new))


def _imported(words: tuple[str, ...], environ: Mapping[str, str], message: Path) -> list[str]:
    """Return the modules in the order in which their import ended."""
    with message.open() as standard_input:
        done = subprocess.run(
            [words[0], "-X", "importtime", *words[1:]],
            env=dict(environ),
            stdin=standard_input,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            check=True,
        )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in lines[1:]]


def _system_calls(
    installed: Installation, environ: Mapping[str, str], message: Path, output: Path
) -> Row:
    empty = _called(EMPTY, environ, message, output)
    ours = _called(drop(installed.sendmail), environ, message, output)
    besides = ", ".join(f"{name} {count}" for name, count in (ours - empty).most_common())
    return Row(
        name="system calls of a drop besides",
        value=(ours - empty).total(),
        unit="calls",
        facts={"of an empty Python": empty.total()},
        note=besides,
    )


def _called(
    words: tuple[str, ...], environ: Mapping[str, str], message: Path, output: Path
) -> Counter[str]:
    """Return how often a command makes each system call."""
    with message.open() as standard_input:
        subprocess.run(
            ["strace", "-qq", "-o", output, "-e", "signal=none", *words],
            env=dict(environ),
            stdin=standard_input,
            cwd="/",
            check=True,
        )
    return Counter(line.partition("(")[0] for line in output.read_text().splitlines())
