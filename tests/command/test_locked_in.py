"""Callers in a unit of systemd that locks them in: made here of what systemd makes it of.

A mount namespace where the spool is read-only (ProtectSystem=strict), a user namespace that knows
root and the caller alone (PrivateUsers=), and no_new_privs (NoNewPrivileges=).
"""

from __future__ import annotations

import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator

import pytest

from tests import spool as spools
from tests.fakes.ses import SesServer
from tests.host import Host, Result
from tests.processes import for_the_block
from tests.spool import AUTHOR, RECIPIENT, Spool

pytestmark = pytest.mark.root
CALLER, OWNER = "www-data", "daemon"  # of the mail, of the spool
NO_NEW_PRIVILEGES, PRIVATE_USERS = "NoNewPrivileges=", "PrivateUsers="
MESSAGE = b"From: Bob <bob@elsewhere.example>\nTo: carol@example.org\n\nText.\n"
OURS = f"From: {AUTHOR}\nTo: {RECIPIENT}\n\nText.\n".encode()
_WAIT = 'echo ready; read -r go; exec "$@"'
_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool that is another user's than the caller."""
    with spools.of_another_user(host, ses, OWNER) as made:
        host.settings(real_sendmail=host.real_sendmail)
        yield made


def send(
    host: Host,
    message: bytes,
    *locks: str,
    read_only: Spool | None = None,
) -> Result:
    """Send a message as the caller, whose unit has these ``locks``."""
    caller = pwd.getpwnam(CALLER)
    command = ["setpriv", f"--reuid={caller.pw_uid}", f"--regid={caller.pw_gid}", "--clear-groups"]
    if NO_NEW_PRIVILEGES in locks:
        command.append("--no-new-privs")
    command += [str(host.installed.sendmail), "-t"]
    if PRIVATE_USERS in locks:
        command = ["unshare", "--user", "sh", "-c", _WAIT, "sh", *command]
    if read_only:
        place = str(read_only.directory)
        command = ["unshare", "--mount", "sh", "-c", _READ_ONLY, "sh", place, *command]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=host.environment(),
    )
    with for_the_block(process):
        assert process.stdin is not None
        assert process.stdout is not None
        if PRIVATE_USERS in locks:
            assert process.stdout.readline() == b"ready\n"
            for name, number in (("uid_map", caller.pw_uid), ("gid_map", caller.pw_gid)):
                with open(f"/proc/{process.pid}/{name}", "w") as file:
                    file.write(f"0 0 1\n{number} {number} 1\n")
            process.stdin.write(b"\n")
        stdout, stderr = process.communicate(message, timeout=60)
    return Result(process.returncode, stdout, stderr)


def test_a_read_only_spool_is_told(host: Host, spool: Spool) -> None:
    """73, and one line that names what the unit needs."""
    result = send(host, OURS, PRIVATE_USERS, NO_NEW_PRIVILEGES, read_only=spool)
    assert (result.exit_code, result.stdout) == (73, b"")
    assert result.stderr.count(b"\n") == 1
    assert f"the caller's unit needs ReadWritePaths={spool.directory}\n".encode() in result.stderr
    assert spool.dropped() == []


def test_a_caller_without_rights_drops(host: Host, spool: Spool) -> None:
    """The drop needs none: the daemon sees who the caller is, and reads the file by its group."""
    result = send(host, OURS, PRIVATE_USERS, NO_NEW_PRIVILEGES)
    assert result == Result(0, b"", result.stderr)
    (name,) = spool.dropped()
    status = (spool.drop_directory / name).stat()
    assert (status.st_uid, status.st_gid) == (
        pwd.getpwnam(CALLER).pw_uid,
        pwd.getpwnam(OWNER).pw_gid,
    )
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert spool.once() == 0
    assert len(spool.ses.state.messages) == 1


@pytest.mark.parametrize("lock", [NO_NEW_PRIVILEGES, PRIVATE_USERS])
@pytest.mark.parametrize("bit", [stat.S_ISUID, stat.S_ISGID])
def test_a_set_id_sendmail_is_not_run_without_its_rights(
    host: Host, spool: Spool, lock: str, bit: int
) -> None:
    """Postfix's would hang there: 69 and one line, and it is not run; elsewhere it is."""
    shutil.chown(host.real_sendmail, OWNER, OWNER)
    host.real_sendmail.chmod(0o755 | bit)
    result = send(host, MESSAGE, lock)
    assert (result.exit_code, result.stdout) == (69, b"")
    assert lock.encode() in result.stderr
    assert result.stderr.count(b"\n") == 1
    assert host.relayed == []
    host.real_sendmail.chmod(0o755)
    assert send(host, MESSAGE, lock).exit_code == 0
    host.real_sendmail.chmod(0o755 | bit)
    assert send(host, MESSAGE).exit_code == 0
    assert len(host.relayed) == 2
