"""The spawner of the benchmarks: what it starts gets what it says, and all of it is timed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.spawner import FILE, NULL, PIPE, Command, CommandError, Spawner

SIZE = 200_000  # more than a pipe holds by itself


@pytest.fixture
def spawner(tmp_path: Path) -> Spawner:
    """The program, compiled."""
    return Spawner(tmp_path)


def _shell(name: str, script: str, **environ: str) -> Command:
    return Command(name, ["/bin/sh", "-c", script], environ)


def test_every_command_is_timed_in_every_round(spawner: Spawner) -> None:
    """Times in the order of the rounds, by name."""
    times = spawner.times([_shell("a", ":"), _shell("b", ":")], 3)
    assert list(times) == ["a", "b"]
    assert [len(some) for some in times.values()] == [3, 3]
    assert all(seconds > 0 for some in times.values() for seconds in some)


def test_every_other_round_runs_backwards(spawner: Spawner, tmp_path: Path) -> None:
    """Nobody always follows the same one."""
    order = tmp_path / "order"
    spawner.times([_shell(name, f"echo {name} >>{order}") for name in "abc"], 2)
    assert order.read_text().split() == ["a", "b", "c", "c", "b", "a"]


@pytest.mark.parametrize("kind", [FILE, PIPE])
def test_the_message_is_standard_input(spawner: Spawner, tmp_path: Path, kind: str) -> None:
    """Whole, from its first byte, for every command, and in the form that is asked for."""
    message, copy = spawner.message(SIZE), tmp_path / "copy"
    test = "-f" if kind == FILE else "-p"
    script = f"[ {test} /dev/stdin ] && cat >{copy}-$NAME"
    spawner.times(
        [_shell(name, script, NAME=name, PATH="/bin") for name in "ab"],
        1,
        message=message,
        kind=kind,
    )
    assert message.stat().st_size == SIZE
    for name in "ab":
        assert Path(f"{copy}-{name}").read_bytes() == message.read_bytes()


def test_the_environment_is_what_is_given(spawner: Spawner, tmp_path: Path) -> None:
    """And nothing else."""
    output = tmp_path / "environ"
    command = Command(
        "env", ["/bin/sh", "-c", f"/bin/cat /proc/self/environ >{output}"], {"A": "b"}
    )
    spawner.times([command], 1, kind=NULL)
    variables = {word.partition("=")[0] for word in output.read_text().split("\0")[:-1]}
    assert variables - {"PWD", "_", "OLDPWD"} == {"A"}


def test_a_burst_starts_copies(spawner: Spawner, tmp_path: Path) -> None:
    """They are there at once: each waits until all of them have come."""
    script = (
        f"mkdir {tmp_path}/$$.here; until [ $(ls -d {tmp_path}/*.here | wc -l) = 5 ]; do :; done"
    )
    times = spawner.times([_shell("meet", script, PATH="/bin:/usr/bin")], 1, burst=5)
    assert len(times["meet"]) == 1
    assert len(list(tmp_path.glob("*.here"))) == 5


def test_a_failed_command_is_no_measurement(spawner: Spawner) -> None:
    """It is an error that says what the command said."""
    with pytest.raises(CommandError, match="no such luck"):
        spawner.times([_shell("bad", "echo no such luck >&2; exit 3")], 1)
