"""A root that is laid out as Arch's, with pacman, and a small stand-in for Arch's postfix.

The programs below are Debian's: pacman is told that python and its packages are there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.installation import CHECKOUT
from tests.packages import base
from tests.packages.root import Done, Root

PYTHON = ("python", "python-boto3", "python-email-validator", "python-rich")
_DEBIAN = (
    "pacman-package-manager",
    "python3",
    "python3-boto3",
    "python3-email-validator",
    "python3-rich",
    "systemd-standalone-sysusers",
    "systemd-standalone-tmpfiles",
)
_PACMAN = "[options]\nArchitecture = any x86_64\nSigLevel = Never\nLocalFileSigLevel = Never\n"
# What Arch's package of systemd has for all others.
_HOOKS = {
    "20-systemd-sysusers": ("sysusers.d", "Creating system user accounts...", "systemd-sysusers"),
    "30-systemd-tmpfiles": (
        "tmpfiles.d",
        "Creating temporary files...",
        "systemd-tmpfiles --create",
    ),
}
_HOOK = """[Trigger]
Type = Path
Operation = Install
Operation = Upgrade
Target = usr/lib/{directory}/*.conf

[Action]
Description = {description}
When = PostTransaction
Exec = /usr/bin/{command}
"""
_PACKAGE = """pkgname={name}
pkgver={version}
pkgrel=1
arch=(any)
package() {{
    cd "$pkgdir"
    {commands}
}}
"""
_POSTFIX = """mkdir -p usr/bin
    printf '%s\\n' '#!/bin/sh' '# postfix {version}' 'cat >>/var/tmp/postfix' >usr/bin/sendmail
    chmod 755 usr/bin/sendmail
    ln -s sendmail usr/bin/mailq
    ln -s sendmail usr/bin/newaliases"""
_NOBODY = 65534


@dataclass(frozen=True)
class Packages:
    """What makepkg built."""

    sesmail: Path
    amazonses: Path


def build(directory: Path) -> Packages:
    """Build both packages into a directory, as an ordinary user."""
    made = subprocess.run([CHECKOUT / "packaging/dist"], capture_output=True, text=True, check=True)
    archive = Path(shutil.copy(CHECKOUT / made.stdout.strip(), directory))
    # That user may not be able to read the checkout.
    source = shutil.copytree(CHECKOUT / "packaging/ubos", directory / "ubos")
    _as_nobody(directory, source / "build", directory, archive)
    (sesmail,) = directory.glob("sesmail-*.pkg.*")
    (amazonses,) = directory.glob("amazonses-*.pkg.*")
    return Packages(sesmail, amazonses)


def postfix(directory: Path, version: str) -> Path:
    """Build the stand-in, whose sendmail appends to /var/tmp/postfix."""
    return stand_in(directory, "postfix", version, _POSTFIX.format(version=version))


def stand_in(directory: Path, name: str, version: str, commands: str) -> Path:
    """Build a package of what these commands of the shell make."""
    work = directory / f"{name}-{version}"
    work.mkdir()
    text = _PACKAGE.format(name=name, version=version, commands=commands)
    (work / "PKGBUILD").write_text(text)
    _as_nobody(work, "env", "--unset=LIBRARY", "makepkg", "--nodeps")  # as packaging/ubos/build
    (package,) = work.glob("*.pkg.*")
    return package


def _as_nobody(directory: Path, *words: str | Path) -> None:
    for path in (directory, *directory.rglob("*")):
        os.chown(path, _NOBODY, _NOBODY)
    done = subprocess.run(
        ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *words],
        cwd=directory,
        env=os.environ | {"HOME": str(directory)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def root() -> Root:
    """Return a root with /usr/sbin as a link to bin; it has no mail program."""
    made = Root(base.tree(*_DEBIAN))
    made.run("cp -an /usr/sbin/. /usr/bin/ && rm -r /usr/sbin && ln -s bin /usr/sbin")
    # By these a Debian would be recognised.
    made.run("rm /usr/bin/dpkg* /usr/bin/update-alternatives && rm -r /etc/alternatives")
    made.write("/etc/pacman.conf", _PACMAN)
    for name, (directory, description, command) in _HOOKS.items():
        text = _HOOK.format(directory=directory, description=description, command=command)
        made.write(f"/usr/share/libalpm/hooks/{name}.hook", text)
    return made


def pacman(root: Root, *words: str) -> Done:
    """Run pacman, which asks nothing."""
    there = [f"--assume-installed={name}" for name in PYTHON]
    return root.run(["pacman", "--noconfirm", *there, *words])
