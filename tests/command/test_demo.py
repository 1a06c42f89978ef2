"""The demonstration that the README begins with."""

from __future__ import annotations

import subprocess

from tests.installation import CHECKOUT


def test_the_demo_shows_both_ends() -> None:
    """It sends the example by SES, shows what arrived, and that the caller saw nothing but a 0."""
    done = subprocess.run([CHECKOUT / "examples/demo.sh"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    before, _, after = done.stdout.partition("== What SES got:\n")
    assert before.endswith("== What the caller saw: exit code 0\n")
    assert "destinations:      zoe@example.org, archive@example.com\n" in after
    assert "Bcc" not in after
