"""Users apart: what www-data can and cannot do to the spool, and what it puts into the drop.

The daemon runs as a user of its own, from the installed tree; whoever drops is another one.
"""

from __future__ import annotations

import grp
import os
import pwd
import signal
import subprocess
from binascii import crc32
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sesmail.drop import layout
from sesmail.envelope import Envelope
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.installation import PYTHON
from tests.spool import AUTHOR, IDENTITY, Spool, message

pytestmark = pytest.mark.root

DAEMON = "backup"  # stands in for the user sesmail
CALLER = "www-data"
OTHER = "games"
JUNK = 3000  # files; tests/scale has a hundred thousand


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool as `sesmailctl init` makes it: credentials only root and the daemon can read."""
    with isolated(host, ses) as spool:
        yield spool


@contextmanager
def isolated(host: Host, ses: SesServer) -> Iterator[Spool]:
    """Make that spool below a directory that every user can reach."""
    directory = host.directory / "daemon"
    directory.mkdir()
    spool = Spool(directory, ses, DAEMON, [host.installed.command("sesmaild")])
    protect(spool, IDENTITY)
    try:
        yield spool
    finally:
        spool.close()


def protect(spool: Spool, identity: str) -> None:
    """Give a credentials file and its directory the owner and mode of the contract."""
    gid = grp.getgrnam(DAEMON).gr_gid
    for path, mode in ((spool.credentials, 0o751), (spool.credentials / identity, 0o640)):
        os.chown(path, 0, gid)
        path.chmod(mode)


def start_as(user: str, source: str, *arguments: object) -> subprocess.Popen[str]:
    """Start Python as a user, without any right of ours."""
    entry = pwd.getpwnam(user)
    return subprocess.Popen(
        [PYTHON, "-Ic", source, *map(str, arguments)],
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        umask=0o022,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )


def run_as(user: str, source: str, *arguments: object) -> str:
    """Run Python as a user to its end; return what it prints."""
    with start_as(user, source, *arguments) as process:
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    return stdout


def send(
    host: Host, spool: Spool, *arguments: str, user: str = CALLER, text: bytes | None = None
) -> None:
    """Send a mail with the installed sendmail, as a user."""
    result = host.run(
        *(arguments or ("bob@example.org",)),
        stdin=text or message(),
        user=user,
        env={"SESMAIL_CONFIG": str(spool.configuration)},
    )
    assert (result.exit_code, result.stderr) == (0, b"")


def drop_file(name: str, uid: int = 0) -> bytes:
    """Return a whole drop file, as a client would write it."""
    envelope = Envelope(name, IDENTITY, AUTHOR, None, ["bob@example.org"])
    content = envelope.encode() + message(text=f"by {uid}")
    return layout.leading_line(name, len(content), crc32(content)) + content


def place(spool: Spool, user: str, name: str, content: bytes, mode: int = 0o640) -> Path:
    """Let a user put a file into the drop by hand."""
    path = spool.drop_directory / name
    source = (
        "import os, sys; os.umask(0)\n"
        "path, mode, content = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3])\n"
        "descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)\n"
        "os.write(descriptor, content)"
    )
    run_as(user, source, path, mode, content.hex())
    return path


def is_alive(host: Host, spool: Spool) -> None:
    """Send a good mail and see it delivered, and all that could go gone."""
    before = len(spool.ses.state.messages)
    send(host, spool, "alive@example.org")
    messages = spool.ses.state.wait_for_messages(before + 1)
    assert messages[-1].destinations == ["alive@example.org"]


def ring(spool: Spool, line: str) -> None:
    """Write a line into the FIFO."""
    with open(spool.directory / "wake", "w") as wake:
        wake.write(f"{line}\n")


# What the caller can do.


def test_a_caller_without_secrets(host: Host, spool: Spool) -> None:
    """www-data cannot read the credentials, and its mail arrives."""
    spool.start()
    send(host, spool)
    (sent,) = spool.ses.state.wait_for_messages(1)
    assert sent.destinations == ["bob@example.org"]
    uid = pwd.getpwnam(CALLER).pw_uid
    assert spool.wait_for_log("sesmail/pickup[")[0].endswith(f"uid={uid} from=<{AUTHOR}>")


def test_no_daemon_runs(host: Host, spool: Spool) -> None:
    """The mail waits for one."""
    result = host.run(
        "-v",
        "bob@example.org",
        stdin=message(),
        user=CALLER,
        env={"SESMAIL_CONFIG": str(spool.configuration)},
    )
    assert result.exit_code == 0
    assert b"queued, but sesmaild does not run" in result.stderr
    spool.start()
    spool.ses.state.wait_for_messages(1)


DENIED = """
import os, sys
spool, credentials, other = sys.argv[1:]
drop, queue = spool + "/drop", spool + "/queue"
mine = drop + "/mine"
def attempt(name, function, *arguments):
    try:
        function(*arguments)
    except PermissionError:
        return
    print(name)
attempt("read credentials", open, credentials)
attempt("list credentials", os.listdir, os.path.dirname(credentials))
attempt("list queue", os.listdir, queue)
attempt("read queue", open, queue + "/queue.db")
attempt("lock queue", open, queue + "/lock")
attempt("list drop", os.listdir, drop)
attempt("read wake", os.open, spool + "/wake", os.O_RDONLY | os.O_NONBLOCK)
attempt("open wake to read and write", os.open, spool + "/wake", os.O_RDWR | os.O_NONBLOCK)
attempt("read a drop", open, other)
attempt("write a drop", open, other, "r+")
attempt("truncate a drop", os.truncate, other, 0)
attempt("remove a drop", os.unlink, other)
attempt("rename a drop", os.rename, other, mine)
attempt("link a drop", os.link, other, mine)
attempt("change a drop", os.chmod, other, 0o666)
open(mine, "w").close()
attempt("replace a drop", os.rename, mine, other)
attempt("replace the drop", os.rename, drop, drop + "-away")
attempt("replace the FIFO", os.unlink, spool + "/wake")
attempt("make a file beside it", open, spool + "/x", "w")
os.unlink(mine)
print("tried")
"""


def test_what_is_refused(host: Host, spool: Spool) -> None:
    """Secrets, the queue, the list of the drop, another user's drop: the kernel says no."""
    spool.start()
    spool.stop()
    name = layout.new_queue_id()
    path = place(spool, CALLER, name, drop_file(name))
    credentials = spool.credentials / IDENTITY
    assert run_as(OTHER, DENIED, spool.directory, credentials, path) == "tried\n"
    assert path.read_bytes() == drop_file(name)
    spool.start()
    spool.ses.state.wait_for_messages(1)


# What lies in the drop.

MESS = """
import os, sys
drop, names = sys.argv[1], sys.argv[2:]
os.umask(0)
os.chdir(drop)
def make(mode, *, name, content=b"", size=None):
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    os.write(descriptor, content)
    if size is not None:
        os.truncate(descriptor, size)
os.symlink("/etc/passwd", names[0])
os.symlink("../queue/queue.db", "a link")
os.mkfifo(names[1])
os.mkdir(names[2])
make(0o600, name=names[3], content=b"sesmail-drop 1 ")
make(0o644, name=names[4])
make(0o640, name=names[5], size=1 << 40)
make(0o640, name=names[6], content=b"SECRET\\0\\x1b[31m\\n" * 100)
make(0o640, name="\\x1b[31m\\n")
make(0o640, name="x" * 255)
os.mkdir("tree"); os.mkdir("tree/inside")
make(0o640, name=names[7])
os.mkdir(names[8]); os.chmod(names[8], 0o777)
make(0o640, name=names[8] + "/linked")
os.link(names[8] + "/linked", names[9])
"""


def test_a_mess(host: Host, spool: Spool) -> None:
    """Whatever it is: logged without its bytes, removed if it can be, and mail goes on."""
    names = [layout.new_queue_id() for _ in range(10)]
    run_as(CALLER, MESS, spool.drop_directory, *names)
    spool.start()
    is_alive(host, spool)
    spool.wait(lambda: spool.dropped() == sorted([names[8], "tree"]), "tidy drop")
    lines = spool.lines("removed from the drop: ")
    uid = pwd.getpwnam(CALLER).pw_uid
    assert all(f"uid={uid}, size=" in line for line in lines)
    for reason in (
        "not a queue id",
        "not a regular file",
        "Permission denied",
        "too large",
        "links",
    ):
        assert any(reason in line for line in lines), reason
    assert len(spool.wait_for_log("cannot be removed")) == 1
    assert not spool.lines("SECRET")
    assert not spool.lines("\x1b")
    is_alive(host, spool)
    assert spool.stop() == 0


def test_a_hard_link_to_a_secret(host: Host, spool: Spool) -> None:
    """Where the kernel allows such links: it is not read, and the secret stays what it was."""
    secret = spool.credentials / IDENTITY
    name = layout.new_queue_id()
    os.link(secret, spool.drop_directory / name)  # as root: no sysctl stands in the way
    before = secret.read_text()
    spool.start()
    spool.wait(lambda: spool.dropped() == [], "empty drop")
    assert "2 links" in spool.wait_for_log("removed from the drop")[0]
    assert secret.read_text() == before


LEASE = """
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
descriptor = os.open(sys.argv[1], os.O_WRONLY)
fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
sys.stdin.read()
"""

GROW = """
import os, sys
descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
os.write(descriptor, b"x" * 100)
print("grown", flush=True)
while os.write(descriptor, b"x") and os.fstat(descriptor).st_size < 8 << 20:
    pass
sys.stdin.read()
"""


@pytest.mark.parametrize("source", [LEASE, GROW])
def test_a_file_that_somebody_holds(host: Host, spool: Spool, source: str) -> None:
    """Under a lease, or growing: the daemon does not wait for it, and leaves it for later."""
    name = layout.new_queue_id()
    path = place(spool, CALLER, name, drop_file(name))
    with start_as(CALLER, source, path) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        spool.start()
        spool.wait_for_log("left in the drop for now")
        is_alive(host, spool)
        assert spool.dropped() == [name]
        holder.kill()
    assert spool.stop() == 0


def test_two_users_with_one_id(host: Host, spool: Spool) -> None:
    """The second is no leftover of the first: both are delivered, each as its owner's."""
    spool.start()
    name = layout.new_queue_id()
    for number, user in enumerate((CALLER, OTHER)):
        uid = pwd.getpwnam(user).pw_uid
        place(spool, user, name, drop_file(name, uid))
        ring(spool, name)
        (*_, sent) = spool.ses.state.wait_for_messages(number + 1)
        assert f"by {uid}".encode() in sent.raw
        spool.wait(lambda: spool.dropped() == [], "empty drop")
    spool.wait_for_log(f"dropped as {name}, which is another message's id")


FILL = """
import os, sys
os.chdir(sys.argv[1])
for number in range(int(sys.argv[2])):
    os.close(os.open(f"{number:028X}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640))
"""


def test_very_many_files(host: Host, spool: Spool) -> None:
    """A good mail is picked up by its name, before the junk around it is gone."""
    spool.start()
    spool.send(signal.SIGSTOP)
    run_as(OTHER, FILL, spool.drop_directory, JUNK)
    ring(spool, "anything that asks for a scan")
    send(host, spool)
    spool.send(signal.SIGCONT)
    spool.ses.state.wait_for_messages(1)
    spool.wait(lambda: spool.dropped() == [], "empty drop")
    (good,) = spool.wait_for_log("sesmail/pickup[")
    junk = spool.wait_for_log("removed from the drop", times=2)
    assert spool.log.index(good) < spool.log.index(junk[-1])
    assert len(junk) < JUNK / 10
    assert spool.stop() == 0


def test_a_flood_of_wakes(host: Host, spool: Spool) -> None:
    """Names that lead nowhere and garbage keep nobody's mail waiting."""
    spool.start()
    source = (
        "import os, sys\n"
        "descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)\n"
        "for number in range(20000):\n"
        "    try:\n"
        "        os.write(descriptor, b'%028X\\n../../etc/passwd\\n\\xff' % number)\n"
        "    except BlockingIOError:\n"
        "        pass\n"
    )
    run_as(OTHER, source, spool.directory / "wake")
    is_alive(host, spool)
    assert spool.stop() == 0


# Policy.


def test_a_uid_that_may_not(host: Host, spool: Spool) -> None:
    """No delivery and no DSN; a failed entry, a log line, and postmaster gets the summary."""
    spool.use_api("submitters = backup, games")
    protect(spool, IDENTITY)
    spool.settings(postmaster="pm@example.com")
    spool.start()
    send(host, spool, "-f", "sue@example.com", "bob@example.org")
    (line,) = spool.wait_for_log("status=bounced")
    uid = pwd.getpwnam(CALLER).pw_uid
    assert "to=<bob@example.org>, relay=none" in line
    assert f"user {uid} may not send as {IDENTITY}" in line
    send(host, spool, "alive@example.org", user=OTHER)
    (allowed,) = spool.ses.state.wait_for_messages(1)
    assert allowed.destinations == ["alive@example.org"]
    assert spool.stop() == 0
    assert spool.once() == 0  # what the daemon had to say at its end is sent by the next one
    summary = spool.ses.state.messages[1]
    assert summary.destinations == ["pm@example.com"]
    assert f"1 of uid {uid}: user {uid} may not send".encode() in summary.raw
    assert len(spool.ses.state.messages) == 2


def test_submitters_are_asked_when_the_file_can_be_read(host: Host, spool: Spool) -> None:
    """A drop that came while the credentials were broken is not let through by that."""
    spool.identity(IDENTITY, "no such key = 1")
    protect(spool, IDENTITY)
    spool.start()
    send(host, spool)
    spool.wait_for_log("held: all mail of the identity")
    spool.use_api("submitters = games")
    protect(spool, IDENTITY)
    (line,) = spool.wait_for_log("status=bounced")
    assert "may not send as" in line
    assert spool.ses.state.messages == []


def test_a_claim_that_does_not_match(host: Host, spool: Spool) -> None:
    """A drop made by hand cannot send through an identity that does not serve its author."""
    spool.use_api(identity="example.net")
    spool.ses.state.identities.add("example.net")
    protect(spool, "example.net")
    name = layout.new_queue_id()
    content = drop_file(name).replace(b"identity example.com", b"identity example.net")
    body = content[layout.LEADING_LENGTH :]
    place(spool, CALLER, name, layout.leading_line(name, len(body), crc32(body)) + body)
    spool.start()
    (line,) = spool.wait_for_log("status=bounced")
    assert "claims the identity example.net" in line
    assert spool.ses.state.messages == []
