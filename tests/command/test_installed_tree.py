"""`make install` and `make uninstall`: what is there, who may run it, and what is left alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sesmail import VERSION
from tests.host import Host
from tests.installation import CHECKOUT, PYTHON, Installation, make

LIBRARY = "lib/sesmail"
SHOW = """\
import sys

def main(argv, library):
    print(sys.flags, argv[0], library, flush=True)
    return 0

def execute(library, part, words, environ):
    print(sys.flags, sys.argv[0], library)
"""
CONSTANTS = """\
DAEMON = CONTROL = ""
DAEMON_VARIABLES = CONTROL_VARIABLES = ()

def environment(caller, names):
    return {}

def control_environment(caller):
    return {}
"""
COMMANDS = {
    "bin/sesmail": None,
    "bin/sesmailctl": None,
    "sbin/sesmaild": None,
    "bin/mailq": "sesmail",
    "bin/newaliases": "sesmail",
    "sbin/sendmail": "../bin/sesmail",
}
DOCUMENTS = (
    *("LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    "hardened-caller.conf",
    *(str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "docs").rglob("*.*")),
)
COMPLETIONS = {
    "share/bash-completion/completions/sesmailctl",
    "share/zsh/site-functions/_sesmailctl",
    "share/fish/vendor_completions.d/sesmailctl.fish",
}
UNITS = {
    "lib/systemd/system/sesmaild.service",
    "lib/sysusers.d/sesmail.conf",
    "lib/tmpfiles.d/sesmail.conf",
}


def files(directory: Path) -> set[str]:
    """Return the names of all files and links below a directory."""
    return {
        str(Path(parent, name).relative_to(directory))
        for parent, folders, names in os.walk(directory)
        for name in [*names, *(folder for folder in folders if Path(parent, folder).is_symlink())]
    }


def modules(directory: Path) -> set[str]:
    """Return the Python files of a package."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*.py")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DESTDIR/usr after `make install DESTDIR=... PREFIX=/usr` under a tight umask: for reading."""
    directory = tmp_path_factory.mktemp("built")
    before = os.umask(0o077)
    try:
        done = make("install", f"DESTDIR={directory}", "PREFIX=/usr")
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return directory / "usr"


@pytest.fixture
def staged(built: Path, tmp_path: Path) -> Path:
    """That tree once more, for tests that add and remove files: the files are hard links."""
    shutil.copytree(built, tmp_path / "usr", symlinks=True, copy_function=os.link)
    return tmp_path / "usr"


def test_the_tree_holds_what_the_contract_says(built: Path) -> None:
    """Commands, manual, licence and library, and nothing else; every user may read them."""
    outside = {name for name in files(built) if not name.startswith(LIBRARY)}
    pages = {f"share/man/man{page.name[-1]}/{page.name}" for page in (CHECKOUT / "man").iterdir()}
    documents = {f"share/doc/sesmail/{name}" for name in DOCUMENTS}
    commands = [built / name for name in COMMANDS]
    assert pages
    assert outside == {*COMMANDS, *COMPLETIONS, *UNITS, *pages, *documents}
    assert modules(built / LIBRARY / "sesmail") == modules(CHECKOUT / "sesmail")
    assert "MIT License" in (built / "share/doc/sesmail/LICENSE").read_text()
    for path in built.rglob("*"):
        wanted = 0o755 if path.is_dir() or path in commands else 0o644
        assert path.is_symlink() or path.stat().st_mode & wanted == wanted, path


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.endswith(".md")])
def test_links_between_the_installed_documents_lead_somewhere(built: Path, name: str) -> None:
    """To each other: the source is not there."""
    page = built / "share/doc/sesmail" / name
    links = re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_commands_are_links_to_one_file(built: Path) -> None:
    """sendmail, mailq and newaliases are relative links to sesmail, fit for any DESTDIR."""
    for name, target in COMMANDS.items():
        path = built / name
        assert (os.readlink(path) if path.is_symlink() else None) == target


def test_nothing_in_the_tree_names_the_staging_directory(built: Path) -> None:
    """First line, library, environment and byte code hold the final PREFIX, never DESTDIR."""
    for name in ("bin/sesmail", "bin/sesmailctl", "sbin/sesmaild"):
        lines = (built / name).read_text().splitlines()
        assert lines[0] == f"#!{PYTHON} -IS"
        assert 'LIBRARY = "/usr/lib/sesmail"' in lines
    for name in files(built):
        path = built / name
        assert path.is_symlink() or str(built).encode() not in path.read_bytes(), name


def test_byte_code_is_compiled(built: Path) -> None:
    """Each module of ours and of the environment has byte code, not tied to times of files."""
    library = built / LIBRARY
    sources = sorted(library.rglob("*.py"))
    ours = {path.relative_to(CHECKOUT) for path in (CHECKOUT / "sesmail").rglob("*.py")}
    assert ours <= {source.relative_to(library) for source in sources}
    for source in sources:
        (code,) = source.parent.glob(f"__pycache__/{source.stem}.*.pyc")
        assert code.read_bytes()[4:8] == b"\1\0\0\0"  # PEP 552: by hash, unchecked


@pytest.mark.venv
def test_the_environment_holds_the_pinned_list_only(built: Path) -> None:
    """What is pinned is installed, and nothing besides: no pip, no commands but python."""
    pinned = {
        line.split()[0].replace("==", "-").replace("-", "_").lower()
        for line in (CHECKOUT / "packaging" / "requirements.lock").read_text().splitlines()
        if "==" in line
    }
    found = {
        path.stem.replace("-", "_").lower()
        for path in (built / LIBRARY).glob(".venv/lib/python*/site-packages/*.dist-info")
    }
    assert found == pinned
    assert len(pinned) >= 2
    names = {path.name.rstrip("0123456789.") for path in (built / LIBRARY / ".venv/bin").iterdir()}
    assert names == {"python"}


def test_every_command_starts_isolated(installed: Installation, tmp_path: Path) -> None:
    """The first line that install wrote gives -IS to each command, which a hostile caller needs.

    A library that shows ``sys.flags`` takes the place of ours; argv[0] is the name it was run by.
    """
    shutil.copytree(installed.prefix / "bin", tmp_path / "bin", symlinks=True)
    shutil.copytree(installed.prefix / "sbin", tmp_path / "sbin", symlinks=True)
    library = tmp_path / LIBRARY
    (library / "sesmail/submission").mkdir(parents=True)
    (library / "sesmail/submission/main.py").write_text(SHOW)
    (library / "sesmail/launch.py").write_text(CONSTANTS + SHOW)
    for name in ("bin/sesmail", "bin/sesmailctl", "sbin/sesmaild"):
        command = tmp_path / name
        command.write_text(command.read_text().replace(str(installed.prefix), str(tmp_path)))
    hostile = {"PYTHONPATH": "/tmp", "PYTHONSTARTUP": "/tmp/x", "PYTHONINSPECT": "1"}
    for name in COMMANDS:
        done = subprocess.run([tmp_path / name], env=hostile, capture_output=True, text=True)
        assert done.stderr == ""
        assert "isolated=1" in done.stdout
        assert "no_site=1" in done.stdout
        assert "ignore_environment=1" in done.stdout
        assert "safe_path=True" in done.stdout
        assert done.stdout.endswith(f" {tmp_path / name} {library}\n")


@pytest.mark.venv
def test_the_delivery_half_runs_in_the_installed_environment(installed: Installation) -> None:
    """Its Python has the pinned SDK, and runs the library beside it, wherever it is started."""
    python = installed.library / ".venv/bin/python3"
    code = "import boto3, email_validator, rich; print(boto3.__file__)"
    done = isolated([python, "-I", "-c", code])
    assert done.stderr == ""
    assert done.stdout.startswith(f"{installed.library}/.venv/lib/")
    done = isolated([installed.command("sesmailctl"), "--version"])
    assert done.stdout == f"sesmail {VERSION}\n"


def isolated(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a command in an empty environment."""
    return subprocess.run(command, cwd="/", env={}, capture_output=True, text=True)


def test_a_distribution_brings_the_packages_itself(tmp_path: Path) -> None:
    """VENV=none fetches nothing and makes no environment: PYTHON runs the delivery half."""
    places = ("PREFIX=/usr", "LIBRARY=/usr/share/sesmail", "SYSCONFDIR=/opt/e", "LOCALSTATEDIR=/v")
    done = make("install", f"DESTDIR={tmp_path}", *places, "VENV=none", PIP_FIND_LINKS="/nowhere")
    assert done.returncode == 0, done.stderr
    library = tmp_path / "usr/share/sesmail"
    assert files(library / ".venv") == {"bin/python3"}
    assert os.readlink(library / ".venv/bin/python3") == PYTHON
    assert not (tmp_path / "usr/lib/sesmail").exists()
    for name in ("bin/sesmail", "bin/sesmailctl", "sbin/sesmaild"):
        text = (tmp_path / "usr" / name).read_text()
        assert 'LIBRARY = "/usr/share/sesmail"' in text
    for name in files(tmp_path):
        path = tmp_path / name
        if not path.is_symlink() and path.suffix != ".pyc":
            assert not re.search("(?<!opt/e)/etc/sesmail|/var/spool/sesmail", path.read_text()), (
                name
            )
    settings = (library / "sesmail/settings.py").read_text()
    assert '"/opt/e/sesmail/credentials"' in settings
    assert '"/v/spool/sesmail"' in settings
    assert make("uninstall", f"DESTDIR={tmp_path}", *places).returncode == 0
    assert files(tmp_path) == set()


def test_submission_survives_a_broken_environment(
    host: Host, installed: Installation, tmp_path: Path
) -> None:
    """Without the virtual environment, mail for the real sendmail still flows."""
    shutil.copytree(installed.library / "sesmail", tmp_path / "sesmail")
    command = tmp_path / "sendmail"
    text = installed.command("sesmail").read_text()
    command.write_text(text.replace(str(installed.library), str(tmp_path)))
    command.chmod(0o755)
    message = b"From: sue@example.com\n\nhello\n"
    done = subprocess.run([command, "bob@example.org"], input=message, env=host.environment())
    assert done.returncode == 0
    assert [call.stdin for call in host.relayed] == [message]


def test_uninstall_takes_away_what_install_made(staged: Path) -> None:
    """Every file goes; what others put there, and /etc/sesmail, stays."""
    settings = staged.parent / "etc/sesmail/sesmail.conf"
    foreign = staged / "bin/other"
    settings.parent.mkdir(parents=True)
    for path in (settings, foreign):
        path.write_text("mine\n")
    done = make("uninstall", f"DESTDIR={staged.parent}", "PREFIX=/usr")
    assert done.returncode == 0, done.stderr
    assert files(staged.parent) == {"etc/sesmail/sesmail.conf", "usr/bin/other"}
    assert not (staged / LIBRARY).exists()
    assert not (staged / "share/doc/sesmail").exists()


def test_uninstall_leaves_a_sendmail_that_came_later(staged: Path) -> None:
    """A sendmail that is not ours stays, whoever put it there."""
    sendmail = staged / "sbin/sendmail"
    sendmail.unlink()
    sendmail.write_text("another MTA's\n")
    assert make("uninstall", f"DESTDIR={staged.parent}", "PREFIX=/usr").returncode == 0
    assert files(staged) == {"sbin/sendmail"}


def test_install_replaces_an_earlier_install(staged: Path) -> None:
    """A module that is gone does not stay behind, and no second tree is left."""
    gone = staged / LIBRARY / "sesmail/gone.py"
    gone.write_text("")
    before = files(staged) - {f"{LIBRARY}/sesmail/gone.py"}
    done = make("install", f"DESTDIR={staged.parent}", "PREFIX=/usr")
    assert done.returncode == 0, done.stderr
    assert files(staged) == before


@pytest.mark.venv
def test_install_that_fails_changes_nothing(staged: Path, tmp_path: Path) -> None:
    """Where pip cannot get the pinned list, the earlier install stays whole."""
    before = {name: (staged / name).lstat().st_ino for name in files(staged)}
    done = make(
        "install", f"DESTDIR={staged.parent}", "PREFIX=/usr", PIP_FIND_LINKS=str(tmp_path / "none")
    )
    assert done.returncode != 0
    assert {name: (staged / name).lstat().st_ino for name in files(staged)} == before


def test_install_never_overwrites_another_sendmail(tmp_path: Path) -> None:
    """It ends with 2 and one line, which names them and the way to be before them."""
    foreign = {"usr/sbin/sendmail": "MTA", "usr/bin/newaliases": "MTA", "usr/sbin/sesmaild": "?"}
    for name, text in foreign.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "usr/bin/mailq").symlink_to("../sbin/sendmail")
    done = make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    assert done.returncode == 2
    line, made, *rest = done.stderr.splitlines()
    assert "has /usr/sbin/sendmail /usr/bin/mailq /usr/bin/newaliases /usr/sbin/sesmaild;" in line
    assert "sesmailctl activate" in line
    assert made.startswith("make: ***")
    assert rest == []
    assert files(tmp_path) == {*foreign, "usr/bin/mailq"}
    assert (tmp_path / "usr/sbin/sendmail").read_text() == "MTA"


@pytest.mark.parametrize("prefix", ["usr/local", "/opt/a b", "/opt/x|y"])
def test_install_refuses_a_prefix_that_a_first_line_cannot_hold(
    tmp_path: Path, prefix: str
) -> None:
    """PREFIX ends up in a script and in path files: plain and absolute, or nothing happens."""
    done = make("install", f"DESTDIR={tmp_path}", f"PREFIX={prefix}")
    assert done.returncode == 2
    assert "plain absolute path" in done.stderr
    assert files(tmp_path) == set()


def test_install_refuses_an_old_python(tmp_path: Path) -> None:
    """A Python before 3.11, or none, is named before anything is written."""
    done = make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr", "PYTHON=/bin/false")
    assert done.returncode == 2
    assert files(tmp_path) == set()
