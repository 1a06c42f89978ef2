"""`sesmailctl completion`: what a real bash offers, from the script that `make install` made."""

from __future__ import annotations

import argparse
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sesmail.control import completion
from sesmail.control import main as control
from sesmail.control.command_tree import places
from sesmail.queue.store import Store
from tests.host import Host
from tests.processes import for_the_block
from tests.queue_entries import entry
from tests.spool import PATIENCE

SCRIPT = "share/bash-completion/completions/sesmailctl"
# As readline does: the line, and the word before and under the cursor.
COMPLETE = """
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
_sesmailctl sesmailctl
printf '%s\\n' "${COMPREPLY[@]}"
"""
VERBS = {verb for place in places(control.parser()) if not place.verbs for verb in place.following}

Complete = Callable[[str], set[str]]


@pytest.fixture
def environ(host: Host) -> dict[str, str]:
    """An environment in which the installed sesmailctl is found, with two identities."""
    for name in ("example.com", "wiki@example.org"):
        host.identity(name, "region = us-east-1\n")
    return host.environment({"PATH": f"{host.installed.prefix}/bin:/usr/bin:/bin"})


@pytest.fixture
def complete(host: Host, environ: dict[str, str]) -> Complete:
    """What bash offers at the end of a line."""

    def complete(line: str) -> set[str]:
        done = subprocess.run(
            ["bash", "--norc", "-c", COMPLETE, "bash", host.installed.prefix / SCRIPT, line],
            env=environ,
            cwd=host.directory,
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        return set(filter(None, done.stdout.split("\n")))

    return complete


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("sesmailctl ", VERBS),
        ("sesmailctl se", {"setup"}),
        ("sesmailctl queue s", {"show", "salvage"}),
        ("sesmailctl --v", {"--version"}),
        ("sesmailctl import --a", {"--apply", "--account"}),
        ("sesmailctl import --from ms", {"msmtp"}),
        ("sesmailctl import --from=ms", {"msmtp"}),
        ("sesmailctl import --account ", set()),
        ("sesmailctl import --domain e", {"example.com"}),
        ("sesmailctl check ", {"example.com", "wiki@example.org"}),
        ("sesmailctl check ex", {"example.com"}),
        ("sesmailctl check wiki@", {"example.org"}),
        ("sesmailctl queue list --state h", {"held"}),
        ("sesmailctl queue list --identity e", {"example.com"}),
        ("sesmailctl import cred", {"credentials"}),
        ("sesmailctl test example.com --to", {"--to"}),
        ("X=1 sesmailctl completion f", {"fish"}),
        ("sudo sesmailctl rem", {"remove"}),
        ("sesmailctl nonsense x", set()),
    ],
)
def test_what_bash_offers(complete: Complete, line: str, offered: set[str]) -> None:
    """Verbs, flags, their values, identities and files; nothing where nothing is known."""
    assert complete(line) == offered


def test_queue_ids(host: Host, complete: Complete) -> None:
    """What waits in the queue."""
    queue = host.directory / "spool/queue"
    queue.mkdir(parents=True)
    host.settings(user=Path(host.directory).owner())
    store = Store(str(queue))
    with store.transaction():
        added = store.add([entry(), entry()])
    store.close()
    assert complete("sesmailctl queue show ") == {one.queue_id for one in added}


def test_by_the_tabulator(host: Host, environ: dict[str, str]) -> None:
    """In an interactive bash, as it is typed."""
    master, slave = pty.openpty()
    bash = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environ | {"TERM": "dumb", "PS1": "$ ", "HOME": "/nonexistent", "HISTFILE": ""},
        start_new_session=True,
    )
    with for_the_block(bash):
        os.close(slave)
        os.write(master, f"source {host.installed.prefix / SCRIPT}; echo rea''dy\n".encode())
        wait_for(master, b"ready")
        os.write(master, b"sesmailctl com\tb\t")
        wait_for(master, b"sesmailctl completion bash ")
    os.close(master)


def wait_for(master: int, text: bytes) -> None:
    """Read a terminal until a text has come."""
    end = time.monotonic() + PATIENCE
    seen = b""
    while text not in seen:
        assert select.select([master], [], [], max(0.0, end - time.monotonic()))[0], seen
        seen += os.read(master, 4096)


@pytest.mark.parametrize(
    ("shell", "name"),
    [
        ("bash", SCRIPT),
        ("zsh", "share/zsh/site-functions/_sesmailctl"),
        ("fish", "share/fish/vendor_completions.d/sesmailctl.fish"),
    ],
)
def test_the_installed_script_is_the_printed_one(host: Host, shell: str, name: str) -> None:
    """It is made of the parser when it is installed."""
    result = host.run("completion", shell, name="sesmailctl")
    assert (result.exit_code, result.stderr) == (0, b"")
    assert (host.installed.prefix / name).read_text() == result.stdout.decode()
    assert result.stdout.decode() == completion.script(shell)
    assert not re.search("@[A-Z]+@", result.stdout.decode())


def test_each_verb_and_flag_is_there() -> None:
    """The tree is that of the parser."""
    found = {place.name: place for place in places(control.parser())}
    assert {"", "setup", "queue", "queue list", "events setup", "completion"} <= set(found)
    for place in found.values():
        assert all(f"{place.name} {verb}".strip() in found for verb in place.following)
    assert {flag.name for flag in found["init"].flags} == {"--help", "--json"}


def test_a_verb_without_help_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    """Its words are those of argparse, whatever it says of them."""
    parser = argparse.ArgumentParser()
    parser.add_subparsers().add_parser("quiet").add_argument("--it's", help="50%% of it's")
    top, inner = places(parser)
    assert top.following == {"quiet": ""}
    assert [(flag.name, flag.text) for flag in inner.flags][1] == ("--it's", "50% of it's")
    assert capsys.readouterr().out == ""
