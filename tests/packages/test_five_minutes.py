"""docs/five-minutes.md, typed by a person who knows nothing else, in each of the three ways."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pages
from tests.fakes import role
from tests.fakes.ses import SECRET
from tests.installation import CHECKOUT
from tests.packages import at_shell
from tests.packages.conftest import Debs
from tests.packages.stand_ins import DOMAIN, StandIns

PAGE = CHECKOUT / "docs/five-minutes.md"
WAYS = ("SMTP user name", "access key of IAM", "role of an EC2 instance")
MOST = 60.0  # seconds, without downloads and without waiting for processors that others have
_PRESSURE = Path("/proc/pressure/cpu")


def sections(way: str) -> list[tuple[str, list[pages.Block]]]:
    """Return the headings of the page for a way, with their blocks."""
    lines = PAGE.read_text().split("\n")
    found: list[tuple[str, list[pages.Block]]] = []
    blocks = {block.line: block for block in pages.blocks(PAGE)}
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            found.append((line.lstrip("# "), []))
        if number in blocks:
            found[-1][1].append(blocks[number])
    others = [one for one in WAYS if one != way]
    return [(title, some) for title, some in found if some and not any(o in title for o in others)]


def waited() -> float:
    """Return for how many seconds so far something waited for a processor, if the kernel tells."""
    if not _PRESSURE.exists():
        return 0.0
    return int(_PRESSURE.read_text().split("total=")[1].split()[0]) / 1e6


@pytest.mark.parametrize("way", WAYS)
def test_from_a_bare_debian_to_a_delivered_mail(
    debs: Debs, way: str, record_property: Callable[[str, object], None]
) -> None:
    """The mail is at SES within a minute; then sesmail goes, and nothing is in its place."""
    with StandIns(has_role=way == WAYS[2]) as host:
        host.bring_deb(debs.sesmail)
        secret = SECRET
        if way == WAYS[0]:  # in the console the domain is set up, and a password was made
            host.ses.state.identities.add(DOMAIN)
            secret = host.smtp_password
        elif way == WAYS[2]:
            role.let_in(host.ses.state)
        began, waited_before = time.monotonic(), waited()
        with host.shell() as person:
            for title, blocks in sections(way):
                if title == "To go back":
                    elapsed = time.monotonic() - began
                    waiting = waited() - waited_before
                at_shell.follow(person, blocks, secret, host)
        mails = [mail.destinations for mail in host.ses.state.messages]  # setup's is the first
        assert mails == [["success@simulator.amazonses.com"], ["you@example.org"]]
        assert not host.root.inside("/usr/sbin/sendmail").is_symlink()
    record_property(f"five minutes, by {way}", f"{elapsed:.0f} s without downloads")
    assert elapsed - waiting < MOST
