"""A Debian host of its own inside this one, for real mail programs at their real paths.

A mount and PID namespace whose root is this host's under an overlay on a tmpfs: Postfix, PHP and
MediaWiki come from this host's packages, but what is written (settings, queues, /usr/sbin/sendmail)
stays inside. The network is shared, so loopback servers of the tests are in reach. All lives as
long as the standard input of its first process is open; the last process goes with the first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PACKAGES = {  # what has to be there, and the Debian package that brings it
    "/usr/bin/php8.2": "php-cli",
    "/usr/sbin/php-fpm8.2": "php-fpm",
    "/usr/lib/php/20220829/pdo_sqlite.so": "php-sqlite3",
    "/usr/share/mediawiki/maintenance/install.php": "mediawiki",
    "/usr/sbin/postfix": "postfix",
    "/usr/bin/msmtp": "msmtp",
    "/usr/bin/unshare": "util-linux",
    "/usr/lib/nagios/plugins/check_mailq": "monitoring-plugins-standard",
}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_UNSHARE = ["unshare", "--mount", "--propagation=unchanged", "--pid", "--fork", "--kill-child"]
# In a chroot / is no mount and stays shared; then the tmpfs is seen outside, but nothing below it.
_START = """
set -e
mount --make-rprivate / 2>/dev/null || :
mount -t tmpfs -o mode=755 tmpfs "$1"
mount --make-private "$1"
mkdir "$1/root" "$1/changes" "$1/work"
mount -t overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" overlay "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mkdir -p "$1/root$2"
mount --bind "$2" "$1/root$2"
exec chroot "$1/root" sh -c "echo ready; exec cat"
"""


class Machine:
    """The namespace, its overlay in `directory`; `shared` is seen inside under the same name.

    `root` is its file system as seen from outside, for reading and writing.
    """

    def __init__(self, directory: Path, shared: Path) -> None:
        missing = sorted({name for path, name in PACKAGES.items() if not os.path.exists(path)})
        assert not missing, "apt-get install --no-install-recommends " + " ".join(missing)
        assert os.geteuid() == 0, "these tests run programs as www-data: start them as root"
        self._directory = directory
        self._first = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", _START, "sh", str(directory), str(shared)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._first.stdout is not None
        assert self._first.stdout.readline() == b"ready\n", "no namespace: is this a container?"
        self._pid = _child(self._first.pid)
        self.root = Path(f"/proc/{self._pid}/root")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._first.communicate(timeout=30)
        if self._directory.is_mount():
            subprocess.run(["umount", self._directory], check=True)

    def words(self, argv: Sequence[str], user: str = "www-data") -> list[str]:
        """The command that runs argv inside as this user."""
        enter = ["nsenter", f"--target={self._pid}", "--mount", "--pid", "--root", "--wd", "--"]
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
        return [*enter, *become, *argv]

    def run(
        self,
        argv: Sequence[str],
        user: str = "www-data",
        stdin: bytes = b"",
        environ: Mapping[str, str] | None = None,
        check: bool = False,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run argv inside to its end, at most 100 seconds."""
        result = subprocess.run(
            self.words(argv, user),
            input=stdin,
            capture_output=True,
            env={"PATH": PATH, "LANG": "C.UTF-8"} | dict(environ or {}),
            cwd="/",
            timeout=100,
        )
        if check:
            assert result.returncode == 0, (argv, result.stdout[-4000:], result.stderr[-4000:])
        return result

    def start(self, argv: Sequence[str], user: str = "www-data") -> subprocess.Popen[bytes]:
        """Start a server inside; the caller stops it, at the latest the end of the machine does."""
        environ = {"PATH": PATH, "LANG": "C.UTF-8"}
        return subprocess.Popen(self.words(argv, user), env=environ, cwd="/")

    def write(self, path: str, text: str | bytes, mode: int = 0o644, group: str = "root") -> None:
        """Write a file, root's, and the directories above it."""
        inside = self.root / path.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.unlink(missing_ok=True)
        inside.write_bytes(text.encode() if isinstance(text, str) else text)
        shutil.chown(inside, "root", group)
        inside.chmod(mode)


def _child(parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    return int(children.read_text().split()[0])
