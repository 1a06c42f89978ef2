"""zsh and fish complete sesmailctl's command line by the installed scripts; bash: tests/command."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.host import Host
from tests.spool import PATIENCE

FISH = "source $argv[1]; complete -C $argv[2]"


@pytest.fixture
def environ(host: Host) -> dict[str, str]:
    """An environment in which the installed sesmailctl is found, with two identities."""
    for name in ("example.com", "wiki@example.org"):
        host.identity(name, "region = us-east-1\n")
    path = f"{host.installed.prefix}/bin:/usr/bin:/bin"
    return host.environment({"PATH": path, "TERM": "dumb", "HOME": str(host.directory)})


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("sesmailctl se", ["setup"]),
        ("sesmailctl queue s", ["salvage", "show"]),
        ("sesmailctl import --from ms", ["msmtp"]),
        ("sesmailctl import --account ", []),
        ("sesmailctl import cred", ["credentials/"]),
        ("sesmailctl check ", ["example.com", "wiki@example.org"]),
        ("sesmailctl queue list --state h", ["held"]),
    ],
)
def test_fish(host: Host, environ: dict[str, str], line: str, offered: list[str]) -> None:
    """What fish offers, with its descriptions."""
    script = host.installed.prefix / "share/fish/vendor_completions.d/sesmailctl.fish"
    done = subprocess.run(
        ["fish", "--no-config", "-c", FISH, script, line],
        env=environ,
        cwd=host.directory,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert [row.partition("\t")[0] for row in done.stdout.splitlines()] == offered


@pytest.fixture
def zsh(host: Host, environ: dict[str, str]) -> Iterator[int]:
    """The terminal of an interactive zsh that knows the script."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        ["zsh", "-f", "-i"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environ | {"PS1": "$ "},
        cwd=host.directory,
        start_new_session=True,
    ) as process:
        os.close(slave)
        functions = host.installed.prefix / "share/zsh/site-functions"
        start = (
            f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D; print rea''dy\n"
        )
        os.write(master, start.encode())
        wait_for(master, b"ready")
        yield master
        process.kill()
    os.close(master)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (b"sesmailctl com\tb\t", b"bash "),
        (b"sesmailctl check wiki@\t", b"wiki@example.org "),
        (b"sesmailctl queue list --state=h\t", b"--state=held "),
        (b"sesmailctl import cred\t", b"credentials/"),
        (b"sesmailctl queue re\t\t", b"release what was held"),
    ],
)
def test_zsh(zsh: int, typed: bytes, shown: bytes) -> None:
    """What the tabulator puts into the line."""
    os.write(zsh, typed)
    wait_for(zsh, shown)


def wait_for(master: int, text: bytes) -> None:
    """Read a terminal until a text has come."""
    end = time.monotonic() + PATIENCE
    seen = b""
    while text not in seen:
        assert select.select([master], [], [], max(0.0, end - time.monotonic()))[0], seen
        seen += os.read(master, 4096)
