"""The image of packaging/container, built once, and containers of it.

buildah makes it (vfs, chroot isolation). `buildah run` cannot make the root read-only, so the
containers are namespaces of our own over what it built: mounts and processes apart, the network
the caller's, the program process 1, and nothing can be written but the spool, if there is one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.installation import CHECKOUT
from tests.packages import base

_WHEELS = CHECKOUT / ".cache" / "wheels"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Arguments: directory, tree, uid, directory of mounts, and the program.
_START = """
set -e
root=$1 tree=$2 uid=$3 mounts=$4
shift 4
mount --make-rprivate /
mount --bind "$tree" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount --bind "$mounts/credentials" "$root/etc/sesmail/credentials"
mount -o remount,bind,ro "$root/etc/sesmail/credentials"
if [ -d "$mounts/spool" ]; then mount --bind "$mounts/spool" "$root/var/spool/sesmail"; fi
if [ -e "$mounts/hosts" ]; then mount --bind "$mounts/hosts" "$root/etc/hosts"; fi
if [ -e "$mounts/ca.pem" ]; then
    for bundle in "$root"/usr/lib/sesmail/.venv/lib/python3*/site-packages/botocore/cacert.pem; do
        mount --bind "$mounts/ca.pem" "$bundle"
    done
fi
mount --bind "$mounts/shared" "$root/mnt"
mount -o remount,bind,ro "$root/mnt"
if [ "$uid" = 0 ]; then exec chroot "$root" "$@"; fi
exec chroot --userspec="$uid:$uid" --groups="$GROUP" "$root" "$@"
"""


class Image:
    """The built image; `tree` is its root, for reading. All is in the directory."""

    def __init__(self, directory: Path) -> None:
        self._buildah = ["buildah", "--storage-driver", "vfs"]
        self._buildah += ["--root", str(directory / "storage"), "--runroot", str(directory / "run")]
        bare = self._run("from", "scratch")
        self._run("add", "-q", bare, base.tree(), "/")
        self._run("commit", "-q", bare, "localhost/base")
        source = directory / "source"
        archive = subprocess.run([CHECKOUT / "packaging/dist"], capture_output=True, text=True)
        assert archive.returncode == 0, archive.stderr
        source.mkdir()
        packed = CHECKOUT / archive.stdout.strip()
        tar: list[str | Path] = ["tar", "xzf", packed, "-C", source, "--strip=1"]
        subprocess.run(tar, check=True)
        shutil.copytree(_WHEELS, source / "wheels")
        dockerfile = source / "packaging/container/Dockerfile"
        options = ["--isolation", "chroot", "--network", "host", "-t", "sesmail-web"]
        options += ["--build-arg", "BASE=localhost/base", "--build-arg", "PIP_NO_INDEX=1"]
        options += ["--build-arg", "PIP_FIND_LINKS=/source/wheels"]
        self._run("bud", *options, "-f", dockerfile, source)
        self.tree = Path(self._run("mount", self._run("from", "localhost/sesmail-web")))

    def _run(self, *words: str | Path) -> str:
        done = subprocess.run([*self._buildah, *words], capture_output=True, text=True)
        assert done.returncode == 0, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout.strip()


class Container:
    """One container, gone with its files. `shared` is seen inside as /mnt."""

    def __init__(self, image: Image, *, has_spool: bool = False) -> None:
        self._image = image
        self._root = Path(tempfile.mkdtemp(prefix="sesmail-container-"))
        self.mounts = Path(tempfile.mkdtemp(prefix="sesmail-mounts-"))
        self.mounts.chmod(0o755)
        for name in ("credentials", "shared", *(("spool",) if has_spool else ())):
            (self.mounts / name).mkdir()
        self._process: subprocess.Popen[str] | None = None
        self.shared = self.mounts / "shared"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()  # and with unshare goes all that is inside
            self._process.communicate()
        self._root.rmdir()
        shutil.rmtree(self.mounts)

    def secret(self, text: str, mode: int, gid: int = 0, uid: int = 0) -> None:
        """Mount a secret as Kubernetes does: a link to ..data/NAME, and that one to a directory."""
        name = "example.com"
        volume = self.mounts / "credentials"
        version = volume / "..2026_11_24_10_00_00.123456789"
        version.mkdir()
        (version / name).write_text(text)
        os.chown(version / name, uid, gid)
        (version / name).chmod(mode)
        (volume / "..data").symlink_to(version.name)
        (volume / name).symlink_to(f"..data/{name}")

    def dropped(self) -> list[Path]:
        """Return the messages in the drop."""
        return list((self.mounts / "spool/drop").iterdir())

    def start(
        self,
        *words: str,
        uid: int = 0,
        group: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a program as process 1."""
        unshare = ["unshare", "--mount", "--propagation=unchanged", "--pid", "--fork"]
        unshare += ["--kill-child", "sh", "-c", _START, "sh"]
        environ = {"PATH": _PATH, "LANG": "C.UTF-8", "GROUP": str(uid if group is None else group)}
        self._process = subprocess.Popen(
            [*unshare, self._root, self._image.tree, str(uid), self.mounts, *words],
            env=environ | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self._process


def tell(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal to process 1 of a container, which unshare waits for."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    os.kill(int(children.split()[0]), number)


def finish(process: subprocess.Popen[str], seconds: float = 75) -> tuple[int, str]:
    """Wait for the end of a container within the stop time; its code and what it said."""
    stdout, stderr = process.communicate(timeout=seconds)
    return process.returncode, stdout + stderr
