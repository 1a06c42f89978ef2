"""The package where systemd runs, and where policy-rc.d says that no service shall start.

No init runs in a root, so systemctl is a stand-in there.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.packages.debs import Debs
from tests.packages.mailhost import MailHost

POLICY = "/usr/sbin/policy-rc.d"
# Knows whether the one service runs and is enabled. Writes down what is to become of it, and how
# many lines of the old code are there then (debs.previous).
SYSTEMCTL = """#!/bin/sh
while case $1 in -*) ;; *) false ;; esac do shift; done
case $1 in
start | stop | restart)
    [ $1 = stop ] && rm -f /run/active || touch /run/active
    echo $1 $(grep -c submit_as_before /usr/share/sesmail/sesmail/submission/route.py) >>/mnt/asked
    ;;
preset | enable) touch /run/enabled ;;
is-enabled) test -e /run/enabled && echo enabled ;;
is-active) test -e /run/active ;;
esac
"""


@pytest.fixture
def host() -> Iterator[MailHost]:
    """A host without a mail program, for whose package scripts systemd runs."""
    with MailHost() as made:
        made.root.run("mkdir -p /run/systemd/system")
        made.root.write("/usr/bin/systemctl", SYSTEMCTL, 0o755)
        yield made


def _asked(host: MailHost) -> list[str]:
    """Return what was asked of systemctl since the last call."""
    path = host.root.shared / "asked"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


@pytest.mark.root
def test_it_runs_from_the_installation_to_the_removal(
    host: MailHost, debs: Debs, previous_debs: Debs
) -> None:
    """In an upgrade it stops before the first new file comes, and starts when all are there."""
    host.root.inside(POLICY).unlink()
    host.install(previous_debs.sesmail)
    assert _asked(host) == ["start 1"]
    host.install(debs.sesmail)
    assert _asked(host) == ["stop 1", "start 0"]
    host.root.apt_get("remove", "sesmail")
    assert _asked(host) == ["stop 0"]
    host.root.apt_get("purge", "sesmail")
    assert _asked(host) == []


@pytest.mark.root
def test_policy_rc_d_is_obeyed(host: MailHost, debs: Debs, previous_debs: Debs) -> None:
    """Nothing starts, and all else is done."""
    host.install(previous_debs.sesmail)
    host.install(debs.sesmail)
    assert [line for line in _asked(host) if "start" in line] == []
    host.check()
