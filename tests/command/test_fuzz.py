"""The fuzz targets: they accept the seeds that `make fuzz` starts from, and they can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.installation import CHECKOUT

SEEDS = CHECKOUT / "tests" / "corpus" / "fuzz"
COMPOSE = "from sesmail.submission import compose"
RECIPIENTS = "from sesmail.submission import recipients"
REPLAY = """
import sys
from pathlib import Path
from tests.fuzz import submission, {target}
submission.make_world(Path(sys.argv[1]))
{change}
for seed in sys.argv[2:]:
    {target}.check(Path(seed).read_bytes(), Path(sys.argv[1]))
"""


def replay(world: Path, target: str, change: str = "") -> subprocess.CompletedProcess[str]:
    """Run all seeds in a process of their own: the target takes over descriptor 0."""
    code = REPLAY.format(change=change, target=target)
    seeds = sorted((SEEDS / target).iterdir())
    command = [sys.executable, "-c", code, str(world), *map(str, seeds)]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)


@pytest.mark.parametrize("target", ["submission", "dialogue"])
def test_the_seeds_pass(tmp_path: Path, target: str) -> None:
    """What must hold after any input holds after each seed."""
    assert len(list((SEEDS / target).iterdir())) > 10
    assert replay(tmp_path, target).stderr == ""


@pytest.mark.parametrize(
    ("target", "change", "what"),
    [
        ("submission", f"{COMPOSE}; compose._REMOVED = ()", "bcc"),
        ("dialogue", f"{COMPOSE}; compose._REMOVED = ()", "AssertionError"),
        ("submission", f"{RECIPIENTS}; del recipients.collect", "internal error"),
        ("dialogue", f"{RECIPIENTS}; del recipients.collect", "internal error"),
        ("dialogue", "from sesmail.submission.smtp import data; data._END = b'\\n.\\r\\n'", ""),
    ],
)
def test_the_target_sees_a_bug(tmp_path: Path, target: str, change: str, what: str) -> None:
    """A Bcc that goes on, an error of our own, and a smuggled message end the run."""
    done = replay(tmp_path, target, change)
    assert done.returncode == 1
    assert "AssertionError" in done.stderr
    assert what in done.stderr
