"""`sesmailctl init`, `queue salvage` and `queue requeue`: what they make, mend and leave alone."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sesmail.queue.listing import Listing
from sesmail.queue.lock import Lock
from sesmail.queue.store import State, Store
from sesmail.sysexits import EX_CANTCREAT, EX_CONFIG, EX_DATAERR, EX_NOPERM, EX_USAGE
from tests.host import Host, Result
from tests.queue_entries import entry

OTHER = "www-data"  # stands in for the user of the spool
TABLE = {  # the contract: type, mode, whether it is the user's
    "": (stat.S_IFDIR, 0o755, False),
    "drop": (stat.S_IFDIR, 0o3733, True),
    "wake": (stat.S_IFIFO, 0o622, True),
    "run": (stat.S_IFDIR, 0o755, True),
    "queue": (stat.S_IFDIR, 0o700, True),
    "control": (stat.S_IFLNK, 0o777, False),
}


@pytest.fixture
def spool(host: Host) -> Path:
    """Where the settings want the spool; nothing is there yet."""
    path = host.directory / "var/spool/sesmail"
    host.settings(
        spool_directory=path,
        credentials_directory=host.directory / "etc/sesmail/credentials",
        user=OTHER,
    )
    return path


def control(host: Host, *words: str, user: str | None = None) -> Result:
    """Run sesmailctl."""
    return host.run(*words, name="sesmailctl", user=user)


def check(spool: Path) -> None:
    """Compare the spool with the contract."""
    entry = pwd.getpwnam(OTHER)
    for name, (kind, mode, is_users) in TABLE.items():
        status = (spool / name).lstat()
        owners = (entry.pw_uid, entry.pw_gid) if is_users else (0, 0)
        assert status.st_mode == kind | mode, name
        assert (status.st_uid, status.st_gid) == owners, name
    assert os.readlink(spool / "control") == "run/control"


@pytest.mark.root
def test_it_makes_what_the_contract_says(host: Host, spool: Path) -> None:
    """Spool and credentials directory, with every line telling one thing made; then silence."""
    before = os.umask(0o077)
    try:
        result = control(host, "init")
    finally:
        os.umask(before)
    assert (result.exit_code, result.stderr) == (0, b"")
    assert result.stdout.count(b"made ") == len(TABLE) + 1
    check(spool)
    credentials = host.directory / "etc/sesmail/credentials"
    status = credentials.stat()
    assert (status.st_uid, status.st_gid) == (0, pwd.getpwnam(OTHER).pw_gid)
    assert status.st_mode == stat.S_IFDIR | 0o751
    for parent in (spool.parent, credentials.parent):
        assert parent.stat().st_mode & 0o777 == 0o755
    again = control(host, "init")
    assert (again.exit_code, again.stdout, again.stderr) == (0, b"", b"")


@pytest.mark.root
@pytest.mark.parametrize("name", [name for name in TABLE if name != "control"])
def test_it_mends_owner_and_mode(host: Host, spool: Path, name: str) -> None:
    """What has another owner or mode is put right, and that is all it says."""
    control(host, "init")
    os.chown(spool / name, 1, 1)
    (spool / name).chmod(0o644)
    result = control(host, "init")
    assert result.exit_code == 0
    assert result.stdout.decode().splitlines()[0].startswith(f"repaired {spool / name}".rstrip("/"))
    assert result.stdout.count(b"\n") == 1
    check(spool)


@pytest.mark.root
def test_it_gives_back_what_root_made_in_the_queue(host: Host, spool: Path) -> None:
    """A database that root made would be read-only for the daemon, for ever."""
    control(host, "init")
    Store(str(spool / "queue")).close()
    (spool / "queue/foreign").write_text("")
    result = control(host, "init")
    assert result.stdout.count(b"\n") == 1
    user = pwd.getpwnam(OTHER)
    status = (spool / "queue/queue.db").stat()
    assert (status.st_uid, status.st_gid) == (user.pw_uid, user.pw_gid)
    assert (spool / "queue/foreign").stat().st_uid == 0


@pytest.mark.root
@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_it_gives_no_other_file_away(
    host: Host, spool: Path, make: Callable[[Path, Path], None]
) -> None:
    """Links that the user of the spool laid in the queue change nobody else's file."""
    control(host, "init")
    secret = host.directory / "secret"
    secret.write_text("root's")
    make(secret, spool / "queue/queue.db")
    assert control(host, "init").exit_code == 0
    assert secret.stat().st_uid == 0


@pytest.mark.root
@pytest.mark.parametrize("name", ["", "drop", "queue", "run", "wake", "control"])
def test_it_follows_no_link(host: Host, spool: Path, name: str) -> None:
    """A link in a place of ours is told, and what it leads to stays as it was."""
    target = host.directory / "target"
    target.mkdir(0o711)
    place = spool / name if name else spool
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    result = control(host, "init")
    assert result.exit_code == EX_CANTCREAT
    assert result.stderr.count(b"\n") == 1
    assert str(place).encode() in result.stderr
    assert target.stat().st_mode & 0o7777 == 0o711
    assert list(target.iterdir()) == []


@pytest.mark.root
@pytest.mark.parametrize("name", ["drop", "wake", "control"])
def test_it_puts_nothing_in_the_place_of_a_file(host: Host, spool: Path, name: str) -> None:
    """A plain file that has one of our names is told, and stays."""
    spool.mkdir(parents=True)
    (spool / name).write_text("mine")
    result = control(host, "init")
    assert result.exit_code == EX_CANTCREAT
    assert f"{spool}/{name}".encode() in result.stderr
    assert (spool / name).read_text() == "mine"


@pytest.mark.root
def test_only_root_can_do_it(host: Host, spool: Path) -> None:
    """Anybody else gets 77 and is told what to type."""
    result = control(host, "init", user=OTHER)
    assert (result.exit_code, result.stdout) == (EX_NOPERM, b"")
    assert b"sudo sesmailctl init" in result.stderr
    assert not spool.exists()


IN_PRIVATE = """
set -e
cp -a /etc "$1" 2>/dev/null || [ -s "$1/passwd" ]  # a package may be coming in meanwhile
mount --bind "$1" /etc
if [ -n "$2" ]; then
    for name in useradd groupadd; do mount --bind /dev/null /usr/sbin/$name; done
fi
"$3" init
"$3" init
getent passwd sesmail-test
getent group sesmail-test
"""


@pytest.mark.root
@pytest.mark.parametrize("without_useradd", ["", "yes"])
def test_it_makes_the_user(host: Host, spool: Path, tmp_path: Path, without_useradd: str) -> None:
    """A system user without shell and home, and its group; by useradd, or else systemd-sysusers.

    In a mount namespace with an /etc of its own: this machine's users stay as they are.
    """
    host.settings(user="sesmail-test")
    words = ["unshare", "--mount", "--propagation=private", "sh", "-c", IN_PRIVATE, "sh"]
    etc, program = tmp_path / "etc", host.installed.command("sesmailctl")
    done = subprocess.run(
        [*words, etc, without_useradd, program],
        env=host.environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *told, passwd, group = done.stdout.splitlines()
    assert told[0] == "made user sesmail-test"
    assert f"made {spool}/drop: sesmail-test:sesmail-test 3733" in told
    assert len(told) == len(TABLE) + 2
    _, _, uid, gid, _, home, shell = passwd.split(":")
    assert (home, shell) == ("/nonexistent", "/usr/sbin/nologin")
    assert 0 < int(uid) < 1000
    assert group.split(":")[:3:2] == ["sesmail-test", gid]
    with pytest.raises(KeyError):
        pwd.getpwnam("sesmail-test")


@pytest.mark.root
def test_credentials_on_a_read_only_volume(host: Host, spool: Path) -> None:
    """They are told and left as they are; the spool is made, and the exit code 0."""
    credentials = host.directory / "etc/sesmail/credentials"
    credentials.mkdir(parents=True)
    script = f"mount --bind {credentials} {credentials} && mount -o remount,ro,bind {credentials}"
    words = ["unshare", "--mount", "--propagation=private", "sh", "-c", f'{script} && "$0" init']
    done = subprocess.run(
        [*words, host.installed.command("sesmailctl")],
        env=host.environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"left {credentials} as it is: its file system is read-only\n")
    check(spool)
    assert credentials.stat().st_mode & 0o777 == 0o755


# The command line.


@pytest.mark.parametrize("words", [(), ("unknown",), ("queue",), ("queue", "salvage"), ("-x",)])
def test_a_wrong_command_line(host: Host, words: tuple[str, ...]) -> None:
    """64, and one line that leads to the help."""
    result = control(host, *words)
    assert (result.exit_code, result.stdout) == (EX_USAGE, b"")
    assert result.stderr.count(b"\n") == 1
    assert b"--help" in result.stderr


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_and_version(host: Host, word: str) -> None:
    """They go to standard output."""
    result = control(host, word)
    assert (result.exit_code, result.stderr) == (0, b"")
    assert b"sesmail" in result.stdout


def test_settings_that_cannot_be_read(host: Host) -> None:
    """78, with file and line."""
    host.settings(history="soon")
    result = control(host, "queue", "salvage", "file")
    assert result.exit_code == EX_CONFIG
    assert b"sesmail.conf" in result.stderr


# queue salvage


def damaged(spool: Path) -> Path:
    """Let a queue with three entries lie beside an empty one, its first page gone."""
    store = Store(str(spool / "queue"))
    with store.transaction():
        store.add([entry(f"r{number}@example.org") for number in range(3)])
    store.close()
    path = spool / "queue/queue.db.damaged"
    (spool / "queue/queue.db").rename(path)
    with path.open("r+b") as file:
        file.write(bytes(4096))
    os.chown(path, pwd.getpwnam(OTHER).pw_uid, -1)
    return path


@pytest.mark.root
def test_salvage_brings_entries_back(host: Host, spool: Path) -> None:
    """It counts them, twice changes nothing, and what it makes is not root's."""
    control(host, "init")
    path = damaged(spool)
    result = control(host, "queue", "salvage", str(path))
    assert result.stdout == b"3 brought back, 0 known already, 0 unreadable\n"
    assert (result.exit_code, result.stderr) == (0, b"")
    again = control(host, "queue", "salvage", str(path))
    assert again.stdout == b"0 brought back, 3 known already, 0 unreadable\n"
    assert {file.stat().st_uid for file in (spool / "queue").iterdir()} == {path.stat().st_uid}
    listing = Listing(str(spool / "queue"))
    assert [path for one in listing.entries() for path, _ in one.waiting] == [
        f"r{number}@example.org" for number in range(3)
    ]
    listing.close()


@pytest.mark.root
def test_salvage_tells_of_a_damaged_message(host: Host, spool: Path) -> None:
    """By the id under which it can be looked at."""
    control(host, "init")
    path = damaged(spool)
    content = path.read_bytes()
    assert content.count(b"hello\n") == 3
    path.write_bytes(content.replace(b"hello\n", b"hellO\n", 1))
    first, second = control(host, "queue", "salvage", str(path)).stdout.decode().splitlines()
    assert first == "3 brought back, 0 known already, 0 unreadable"
    queue_id, _, told = second.partition(": ")
    assert told.startswith("its content is damaged, so it is kept as failed and not sent")
    shown = control(host, "queue", "show", queue_id, "--content").stdout
    assert b"hellO" in shown
    assert (
        b"the message was damaged in the queue" in control(host, "queue", "show", queue_id).stdout
    )


@pytest.mark.root
def test_salvage_while_the_daemon_runs(host: Host, spool: Path) -> None:
    """Only one may write to the queue: it names the process that has it."""
    control(host, "init")
    path = damaged(spool)
    lock = Lock(str(spool / "queue"))
    os.chown(spool / "queue/lock", pwd.getpwnam(OTHER).pw_uid, -1)
    result = control(host, "queue", "salvage", str(path))
    lock.close()
    assert (result.exit_code, result.stdout) == (EX_CANTCREAT, b"")
    assert f"process {os.getpid()}; stop it first".encode() in result.stderr


@pytest.mark.root
def test_salvage_reads_only_what_the_user_may_read(host: Host, spool: Path) -> None:
    """As root, too, it reads with the rights of the spool's user."""
    control(host, "init")
    secret = host.directory / "secret"
    secret.write_text("root's")
    secret.chmod(0o600)
    for path in (secret, spool / "queue/nothing"):
        result = control(host, "queue", "salvage", str(path))
        assert result.exit_code == EX_DATAERR
        assert str(path).encode() in result.stderr


# queue requeue


@pytest.mark.root
def test_requeue_without_a_daemon(host: Host, spool: Path) -> None:
    """What failed waits again; a second time there is nothing to do; root's files are none."""
    control(host, "init")
    store = Store(str(spool / "queue"))
    new = entry("a@example.org", "b@example.org")
    for path in new.paths:
        path.state = State.FAILED
    with store.transaction():
        store.add([new])
    store.close()
    owner = pwd.getpwnam(OTHER).pw_uid
    for file in (spool / "queue").iterdir():
        os.chown(file, owner, -1)
    result = control(host, "queue", "requeue", new.queue_id)
    assert (result.exit_code, result.stdout, result.stderr) == (0, b"2 to be tried again\n", b"")
    assert control(host, "queue", "requeue", new.queue_id).exit_code == EX_DATAERR
    assert {file.stat().st_uid for file in (spool / "queue").iterdir()} == {owner}
    listing = Listing(str(spool / "queue"))
    assert listing.totals() == (1, len(new.message))
    listing.close()


@pytest.mark.parametrize("queue_id", ["x", "../../etc/passwd", "0" * 27])
def test_requeue_of_what_is_no_queue_id(host: Host, queue_id: str) -> None:
    """64, before anything is asked or opened."""
    result = control(host, "queue", "requeue", queue_id)
    assert result.exit_code == EX_USAGE
    assert b"no queue id" in result.stderr
