"""A Debian of a test's own: a tree of `base`, in which everything may be installed and broken.

    with Root(base.tree("php-cli")) as root:
        root.install("postfix")
        root.install_deb(deb)
        root.run("sendmail bob@example.org", user="www-data", input=message)

Mount, PID, IPC and UTS namespaces of its own; what is written is written in memory, over the tree,
and gone with the root. The network is this host's, so loopback servers of the tests are in reach,
and no two roots can listen on one port. There is no init: services are started by hand, and
policy-rc.d keeps packages from starting theirs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.packages import base
from tests.packages.snapshot import Snapshot, take

Words = str | Sequence[str | Path]
Done = subprocess.CompletedProcess[str]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHARED = "/mnt"  # Root.shared, as it is seen inside; no part of a snapshot
_ENVIRON = {"PATH": PATH, "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
_UNSHARE = ["unshare", "--mount", "--propagation=unchanged", "--pid", "--ipc", "--uts", "--fork"]
_UNSHARE += ["--kill-child"]
# Arguments: a directory, the tree, the archives, what is shared, and yes if the tree changes.
# SIGCHLD is ignored by the first process, so that no daemon's child stays as a zombie. The tree
# becomes the root of the namespace, which may then have namespaces of users, where we are not in a
# chroot ourselves.
_START = """
set -e
directory=$1 tree=$2 archives=$3 shared=$4
root=$directory/root
mount --make-rprivate / 2>/dev/null || :
mount -t tmpfs -o mode=755 tmpfs "$directory"
mount --make-private "$directory"
cd "$directory"
mkdir root changes work archives archives-work
if [ "$5" ]; then
    mount --bind "$tree" root
    mount --bind "$archives" root/var/cache/apt/archives
else
    mount -t overlay -o "lowerdir=$tree,upperdir=changes,workdir=work" overlay root
    mount -t overlay -o "lowerdir=$archives,upperdir=archives,workdir=archives-work" overlay \
        root/var/cache/apt/archives
fi
mount -t proc proc root/proc
mount -t tmpfs -o mode=755 tmpfs root/dev
for device in null zero full random urandom tty; do
    : >"root/dev/$device"
    mount --bind "/dev/$device" "root/dev/$device"
done
mkdir root/dev/pts root/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts root/dev/pts
mount -t tmpfs -o mode=1777 tmpfs root/dev/shm
ln -s pts/ptmx root/dev/ptmx
for name in fd/0:stdin fd/1:stdout fd/2:stderr fd:fd; do
    ln -s "/proc/self/${name%:*}" "root/dev/${name#*:}"
done
mount --bind "$shared" root/mnt
hostname host.example.com
trap '' CHLD
cd root
if pivot_root . . 2>/dev/null; then umount --lazy .; fi
exec chroot . sh -c "echo ready; exec cat"
"""


class Root:
    """The root; `path` is its file system as seen from outside, for reading and writing.

    `shared` is a directory of this host's that is seen inside as /mnt. With is_changed the tree
    itself is written, and the cache of downloaded packages: that is how trees are made.
    """

    def __init__(self, tree: Path, *, is_changed: bool = False) -> None:
        assert os.geteuid() == 0, "roots are made of mounts: start these tests as root"
        self.tree = tree
        self._directory = Path(tempfile.mkdtemp(prefix="sesmail-root-"))
        self.shared = Path(tempfile.mkdtemp(prefix="sesmail-shared-"))
        self.shared.chmod(0o755)
        places = [self._directory, tree, base.ARCHIVES, self.shared]
        self._first = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", _START, "sh", *places, "yes" if is_changed else ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._first.stdout is not None
        assert self._first.stdout.readline() == b"ready\n", "no namespace: is this a container?"
        pid = self._first.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        self._pid = int(children.split()[0])
        self.path = Path(f"/proc/{self._pid}/root")
        self.write("/etc/resolv.conf", Path("/etc/resolv.conf").read_bytes())
        self.write("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 host.example.com host\n")
        self.write("/etc/hostname", "host.example.com\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._first.communicate(timeout=30)
        if self._directory.is_mount():  # in a chroot / is no mount, and stays shared
            subprocess.run(["umount", self._directory], check=True)
        self._directory.rmdir()
        shutil.rmtree(self.shared)

    # What runs in it.

    def words(self, command: Words, user: str = "root") -> list[str | Path]:
        """Return the command that runs this one inside, as this user; a string is the shell's."""
        argv = ["sh", "-c", command] if isinstance(command, str) else command
        enter = ["nsenter", f"--target={self._pid}", "--mount", "--pid", "--ipc", "--uts"]
        enter += ["--root", "--wd", "--"]
        if user != "root":
            enter += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
        return [*enter, *argv]

    def run(
        self,
        command: Words,
        user: str = "root",
        input: str | bytes = "",
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = 600,
    ) -> Done:
        """Run a command to its end. With check, one that fails is a failed assertion."""
        data = input.encode() if isinstance(input, str) else input
        done = subprocess.run(
            self.words(command, user),
            input=data,
            capture_output=True,
            env=self._environ(env),
            cwd="/",
            timeout=timeout,
        )
        stdout, stderr = (
            text.decode("utf-8", "backslashreplace") for text in (done.stdout, done.stderr)
        )
        if check:
            text = f"{command} ended with {done.returncode}\n{stdout[-6000:]}\n{stderr[-6000:]}"
            assert done.returncode == 0, text
        return Done(done.args, done.returncode, stdout, stderr)

    def start(
        self,
        command: Words,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a server inside. It ends with the root, if nobody ends it before."""
        return subprocess.Popen(
            self.words(command, user),
            env=self._environ(env),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )

    def _environ(self, env: Mapping[str, str] | None) -> dict[str, str]:
        return _ENVIRON | base.proxies() | dict(env or {})

    # Packages.

    def install(self, *packages: str) -> Done:
        """Install Debian's packages, without what they recommend."""
        base.fetch(self.tree, *packages)
        return self.apt_get("install", *packages)

    def install_deb(self, *debs: Path, words: Sequence[str] = ()) -> Done:
        """Install packages that are files of this host, and what they depend on."""
        return self.apt_get("install", *words, *self.share(*debs))

    def apt_get(self, *words: str, check: bool = True) -> Done:
        """Run apt-get, which asks nothing."""
        return self.run([*base.APT_GET, *words], check=check)

    def share(self, *files: Path) -> list[str]:
        """Show files of this host inside; return their names there."""
        for file in files:
            shutil.copy(file, self.shared)
        return [f"{SHARED}/{file.name}" for file in files]

    # Files.

    def inside(self, path: str) -> Path:
        """Return where a file of the root is seen from outside. Its absolute links lead astray."""
        return self.path / path.lstrip("/")

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return self.inside(path).read_text()

    def write(
        self,
        path: str,
        text: str | bytes,
        mode: int = 0o644,
        owner: str = "root",
        group: str = "root",
    ) -> None:
        """Write a file, and make the directories above it; it takes an old one's place."""
        file = self.inside(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        file.chmod(mode)
        if (owner, group) != ("root", "root"):
            self.run(["chown", f"{owner}:{group}", path])

    def snapshot(self) -> Snapshot:
        """Take down all files: see snapshot.difference()."""
        return take(self.path)
