"""sesmailctl setup against ministack, and as a terminal of 80 columns shows it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ctl
from tests.clients import stand_ins
from tests.clients.tmux import Tmux
from tests.fakes.client import Caller
from tests.fakes.dns import DnsServer
from tests.setups import World
from tests.spool import IDENTITY, Spool


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
