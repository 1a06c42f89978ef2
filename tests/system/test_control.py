"""mailq and `sendmail -q`, by root and by others, where sesmaild runs and where it does not."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sesmail.queue.store import Store
from sesmail.sysexits import EX_NOPERM
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.processes import for_the_block
from tests.queue_entries import entry
from tests.spool import IDENTITY, Spool, of_another_user

DAEMON = "backup"  # stands in for the user sesmail
CALLER = "www-data"
OTHER = "games"
MANY = 5_000  # entries; by hand it was tried with 100,000
MOST_MEMORY = 50 << 10  # KiB of address space, more than what is resident
FLOOD = """
import socket, sys
clients = []
for _ in range(50):
    client = socket.socket(socket.AF_UNIX)
    client.connect(sys.argv[1])
    clients.append(client)
ends = 0
for client in clients[4:]:
    ends += client.recv(1) == b""
print(ends, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool of another user, the host's settings leading to it."""
    with of_another_user(host, ses, DAEMON) as spool:
        yield spool


def submit(host: Host, user: str | None) -> None:
    """Drop a message as a user."""
    message = b"From: wiki@example.com\nSubject: hello\n\nhello\n"
    result = host.run("-odq", "bob@example.org", stdin=message, user=user)
    assert (result.exit_code, result.stderr) == (0, b"")


def senders_and_sum(listing: bytes) -> tuple[int, str]:
    """Return how many entries mailq listed, and its last line."""
    lines = listing.decode("ascii").splitlines()
    return sum(bool(re.match("[0-9A-F]{28}", line)) for line in lines), lines[-1]


@pytest.mark.root
def test_who_sees_what(host: Host, spool: Spool) -> None:
    """Root, the daemon's user and members of its group see all; others their own, and the sum."""
    spool.identity(IDENTITY, "aws_access_key_id = AKIAIOSFODNN7EXAMPLE")  # held
    for user in (None, CALLER, CALLER):
        submit(host, user)
    spool.start()
    spool.wait(lambda: len(spool.waiting()) == 3, "entries")
    group = pwd.getpwnam(DAEMON).pw_gid
    member = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", f"--groups={group}"]
    listing = subprocess.run(
        [*member, host.installed.command("mailq")],
        env=host.environment(),
        capture_output=True,
        check=True,
    ).stdout
    total = "-- 1 Kbytes in 3 Requests."
    assert senders_and_sum(listing) == (3, total)
    for user, number in ((None, 3), (DAEMON, 3), (CALLER, 2), (OTHER, 0)):
        result = host.run("-bp", user=user)
        assert (result.exit_code, result.stderr) == (0, b"")
        assert senders_and_sum(result.stdout) == (number, total), user


@pytest.mark.root
def test_q_has_all_tried_now(host: Host, spool: Spool) -> None:
    """For root what was put off is tried at once; for another user only the drop is looked at."""
    spool.settings(minimal_backoff="1h")
    spool.ses.script("service-unavailable", 1)
    spool.start()
    spool.drop("first@example.org")
    spool.wait_for_log("status=deferred")
    spool.drop("second@example.org", ring=False)
    result = host.run("-q", user=CALLER)
    assert (result.exit_code, result.stdout, result.stderr) == (0, b"", b"")
    spool.ses.state.wait_for_messages(1)
    assert [one.destinations for one in spool.ses.state.messages] == [["second@example.org"]]
    assert host.run("-q").exit_code == 0
    spool.ses.state.wait_for_messages(2)


@pytest.mark.root
def test_q_makes_a_pass_where_no_daemon_runs(host: Host, spool: Spool) -> None:
    """Root's -q delivers what waits, then runs the real one; the spool stays its user's."""
    host.settings(real_sendmail=host.real_sendmail)
    submit(host, CALLER)
    result = host.run("-q30m")
    assert result.exit_code == 0
    assert len(spool.ses.state.messages) == 1
    assert [call.argv for call in host.relayed] == [[b"sendmail", b"-q30m"]]
    owners = {path.stat().st_uid for path in spool.queue_directory.iterdir()}
    assert owners == {pwd.getpwnam(DAEMON).pw_uid}


@pytest.mark.root
def test_q_of_those_who_may_not(host: Host, spool: Spool) -> None:
    """Where no daemon runs others cannot take its place: 77; the real one is run all the same."""
    host.settings(real_sendmail=host.real_sendmail)
    submit(host, CALLER)
    result = host.run("-q", user=CALLER)
    assert result.exit_code == EX_NOPERM
    assert result.stderr.count(b"\n") == 1
    assert len(host.relayed) == 1
    assert spool.dropped() != []


@pytest.mark.root
def test_a_user_with_many_connections(host: Host, spool: Spool) -> None:
    """Four at a time are kept, silent as they are; others are answered and mail goes out."""
    spool.start()
    become = ["setpriv", f"--reuid={CALLER}", f"--regid={CALLER}", "--clear-groups"]
    process = subprocess.Popen(
        [*become, "/usr/bin/python3", "-IS", "-c", FLOOD, spool.directory / "control"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with for_the_block(process) as flood:
        assert flood.stdout is not None
        assert flood.stdout.readline() == b"46\n"
        refused = host.run("-bp", user=CALLER)
        assert (refused.exit_code, refused.stderr.count(b"\n")) == (69, 1)
        for user in (None, OTHER):
            assert host.run("-bp", user=user).exit_code == 0
        spool.drop("bob@example.org")
        spool.ses.state.wait_for_messages(1)
        flood.communicate()
    assert spool.stop() == 0


@pytest.mark.root
def test_somebody_else_s_socket(host: Host, spool: Spool) -> None:
    """Root tells nothing to a stranger who listens in the daemon's place."""
    path = spool.directory / "run" / "control"
    reader = os.open(spool.directory / "wake", os.O_RDWR | os.O_NONBLOCK)
    listen = (
        "import socket, sys\n"
        "server = socket.socket(socket.AF_UNIX)\nserver.bind(sys.argv[1])\nserver.listen()\n"
        "print(flush=True)\nprint(server.accept()[0].recv(10))"
    )
    path.parent.chmod(0o777)
    become = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]
    process = subprocess.Popen(
        [*become, "/usr/bin/python3", "-IS", "-c", listen, path], stdout=subprocess.PIPE
    )
    with for_the_block(process) as stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        result = host.run("-bp")
        assert stranger.stdout.read() == b"b''\n"
    os.close(reader)
    assert result.exit_code == 69
    assert b"somebody else" in result.stderr


@pytest.mark.root
def test_mailq_streams(host: Host, spool: Spool) -> None:
    """Thousands of entries pass through in little memory, and all of them arrive."""
    spool.identity(IDENTITY, "aws_access_key_id = AKIAIOSFODNN7EXAMPLE")  # held
    with closing(Store(str(spool.queue_directory))) as store, store.transaction():
        store.add([entry(f"r{number}@example.org") for number in range(MANY)])
    _give(spool.queue_directory)
    spool.start()
    limited: list[str | Path] = [
        "sh",
        "-c",
        f'ulimit -v {MOST_MEMORY} && exec "$0"',
        host.installed.command("mailq"),
    ]
    done = subprocess.run(limited, env=host.environment(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode("ascii").splitlines()
    assert lines[-1].endswith(f" in {MANY} Requests.")
    assert sum(line.lstrip().startswith("r") for line in lines) == MANY


@pytest.mark.root
def test_the_recipe_for_containers(host: Host, spool: Spool) -> None:
    """Without systemd: init, then the daemon, started by root or by its user; both can be asked."""
    host.settings(spool_directory=host.directory / "spool")
    assert host.run("init", name="sesmailctl").exit_code == 0
    daemon = str(host.installed.command("sesmaild"))
    become = ["setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups", daemon]
    for command in ([daemon], become):
        process = subprocess.Popen(
            [*command, "--stderr"], env=host.environment(), stderr=subprocess.PIPE
        )
        with for_the_block(process):
            assert process.stderr is not None
            assert b"sesmaild is ready" in process.stderr.readline()
            assert _owner(process.pid) == pwd.getpwnam(DAEMON).pw_uid
            result = host.run("-bp", user=OTHER)
            process.terminate()
            rest = process.stderr.read()
            process.wait()
        assert (process.returncode, result.exit_code) == (0, 0), rest
        assert b"control" not in rest
        assert result.stdout == b"Mail queue is empty\n"


def _owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def _give(directory: Path) -> None:
    user = pwd.getpwnam(DAEMON)
    for path in directory.iterdir():
        os.chown(path, user.pw_uid, user.pw_gid)
