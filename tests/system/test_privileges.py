"""Whose rights each part has: sendmail its caller's, the daemon its user's, and no more."""

from __future__ import annotations

import os
import pwd
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.ses import SesServer
from tests.host import Host
from tests.installation import Installation
from tests.spool import IDENTITY, Spool, message
from tests.system.test_isolation import CALLER, DAEMON, isolated, send

pytestmark = pytest.mark.root

_CALL = re.compile(r"\d+ +(?P<name>\w+)\((?P<words>.*)\) += (?P<result>-?\d+|\?)")
_PATH = re.compile(r'"(?P<path>(?:[^"\\]|\\.)*)"')
_LOOKS = frozenset(
    "stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat statfs".split()
)
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool of another user than root and the caller."""
    with isolated(host, ses) as spool:
        yield spool


def test_no_set_id_program(installed: Installation) -> None:
    """No file of the tree has a set-id bit or capabilities, or can be changed by others."""
    files = [path for path in installed.prefix.rglob("*") if not path.is_symlink()]
    assert len(files) > 200
    for path in files:
        assert path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH) == 0, path
        assert "security.capability" not in os.listxattr(path), path


def test_the_daemon_is_its_user(host: Host, spool: Spool) -> None:
    """Started by root: every thread is that user for good, in its groups only, and can do less."""
    spool.start()
    send(host, spool)
    spool.ses.state.wait_for_messages(1)
    assert spool.process is not None
    entry = pwd.getpwnam(DAEMON)
    groups = set(os.getgrouplist(DAEMON, entry.pw_gid))
    threads = list(Path(f"/proc/{spool.process.pid}/task").iterdir())
    assert len(threads) > 1
    for thread in threads:
        lines = (thread / "status").read_text().splitlines()
        status = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
        assert {int(uid) for uid in status["Uid"]} == {entry.pw_uid}
        assert {int(gid) for gid in status["Gid"]} == {entry.pw_gid}
        assert {int(gid) for gid in status["Groups"]} == groups
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[name][0], 16) == 0, name


@pytest.mark.parametrize("user", ["root", CALLER])
def test_the_real_sendmail_is_the_caller(host: Host, user: str) -> None:
    """Mail that is none of ours is handed over with the caller's rights, not less and not more."""
    assert host.run("bob@example.org", stdin=b"Subject: x\n\nx\n", user=user).exit_code == 0
    (call,) = host.relayed
    uid = pwd.getpwnam(user).pw_uid
    assert call.status["Uid"].split() == [str(uid)] * 4
    assert call.status["NoNewPrivs"] == "0"


# What sendmail does for a caller who gives it everything that could lead it elsewhere.


def hostile_words(spool: Spool) -> list[str]:
    """Return flags that name files, and addresses that name files and programs."""
    credentials, queue = spool.credentials / IDENTITY, spool.directory / "queue"
    words = [f"-C{credentials}", f"-X{credentials}.log", f"-oQ{queue}", f"-oA{credentials}"]
    words += ["-O", f"QueueDirectory={queue}", "-O", f"AliasFile={credentials}", "-odb"]
    return [*words, "-f", "/etc/shadow@example.com", "-t", "-i"]


def hostile_environment(directory: Path) -> dict[str, str]:
    """Return variables by which Python, its libraries and AWS's are led."""
    for name in ("os.py", "sitecustomize.py", "usercustomize.py", "startup.py", "credentials"):
        (directory / name).write_text("raise SystemExit(99)\n")
    place = str(directory)
    names = "PYTHONPATH PYTHONHOME PYTHONUSERBASE PYTHONPYCACHEPREFIX HOME TMPDIR XDG_CONFIG_HOME"
    return dict.fromkeys(names.split(), place) | {
        "PYTHONSTARTUP": f"{place}/startup.py",
        "PYTHONINSPECT": "1",
        "PYTHONBREAKPOINT": "startup.f",
        "AWS_SHARED_CREDENTIALS_FILE": f"{place}/credentials",
        "AWS_CONFIG_FILE": f"{place}/credentials",
    }


HOSTILE = (
    b"X-SES-CONFIGURATION-SET: theirs\n"
    b'Bcc: "|/bin/touch x"@example.org, "/etc/passwd"@example.org\n'
) + message()


def traced(
    host: Host, spool: Spool, directory: Path, user: str
) -> tuple[int, list[tuple[str, str, str]]]:
    """Send under strace; return the exit code, and each call: its name, words and result."""
    trace = directory / "trace"
    place = host.directory / "hostile"
    place.mkdir()
    kinds = "%file,%creds,%process,capset,prctl"
    options = ["-f", "-q", "-s", "4096", "-e", f"trace={kinds}", "-o", str(trace), "-u", user]
    done = subprocess.run(
        ["strace", *options, "--", host.installed.sendmail, *hostile_words(spool)],
        input=HOSTILE,
        env=host.environment(
            hostile_environment(place) | {"SESMAIL_CONFIG": str(spool.configuration)}
        ),
        cwd=place,
        capture_output=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    assert sorted(path.name for path in place.iterdir() if path.suffix != ".py") == ["credentials"]
    calls = [_CALL.match(line) for line in trace.read_text("latin-1").splitlines()]
    return done.returncode, [(c["name"], c["words"], c["result"]) for c in calls if c]


@pytest.mark.parametrize("user", ["root", CALLER])
def test_what_sendmail_touches(host: Host, spool: Spool, tmp_path: Path, user: str) -> None:
    """It stays who called it, runs nothing, opens no secret, and writes into the drop alone."""
    spool.start()
    code, calls = traced(host, spool, tmp_path, user)
    assert code == 0
    (sent,) = spool.ses.state.wait_for_messages(1)
    assert "bob@example.org" in sent.destinations
    assert b"X-SES" not in sent.raw.upper()
    names = {name for name, _, _ in calls}
    assert {"execve", "openat", "newfstatat"} <= names
    assert [words for name, words, _ in calls if name.startswith("exec")][1:] == []
    assert not names & {"fork", "vfork", "clone", "clone3"}
    assert not {name for name in names if name.startswith(("set", "capset"))}
    for name, words, result in calls:
        found = _PATH.search(words)
        if found is None or name in _LOOKS:
            continue
        path = found["path"]
        assert not path.startswith((str(spool.credentials), str(spool.queue_directory))), path
        is_read = name.startswith("exec") or (name == "openat" and not _WRITES.search(words))
        assert is_read or result == "-1" or _is_the_drop_s(path, spool), f"{name}({words})"


def _is_the_drop_s(path: str, spool: Spool) -> bool:
    """Tell whether a path is one that a caller may write to."""
    is_drop = Path(path).parent == spool.drop_directory
    return is_drop or path in (str(spool.directory / "wake"), "/dev/null")
