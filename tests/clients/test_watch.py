"""`sesmailctl status --watch` as a terminal of 80 columns shows it."""

from __future__ import annotations

import shlex

from tests import ctl
from tests.clients.tmux import WIDTH, Tmux
from tests.spool import IDENTITY, Spool

LONG = f"{'very-' * 8}long.example"


def test_the_picture_is_drawn_in_place(spool: Spool, tmux: Tmux) -> None:
    """It follows the queue and the daemon's life; nothing scrolls; Ctrl-C gives the screen back."""
    for name in (IDENTITY, LONG):
        spool.identity(name, "aws_access_key_id = AKIAIOSFODNN7EXAMPLE")  # no secret: held
    spool.start()
    spool.drop("bob@example.org")
    spool.wait_for_log("held: ")
    words = shlex.join([*ctl.COMMAND, "status", "--watch"])
    tmux.start(f"echo before; SESMAIL_CONFIG={spool.configuration} {words}")

    def rows(screen: list[str]) -> dict[str, list[str]]:
        return {line.split()[0]: line.split()[1:] for line in screen if line.strip()}

    screen = tmux.wait(lambda screen: rows(screen).get(IDENTITY, [])[:2] == ["0", "1"])
    assert screen[0].split() == [
        "IDENTITY",
        "WAITING",
        "HELD",
        "ACTIVE",
        "FAILED",
        "SENT",
        "QUOTA",
        "RATE",
        "OLDEST",
    ]
    assert screen[1].startswith(IDENTITY)
    assert screen[2].startswith("  held for ")
    assert LONG in screen
    assert "before" not in screen
    for recipient in ("carol@example.org", "dave@example.org"):
        spool.drop(recipient)
    screen = tmux.wait(lambda screen: rows(screen)[IDENTITY][:2] == ["0", "3"])
    assert sum(line.startswith("IDENTITY") for line in screen) == 1
    assert sum("Ctrl-C ends this" in line for line in screen) == 1
    assert any(line.startswith("3 messages wait") for line in screen)
    assert max(map(len, screen)) <= WIDTH
    assert spool.stop() == 0
    screen = tmux.wait(lambda screen: any("sesmaild does not run" in line for line in screen))
    assert rows(screen)[IDENTITY][:2] == ["0", "3"]
    assert tmux.scrolled() == 0
    tmux.press("C-c")
    screen = tmux.wait(lambda screen: any(line.startswith("ended with 0") for line in screen))
    assert [line for line in screen if line] == ["before", "ended with 0"]
