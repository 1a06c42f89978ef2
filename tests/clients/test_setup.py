"""sesmailctl setup against ministack, and as a terminal of 80 columns shows it."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import ctl
from tests.clients import stand_ins
from tests.fakes.client import Caller
from tests.fakes.dns import DnsServer
from tests.setups import World
from tests.spool import IDENTITY, PATIENCE, Spool

WIDTH, HEIGHT = 80, 24


@pytest.fixture
def world(spool: Spool, tmp_path: Path) -> Iterator[World]:
    """Nothing is set up."""
    with DnsServer() as dns:
        yield World(spool, dns, tmp_path)


def test_what_ministack_knows_afterwards(world: World, tmp_path: Path) -> None:
    """Identity and MAIL FROM domain, as AWS's own client sees them; the second run finds them."""
    directory = tmp_path / "ministack"
    directory.mkdir()
    with stand_ins.running("ministack", directory) as url, Caller({"api_url": url}) as caller:
        words = ["setup", IDENTITY, *world.flags(), "--endpoint-url", url]
        options = ["--nameserver", world.dns.address, "--no-wait", "--no-test", "--json"]
        result = ctl.run(world.spool, *words, *options)
        found = caller.v2().get_email_identity(EmailIdentity=IDENTITY)
        again = ctl.run(world.spool, *words, *options)
    (first,), (second,) = result.documents, again.documents
    tokens = found["DkimAttributes"].get("Tokens", [])
    names = [record["name"] for record in first["records"] if record["purpose"] == "DKIM"]
    assert names == [f"{token}._domainkey.{IDENTITY}" for token in tokens]
    assert first["credentials"]["work"] is True
    assert first["verified"] is found["VerifiedForSendingStatus"]
    assert first["account"] is not None
    assert second["credentials"]["written"] is False
    assert second["records"] == first["records"]


class Tmux:
    """A terminal of its own, whose screen can be read."""

    def __init__(self, directory: Path) -> None:
        self._tmux = [
            shutil.which("tmux") or "tmux",
            "-S",
            str(directory / "tmux"),
            "-f",
            "/dev/null",
        ]

    def start(self, command: str) -> None:
        """Run a command in a window of 80 columns; the window stays when it ends."""
        size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
        self._call("new-session", "-d", *size, f"{command}; echo ended with $?; cat")

    def screen(self) -> list[str]:
        """Return the lines of the screen."""
        return self._call("capture-pane", "-p").split("\n")

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self._call("send-keys", *keys)

    def wait(self, condition: Callable[[list[str]], bool]) -> list[str]:
        """Return the screen once it is as wanted."""
        end = time.monotonic() + PATIENCE
        while not condition(screen := self.screen()):
            assert time.monotonic() < end, "\n".join(screen)
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        """End the terminal and all in it."""
        self._call("kill-server")

    def _call(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True)
        return done.stdout


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """A terminal."""
    made = Tmux(tmp_path)
    yield made
    made.close()


def test_the_wait_on_80_columns(world: World, tmux: Tmux) -> None:
    """One line that changes in place; Ctrl-C leaves it, and the next lines stand below."""
    world.run(*world.flags(), "--no-wait", "--no-test")
    words = [*ctl.COMMAND, *world.words("--no-test")]
    tmux.start(f"SESMAIL_CONFIG={world.spool.configuration} {shlex.join(words)}")
    screen = tmux.wait(lambda screen: any("Waiting" in one for one in screen))
    (line,) = [one for one in screen if "Waiting" in one]
    assert line.endswith(f"0 of 6 records are there, of {IDENTITY}")
    zone = json.loads(world.run("--no-wait", "--no-test", "--json").stdout)["zone"]
    dmarc = [one for one in zone.splitlines() if one.startswith("_dmarc")]
    world.dns.load("\n".join(dmarc) + "\n")
    screen = tmux.wait(lambda screen: any("1 of 6 records" in one for one in screen))
    assert sum("Waiting" in one for one in screen) == 1
    tmux.press("C-c")
    screen = tmux.wait(lambda screen: any("ended with 69" in one for one in screen))
    assert not any("Waiting (" in one for one in screen)
    assert any(one.startswith("Left waiting.") for one in screen)
