"""What `sesmailctl check` makes of what it found: pure functions of the checks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from sesmail.control.check import (
    account,
    configuration,
    dmarc,
    doctor,
    endpoint,
    filesystem,
    service,
    waiting,
)
from sesmail.control.check.filesystem import Mount
from sesmail.control.check.finding import Finding, broken, exit_code, of_failure, ok, warning
from sesmail.sysexits import Unavailable

DOMAIN = "example.com"


# Findings.


def test_the_worst_is_the_exit_code() -> None:
    """0 all is ok, 1 with warnings, 2 if something is broken."""
    good, so_so, bad = ok("a", ""), warning("b", "", "x"), broken("c", "", "x")
    assert exit_code([]) == exit_code([good]) == 0
    assert exit_code([good, so_so]) == 1
    assert exit_code([bad, so_so, good]) == 2


def test_the_remedy_of_a_failure() -> None:
    """It stands at the end, after a semicolon; without one the caller's counts."""
    assert of_failure(broken, "a", "no; so; do it") == broken("a", "no; so", "do it")
    assert of_failure(broken, "a", "no", "do it") == broken("a", "no", "do it")


def test_a_check_that_fails_is_a_finding() -> None:
    """Of a failure with its remedy, of a bug with its place; what it found before stays."""

    def failing() -> Any:
        yield ok("a", "fine")
        raise Unavailable("nobody answers; call again")

    def wrong() -> Any:
        raise KeyError("x")

    assert list(doctor.guarded("a", failing)) == [
        ok("a", "fine"),
        broken("a", "nobody answers", "call again"),
    ]
    (bug,) = doctor.guarded("a", wrong)
    assert bug.level == "broken"
    assert "KeyError" in bug.text
    assert "x" not in bug.text.replace("KeyError", "").partition(" at ")[0]


def test_checks_at_once_are_told_in_order() -> None:
    """The second is over first, and told second; there are more than threads at a time."""
    second = threading.Event()

    def first() -> list[Finding]:
        assert second.wait(20)
        return [ok("first", "")]

    def then() -> list[Finding]:
        second.set()
        return [ok("then", "")]

    many = {f"more {number}": lambda: [ok("more", "")] for number in range(20)}
    found = list(doctor.at_once({"first": first, "then": then, **many}))
    assert [one.subject for one in found] == ["first", "then", *["more"] * 20]


def test_a_check_that_hangs_is_left_behind() -> None:
    """It is named; what it would find later is nobody's."""
    end = threading.Event()

    began = threading.Event()

    def hang() -> Iterator[Finding]:
        yield ok("hanging", "before")
        began.set()
        end.wait(60)
        yield ok("hanging", "late")

    running = doctor.at_once({"waiting": lambda: waited(began), "hanging": hang}, patience=0.0)
    first = next(running)
    assert began.wait(20)
    found = [first, *running]
    end.set()
    assert ("broken", "hanging") in [(one.level, one.subject) for one in found]
    assert ok("hanging", "before") in found
    assert ok("hanging", "late") not in found


def waited(event: threading.Event) -> list[Finding]:
    """Find something once another check has begun."""
    assert event.wait(20)
    return [ok("waiting", "")]


# The clock.


@pytest.mark.parametrize(
    ("off", "level", "text"),
    [
        (0, "ok", "less than"),
        (299, "ok", "less than"),
        (-301, "warning", "behind"),
        (301, "warning", "ahead of"),
        (3600, "broken", "3600 s ahead of ses"),
        (-3600, "broken", "3600 s behind ses"),
    ],
)
def test_the_clock(off: float, level: str, text: str) -> None:
    """Five minutes are a warning, a quarter of an hour is more than AWS allows."""
    now = 1_800_000_000.0
    (found,) = endpoint.clock(formatdate(now, usegmt=True), "ses", now + off)
    assert found.level == level
    assert text in found.text


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_no_date_is_no_finding(date: str) -> None:
    """Who does not tell the time is not asked for it."""
    assert list(endpoint.clock(date, "ses", 0.0)) == []


# The file system.

MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
30 27 0:40 / /var rw,relatime shared:1 master:2 - xfs /dev/vdb rw
31 27 0:41 / /var/spool/ses\\040mail ro,relatime - nfs4 host:/x rw,vers=4.2
32 27 0:42 / /var/spool rw - tmpfs tmpfs rw
33 32 0:43 / /var/spool rw - btrfs /dev/vdc rw,nobarrier
"""


@pytest.mark.parametrize(
    ("path", "point", "kind"),
    [
        ("/srv/spool", "/", "ext4"),
        ("/var/lib", "/var", "xfs"),
        ("/variant", "/", "ext4"),
        ("/var/spool/sesmail", "/var/spool", "btrfs"),
        ("/var/spool/ses mail/drop", "/var/spool/ses mail", "nfs4"),
    ],
)
def test_the_mount_of_a_path(path: str, point: str, kind: str) -> None:
    """The deepest, of those on one point the last; octal escapes are characters."""
    mount = filesystem.mount_of(path, MOUNTINFO)
    assert (mount.point, mount.kind) == (point, kind)


def test_options_of_a_mount() -> None:
    """Those of the mount and of its file system."""
    assert "ro" in filesystem.mount_of("/var/spool/ses mail", MOUNTINFO).options
    assert "nobarrier" in filesystem.mount_of("/var/spool", MOUNTINFO).options


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("ext4", "ok"),
        ("xfs", "ok"),
        ("btrfs", "ok"),
        ("tmpfs", "broken"),
        ("overlay", "warning"),
        ("nfs4", "broken"),
        ("cifs", "broken"),
        ("vfat", "broken"),
        ("fuse.sshfs", "warning"),
        ("something", "warning"),
    ],
)
def test_what_a_file_system_promises(kind: str, level: str) -> None:
    """What keeps mail is ok; the others are named, with where to go."""
    found = filesystem.promises("/spool", Mount("/", kind, frozenset()))
    assert found.level == level
    assert kind in found.text
    assert bool(found.remedy) == (level != "ok")


# The daemon.


def test_who_has_the_lock() -> None:
    """By device and inode; a lock of another kind, or on another file, is none."""
    lines = [
        "1: POSIX  ADVISORY  WRITE 11 fe:01:77 0 EOF",
        "2: FLOCK  ADVISORY  WRITE 22 fe:01:78 0 EOF",
        "3: FLOCK  ADVISORY  WRITE 33 fe:01:77 0 EOF",
        "3: -> FLOCK  ADVISORY  WRITE 44 fe:01:77 0 EOF",
    ]
    assert service.holder(lines, 0xFE01, 77) == "33"
    assert service.holder(lines, 0xFE02, 77) == ""


@pytest.mark.parametrize(
    ("unit", "levels"),
    [
        ({"LoadState": "not-found"}, []),
        ({"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled"}, []),
        (
            {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "disabled"},
            ["warning"],
        ),
        (
            {"LoadState": "loaded", "ActiveState": "failed", "UnitFileState": "enabled"},
            ["broken"],
        ),
    ],
)
def test_the_unit(unit: dict[str, str], levels: list[str]) -> None:
    """One that has failed is broken; one that is not enabled is gone after the next boot."""
    assert [one.level for one in service.judge(unit)] == levels


# What waits.

NOW = 1_000_000.0
QUIET = {"identity": DOMAIN, "waiting": 0, "held": 0, "holds": 0, "hold": None, "oldest": None}


def hold(scope: str, key: str = "") -> dict[str, Any]:
    """Return the status of an identity with a hold."""
    reason = "SignatureDoesNotMatch: no; copy both again"
    return {
        **QUIET,
        "held": 3,
        "hold": {"scope": scope, "key": key, "since": NOW, "reason": reason},
    }


@pytest.mark.parametrize(
    ("document", "level", "text", "remedy"),
    [
        ({**QUIET, "waiting": 2, "oldest": NOW - 60}, "ok", "oldest for 60 seconds", ""),
        ({**QUIET, "waiting": 2, "oldest": NOW - 7200}, "warning", "for 2 hours", "queue list"),
        ({**QUIET, "waiting": 2, "oldest": NOW - 300_000}, "broken", "given up", "queue list"),
        (hold("identity"), "broken", "all mail waits", "copy both again"),
        (hold("author", "a@b.example"), "broken", "of a@b.example waits", "copy both again"),
        (hold("entry", "ID"), "warning", "ID first", "copy both again"),
        (hold("operator", "ID"), "ok", "an administrator", ""),
    ],
)
def test_what_waits(document: dict[str, Any], level: str, text: str, remedy: str) -> None:
    """What waits long, or for the administrator; what he decided himself is fine."""
    (found,) = waiting.judge(document, 5 * 86400, NOW)
    assert found.level == level
    assert text in found.text
    assert remedy in found.remedy


def test_nothing_waits() -> None:
    """Then nothing is said."""
    assert list(waiting.judge(QUIET, 5 * 86400, NOW)) == []


def test_bounces_and_complaints() -> None:
    """Beyond the limits of SES there is a warning for each."""
    document = {**QUIET, "sent": 1000, "bounced": 50, "complained": 1}
    found = list(waiting.judge(document, 5 * 86400, NOW))
    assert [one.level for one in found] == ["warning", "warning"]
    assert "bounced" in found[0].text
    assert "complaints" in found[1].text


# The account.


def judged(**changes: Any) -> list[tuple[str, str]]:
    """Return level and text for an account that is healthy but for the changes."""
    healthy = {
        "ProductionAccessEnabled": True,
        "SendingEnabled": True,
        "EnforcementStatus": "HEALTHY",
        "SendQuota": {"Max24HourSend": 100.0, "SentLast24Hours": 1.0},
    }
    found = account.judge({**healthy, **changes}, DOMAIN, "a")
    return [(one.level, one.text) for one in found]


@pytest.mark.parametrize(
    ("changes", "level", "text"),
    [
        ({}, "ok", "1 of 100"),
        ({"SendQuota": {"Max24HourSend": -1.0, "SentLast24Hours": 7.0}}, "ok", "no quota"),
        ({"SendQuota": {"Max24HourSend": 100.0, "SentLast24Hours": 79.0}}, "ok", "79 of"),
        ({"SendQuota": {"Max24HourSend": 100.0, "SentLast24Hours": 80.0}}, "warning", "80 %"),
        ({"SendQuota": {"Max24HourSend": 100.0, "SentLast24Hours": 100.0}}, "broken", "used up"),
        ({"ProductionAccessEnabled": False}, "broken", "sandbox"),
        ({"SendingEnabled": False}, "broken", "paused"),
        ({"EnforcementStatus": "PROBATION"}, "warning", "PROBATION"),
        ({"EnforcementStatus": "SHUTDOWN"}, "broken", "SHUTDOWN"),
    ],
)
def test_the_account(changes: dict[str, Any], level: str, text: str) -> None:
    """Sandbox, pause, verdict and quota."""
    found = judged(**changes)
    assert any(level == one[0] and text in one[1] for one in found), found
    assert sum(one[0] != "ok" for one in found) == (level != "ok")


# DMARC.


@pytest.mark.parametrize(
    ("text", "identity", "has_dkim", "has_mail_from", "level"),
    [
        ("v=DMARC1; p=reject", DOMAIN, True, False, "ok"),
        ("v=DMARC1; p=reject", DOMAIN, False, True, "ok"),
        ("v=DMARC1; p=reject", DOMAIN, False, False, "broken"),
        ("v=DMARC1; p=quarantine", DOMAIN, False, False, "broken"),
        ("v=DMARC1;p=none", DOMAIN, False, False, "warning"),
        ("v=DMARC1; P = Reject ; adkim=s", DOMAIN, True, False, "ok"),
        ("v=DMARC1; p=reject; adkim=s", "example.org", True, False, "broken"),
        ("v=DMARC1; p=reject; adkim=s", "example.org", True, True, "ok"),
        ("v=DMARC1; p=reject; adkim=s; aspf=s", "example.org", True, True, "broken"),
        ("v=DMARC1; p=reject; aspf=s", DOMAIN, False, True, "broken"),
        ("v=DMARC1; p=reject", DOMAIN, None, None, "ok"),
    ],
)
def test_dmarc(
    text: str, identity: str, has_dkim: bool | None, has_mail_from: bool | None, level: str
) -> None:
    """Mail passes if DKIM or SPF is aligned; else what the policy says becomes of it."""
    record = (f"_dmarc.{DOMAIN}", text)
    assert dmarc.judge(DOMAIN, identity, record, has_dkim, has_mail_from).level == level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("v=DMARC1; p=reject", "broken"),
        ("v=DMARC1; p=reject; sp=none", "warning"),
        ("v=DMARC1; p=none; sp=reject", "broken"),
    ],
)
def test_dmarc_of_a_parent(text: str, level: str) -> None:
    """For a subdomain sp counts, where there is one."""
    record = (f"_dmarc.{DOMAIN}", text)
    assert dmarc.judge(f"shop.{DOMAIN}", DOMAIN, record, False, False).level == level


# Names.


@pytest.mark.parametrize(
    ("name", "is_reachable"),
    [
        ("example.com", True),
        ("xn--bcher-kva.example", True),
        ("wiki@example.com", True),
        ("default", True),
        ("Example.com", False),
        ("example.com.bak", False),
        ("example.com~", False),
        (".example.com.swp", False),
        ("example.com.dpkg-old", False),
        ("b\u00fccher.example", False),
        ("my file", False),
    ],
)
def test_names_that_no_author_leads_to(name: str, is_reachable: bool) -> None:
    """What editors leave, upper case, and what is no A-label."""
    assert configuration.is_reachable(name) == is_reachable
