"""The fuzz target: it accepts the seeds that `make fuzz` starts from, and it can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.installation import CHECKOUT

SEEDS = sorted((CHECKOUT / "tests" / "corpus" / "fuzz").iterdir())
REPLAY = """
import sys
from pathlib import Path
from tests.fuzz import submission
submission.make_world(Path(sys.argv[1]))
{change}
for seed in sys.argv[2:]:
    submission.check(Path(seed).read_bytes(), Path(sys.argv[1]))
"""


def replay(world: Path, change: str = "") -> subprocess.CompletedProcess[str]:
    """Run all seeds in a process of their own: the target takes over descriptor 0."""
    code = REPLAY.format(change=change)
    command = [sys.executable, "-c", code, str(world), *map(str, SEEDS)]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)


def test_the_seeds_pass(tmp_path: Path) -> None:
    """What must hold after any input holds after each seed."""
    assert len(SEEDS) > 10
    assert replay(tmp_path).stderr == ""


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("from sesmail.submission import compose; compose._REMOVED = ()", "bcc"),
        ("from sesmail.submission import recipients; del recipients.collect", "internal error"),
    ],
)
def test_the_target_sees_a_bug(tmp_path: Path, change: str, what: str) -> None:
    """A Bcc that goes on, and an error of our own, end the run."""
    done = replay(tmp_path, change)
    assert done.returncode == 1
    assert "AssertionError" in done.stderr
    assert what in done.stderr
