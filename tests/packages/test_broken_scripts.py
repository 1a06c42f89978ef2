"""Maintainer scripts that fail, at their beginning, halfway and at their end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packages import debs as made
from tests.packages.debs import Debs
from tests.packages.mailhost import SENDMAIL, MailHost
from tests.packages.mta import MTAS, chosen

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
PLACES = ("beginning", "halfway", "end")
NOT_HALFWAY = ("beginning", "end")  # the middle is not for this operation
BREAK = "/run/break"  # names the script and the place
# The line after which a script ends halfway.
MIDDLE = {
    "preinst": 'divert "$file"',
    "postinst": "py3compile",
    "prerm": "cp -a $library",
    "postrm": 'undivert "$file"',
}


def breaking(tree: Path) -> None:
    """Let each script fail where BREAK says so."""
    for name in SCRIPTS:
        script = tree / "DEBIAN" / name
        text = script.read_text()

        def fail(place: str, name: str = name) -> str:
            return f"if grep -qsx '{name} {place}' {BREAK}; then exit 1; fi\n"

        position = text.index("\n", text.index(MIDDLE[name])) + 1
        text = text[:position] + fail("halfway") + text[position:] + fail("end")
        script.write_text(text.replace("set -e\n", "set -e\n" + fail("beginning"), 1))


@pytest.fixture(scope="module")
def broken(debs: Debs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, whose scripts can be told to fail."""
    new = tmp_path_factory.mktemp("broken") / "sesmail_broken.deb"
    return made.repack(debs.sesmail, new, breaking)


@pytest.fixture(scope="module")
def broken_before(previous_debs: Debs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The previous one, likewise."""
    new = tmp_path_factory.mktemp("broken-before") / "sesmail_before.deb"
    return made.repack(previous_debs.sesmail, new, breaking)


def _is_there(host: MailHost) -> bool:
    return host.root.run(["test", "-x", SENDMAIL], check=False).returncode == 0


def _break(host: MailHost, script: str, place: str) -> None:
    host.root.write(BREAK, f"{script} {place}\n")


def _mend(host: MailHost) -> None:
    host.root.inside(BREAK).unlink()
    host.root.run("dpkg --configure -a")


def _host() -> MailHost:
    """A host with a mail program that the tests were told to try."""
    host = MailHost()
    names = [name for name in chosen() if name != "none"] or ["nullmailer"]
    host.install_mta(MTAS[names[-1]])
    return host


@pytest.mark.root
@pytest.mark.parametrize("script", ["preinst", "postinst"])
def test_installation(broken: Path, script: str) -> None:
    """An installation that fails leaves a sendmail, and ends well when it is done again."""
    with _host() as host:
        before = host.root.snapshot()
        (deb,) = host.root.share(broken)
        for place in PLACES:
            _break(host, script, place)
            assert host.root.run(["dpkg", "-i", deb], check=False).returncode != 0
            assert _is_there(host)
            _mend(host)
            if script == "preinst":
                host.check_gone(before)
            host.install(broken)
            host.check()
            host.root.apt_get("purge", "sesmail")
            host.check_gone(before)


@pytest.mark.root
def test_removal_of_what_was_never_configured(broken: Path) -> None:
    """After an installation that failed a purge ends well, too."""
    with _host() as host:
        before = host.root.snapshot()
        (deb,) = host.root.share(broken)
        for place in PLACES:
            _break(host, "postinst", place)
            assert host.root.run(["dpkg", "-i", deb], check=False).returncode != 0
            host.root.inside(BREAK).unlink()
            host.root.run("dpkg --purge sesmail")
            host.check_gone(before)


@pytest.mark.root
@pytest.mark.parametrize("script", SCRIPTS)
def test_upgrade(broken: Path, broken_before: Path, script: str) -> None:
    """An upgrade that fails leaves a sendmail that works, and ends well when it is done again."""
    with _host() as host:
        new, old = host.root.share(broken, broken_before)
        host.install(broken_before)
        for place in NOT_HALFWAY if script == "postrm" else PLACES:
            host.root.run(["dpkg", "-i", "--force-downgrade", old])
            _break(host, script, place)
            assert host.root.run(["dpkg", "-i", new], check=False).returncode != 0
            assert _is_there(host)
            host.check_other_mail(is_taken=True)
            _mend(host)
            host.root.run(["dpkg", "-i", new])
            host.check()
            assert host.root.run("ls -d /usr/share/sesmail.*", check=False).stdout == ""


@pytest.mark.root
def test_upgrade_that_the_old_package_cannot_begin(debs: Debs, broken_before: Path) -> None:
    """The new prerm does what the old one failed to do (failed-upgrade)."""
    with _host() as host:
        host.install(broken_before)
        _break(host, "prerm", "halfway")
        host.root.run(["dpkg", "-i", *host.root.share(debs.sesmail)])
        host.check()
        assert host.root.run("ls -d /usr/share/sesmail.*", check=False).stdout == ""


@pytest.mark.root
@pytest.mark.parametrize("script", ["prerm", "postrm"])
def test_removal(broken: Path, script: str) -> None:
    """A removal that fails ends well when it is done again."""
    with _host() as host:
        before = host.root.snapshot()
        for place in NOT_HALFWAY if script == "prerm" else PLACES:
            host.install(broken)
            _break(host, script, place)
            assert host.root.run("dpkg --purge sesmail", check=False).returncode != 0
            _mend(host)
            host.root.run("dpkg --purge sesmail")
            host.check_gone(before)


@pytest.mark.root
def test_disappearance(debs: Debs) -> None:
    """Where another package has taken all files over, what moved aside comes back.

    dpkg keeps a package whose files are diverted from the other, so its steps are done by hand.
    """
    with _host() as host:
        before = host.root.snapshot()
        host.install(debs.sesmail)
        listed = host.root.run("dpkg --listfiles sesmail").stdout.splitlines()
        files = [path for path in listed if path.startswith("/")]  # beside what it diverts
        host.root.run(["sh", "-c", 'for f; do [ -d "$f" ] || rm "$f"; done', "sh", *files])
        host.root.run("sh /var/lib/dpkg/info/sesmail.postrm disappear sesmail-heir 1.0")
        host.check_given_back(before)


@pytest.mark.root
@pytest.mark.parametrize("option", ["--local", "--package=other"])
def test_a_name_that_is_diverted_already(debs: Debs, option: str) -> None:
    """It is refused before anything changes, in a line that says what helps; then it goes."""
    divert = ["dpkg-divert", option, "--divert", f"{SENDMAIL}.elsewhere", "--rename"]
    with _host() as host:
        host.root.run([*divert, "--add", SENDMAIL])
        before = host.root.snapshot()
        (deb,) = host.root.share(debs.sesmail)
        refused = host.root.run(["dpkg", "-i", deb], check=False)
        assert refused.returncode != 0
        (line,) = [line for line in refused.stderr.splitlines() if line.startswith("sesmail: ")]
        assert SENDMAIL in line
        assert ("deactivate" in line) == (option == "--local")
        assert host.root.run("dpkg --audit").stdout == ""
        after = host.root.snapshot()
        assert {path for path in after if SENDMAIL in path} == {f"{SENDMAIL}.elsewhere"}
        assert after[f"{SENDMAIL}.elsewhere"] == before[f"{SENDMAIL}.elsewhere"]
        host.root.run([*divert, "--remove", SENDMAIL])
        host.install(debs.sesmail)
        host.check()
