"""The blocks of README.md and docs/, typed at a host with stand-ins; tests/pages.py sorts them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import pages
from tests.fakes.ses import KEY_ID, SECRET
from tests.installation import CHECKOUT
from tests.packages import at_shell
from tests.packages.conftest import Debs
from tests.packages.stand_ins import DOMAIN, PYTHON, REGION, StandIns

# What the pages on programs that send take for granted.
_LOCKED_IN = """\
[Service]
ExecStart=/bin/true
NoNewPrivileges=true
ProtectSystem=strict
PrivateUsers=true
"""
_OPEN = "[Service]\nExecStart=/bin/true\n"
# How is answered what README's commands ask, which it does not show.
_ANSWERS = f"""\
Do you want to continue? [Y/n] y
Access key id, or SMTP user name (nothing: the role of this instance or container): {KEY_ID}
Secret access key, or SMTP password (not shown):
AWS region [us-east-1]: {REGION}
Custom MAIL FROM domain, for SPF and DMARC (none: without) [bounce.example.com]:
"""


def mastodon(host: StandIns) -> None:
    """Its user and the units that it brings."""
    host.root.run("useradd --create-home --home-dir /home/mastodon mastodon")
    for name in ("mastodon-web", "mastodon-sidekiq"):
        host.root.write(f"/home/mastodon/live/dist/{name}.service", _LOCKED_IN)


def unit(name: str, text: str) -> Callable[[StandIns], None]:
    """A service of systemd."""
    return lambda host: host.root.write(f"/etc/systemd/system/{name}.service", text)


GIVEN: dict[str, Callable[[StandIns], None]] = {
    "README.md": unit("php8.2-fpm", _LOCKED_IN),
    "mediawiki.md": unit("php8.2-fpm", _OPEN),
    "nextcloud.md": unit("nextcloudcron", _LOCKED_IN),
    "laravel.md": unit("laravel-worker", _LOCKED_IN),
    "mastodon.md": mastodon,
}
# Whose pages begin where an identity is set up.
SET_UP = CHECKOUT / "docs/callers"
OTHERS = [page for page in pages.PAGES if page.name != "five-minutes.md"]


def runs(page: Path) -> Iterator[tuple[str, list[pages.Block]]]:
    """Yield which host, and the blocks that are typed there."""
    found: list[tuple[str, list[pages.Block]]] = []
    for block in pages.blocks(page):
        if block.host or not found:
            found.append((block.host, []))
        found[-1][1].append(block)
    for host, blocks in found:
        if any(block.kind == pages.RUN for block in blocks):
            yield host, blocks


CASES = [(page, number) for page in OTHERS for number in range(len(list(runs(page))))]


@pytest.mark.parametrize(
    ("page", "number"), CASES, ids=[f"{page.stem}-{number}" for page, number in CASES]
)
def test_what_a_page_says_can_be_typed(debs: Debs, page: Path, number: int) -> None:
    """Each command ends well, and the screen shows what the page shows."""
    kind, blocks = next(itertools.islice(runs(page), number, None))
    deb = debs.sesmail if kind == pages.HOST else None
    is_from_source = any("make install" in block.text for block in blocks)
    with StandIns(deb, packages=PYTHON if is_from_source else ()) as host:
        if kind == pages.BARE:
            host.bring_checkout()
        if page.name != "README.md":  # which makes it
            host.ses.state.identities.add(DOMAIN)
        if page.name in GIVEN:
            GIVEN[page.name](host)
        if page.parent == SET_UP:
            set_up(host)
        with host.shell() as person:
            at_shell.follow(person, blocks, SECRET, host, _ANSWERS)


def set_up(host: StandIns) -> None:
    """Give the domain credentials."""
    words = f"--key-id {KEY_ID} --secret-file - --region {REGION} --no-wait --no-test"
    command = f"sesmailctl setup {DOMAIN} {words} --mail-from none"
    host.run(command, input=f"{SECRET}\n")
    assert host.root.inside(f"/etc/sesmail/credentials/{DOMAIN}").exists()


def test_php_can_be_read() -> None:
    """Parts of PHP files have no error of syntax."""
    found = [block for page in OTHERS for block in pages.blocks(page) if block.info == "php"]
    assert found
    with StandIns() as host:
        for block in found:
            text = block.text if block.text.startswith("<?php") else f"<?php\n{block.text}"
            host.root.run("php -l", input=text)
