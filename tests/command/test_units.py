"""What systemd gets: the unit of sesmaild, the user, the directories."""

from __future__ import annotations

import configparser
import os
import pwd
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests.host import Host
from tests.installation import CHECKOUT, Installation

MOST_EXPOSED = 1.5  # of 10, on the scale of systemd-analyze
OTHER = "www-data"  # stands in for the user of the spool
FORBIDDEN = {"PrivateUsers", "DynamicUser", "LoadCredential"}


@pytest.fixture
def unit(installed: Installation) -> Path:
    """The installed unit."""
    return installed.prefix / "lib/systemd/system/sesmaild.service"


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze, which needs no running systemd for this."""
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True)


def test_the_unit_is_clean(unit: Path) -> None:
    """systemd knows every line of it, and the program is there."""
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_verify_sees_a_wrong_line(unit: Path, tmp_path: Path) -> None:
    """A misspelt setting is named."""
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("RestartSec=", "RestartSecs="))
    assert "RestartSecs" in analyze("verify", "--man=no", copy).stderr


def test_the_unit_is_hardened(unit: Path) -> None:
    """systemd counts at most 1.5 of 10 points of exposure."""
    done = analyze("security", "--offline=true", "--no-pager", unit)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_the_unit_says_what_the_daemon_relies_on(unit: Path) -> None:
    """It restarts for ever, leaves 75 s to end, has mounts of its own, and keeps the uids."""
    parser = configparser.ConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text())
    service = parser["Service"]
    wanted = {
        "Type": "notify",
        "User": "sesmail",
        "Restart": "always",
        "RestartSec": "5",
        "TimeoutStopSec": "75",
        "PrivateMounts": "yes",
        "MountFlags": "private",
    }
    assert {key: service.get(key) for key in wanted} == wanted
    assert parser["Unit"]["StartLimitIntervalSec"] == "0"
    assert parser["Install"]["WantedBy"] == "multi-user.target"
    assert FORBIDDEN.isdisjoint(service)
    assert list((CHECKOUT / "packaging/systemd").glob("*.socket")) == []
    assert list((CHECKOUT / "packaging/systemd").glob("*.path")) == []


@pytest.mark.root
def test_tmpfiles_and_init_make_the_same(host: Host, tmp_path: Path) -> None:
    """User and directories by sysusers.d and tmpfiles.d are those that `sesmailctl init` makes."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    prefix = host.installed.prefix
    sysusers = prefix / "lib/sysusers.d/sesmail.conf"
    tmpfiles = prefix / "lib/tmpfiles.d/sesmail.conf"
    subprocess.run(["systemd-sysusers", f"--root={root}", sysusers], check=True)
    words = ["systemd-tmpfiles", f"--root={root}", "--create", str(tmpfiles)]
    subprocess.run(words, check=True)
    passwd = (root / "etc/passwd").read_text().splitlines()
    user = int(next(line for line in passwd if line.startswith("sesmail:")).split(":")[2])

    host.settings(
        spool_directory=host.directory / "spool",
        credentials_directory=host.directory / "names",
        user=OTHER,
    )
    assert host.run("init", name="sesmailctl").exit_code == 0
    made = _tree(root / "var/spool/sesmail", user)
    assert made == _tree(host.directory / "spool", pwd.getpwnam(OTHER).pw_uid)
    assert len(made) == 6
    assert _described(root / "etc/sesmail/credentials", 0) == _described(
        host.directory / "names", 0
    )


def _tree(directory: Path, user: int) -> dict[str, tuple[int, bool, str]]:
    paths = [directory, *directory.iterdir()]
    return {str(path.relative_to(directory)): _described(path, user) for path in paths}


def _described(path: Path, user: int) -> tuple[int, bool, str]:
    """Return type and mode, whether it is the user's, and where a link leads."""
    status = path.lstat()
    target = os.readlink(path) if path.is_symlink() else ""
    return stat.S_IFMT(status.st_mode) | stat.S_IMODE(status.st_mode), status.st_uid == user, target
