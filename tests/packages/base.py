"""Trees of Debian 12 for the roots of these tests, kept for a day in .cache/roots.

    .cache/roots/DAY/bare       what mmdebstrap's minbase has, and apt's lists
    .cache/roots/DAY/HASH       that and some packages
    .cache/roots/archives       packages that were downloaded

apt's sources and its settings of the network are this host's. Kept for a day only, for packages
that the lists name go from the mirrors.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.installation import CHECKOUT

SUITE = "bookworm"
ROOTS = CHECKOUT / ".cache" / "roots"
ARCHIVES = ROOTS / "archives"
APT_GET = ("apt-get", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0")
# Where a package would start a daemon, it does not: ports of this host are those of the roots.
_POLICY = "#!/bin/sh\nexit 101\n"


def tree(*packages: str) -> Path:
    """Return the tree that has these packages, made if there is none of today; for reading."""
    with _locked():
        day = _today()
        bare = day / "bare"
        if not bare.exists():
            _make_bare(bare)
        if not packages:
            return bare
        path = day / hashlib.sha256(" ".join(sorted(packages)).encode()).hexdigest()[:12]
        if not path.exists():
            new = path.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            _run("cp", "-a", "--reflink=auto", bare, new)
            _apt_get(new, "install", *packages)
            new.rename(path)
        return path


def fetch(below: Path, *packages: str) -> None:
    """Download what apt-get would install in this tree for these packages, once."""
    with _locked():
        words = " ".join([below.name, *sorted(packages)])
        mark = _today() / ("fetched-" + hashlib.sha256(words.encode()).hexdigest()[:12])
        if not mark.exists():
            _apt_get(below, "--download-only", "install", *packages)
            mark.touch()


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Keep other test processes out."""
    ROOTS.mkdir(parents=True, exist_ok=True)
    (ARCHIVES / "partial").mkdir(parents=True, exist_ok=True)
    with open(ROOTS / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _today() -> Path:
    """Return the directory of today; those of other days go."""
    today = ROOTS / datetime.date.today().isoformat()
    if not today.exists():
        for old in ROOTS.glob("????-??-??"):
            shutil.rmtree(old)
        today.mkdir()
    return today


def _make_bare(path: Path) -> None:
    new = path.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    # apt in the root is to reach the network as this host's does.
    network = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    options = [f"--aptopt={line}" for line in network.stdout.splitlines() if "Acquire::" in line]
    options += ["--variant=minbase", "--format=directory", "--quiet"]
    # Packages stay in the cache of all roots, and the lists in the tree.
    options += ["--skip=cleanup/apt/lists", "--skip=check/empty"]
    _run("mmdebstrap", *options, SUITE, new, *_sources())
    policy = new / "usr/sbin/policy-rc.d"
    policy.write_text(_POLICY)
    policy.chmod(0o755)
    new.rename(path)


def _sources() -> list[Path]:
    """Return the files of apt's sources that are Debian's."""
    directory = Path("/etc/apt")
    files = [directory / "sources.list", *sorted(directory.glob("sources.list.d/debian*.sources"))]
    return [path for path in files if path.exists()]


def _apt_get(below: Path, *words: str) -> None:
    """Run apt-get in a tree, which is changed; packages come from and stay in the cache."""
    from tests.packages.root import Root  # it starts from a tree

    with Root(below, is_changed=True) as root:
        root.run([*APT_GET, *words], env={"DPKG_FORCE": "unsafe-io"})


def _run(*words: str | Path) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


def proxies() -> dict[str, str]:
    """Return what in the environment says how to reach the network."""
    names = ("http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in names if name in os.environ}
