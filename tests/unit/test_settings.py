"""sesmail.conf: its form, its values, and whose file counts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sesmail import settings
from sesmail.settings import Settings
from sesmail.sysexits import ConfigurationError


def load(path: Path, text: str | bytes) -> Settings:
    """Load ``text`` as the file that SESMAIL_CONFIG names."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o644)
    return settings.load({"SESMAIL_CONFIG": str(path)})


def test_every_key_is_read(tmp_path: Path) -> None:
    """Each key of the table has its value, whatever the white space and the line ends."""
    read = load(
        tmp_path / "conf",
        "# a comment\r\n\n  credentials_directory=/c\r\nreal_sendmail = none\naliases = /a\n"
        "origin = Bücher.Example.\nlocal_domains = one.example, TWO.example three.example\n"
        "identity_lookup = exact\nmessage_size_limit = 10k\nsyslog_facility = local3\n",
    )
    assert read.credentials_directory == "/c"
    assert read.real_sendmail == "none"
    assert read.aliases == "/a"
    assert read.origin == "xn--bcher-kva.example"
    assert read.local_domains == ("one.example", "two.example", "three.example")
    assert read.identity_lookup == "exact"
    assert read.message_size_limit == 10 * 1024
    assert read.syslog_facility == "local3"
    assert read.warnings == []


def test_what_can_be_read_counts_for_the_doctor(tmp_path: Path) -> None:
    """All that is wrong is told, not the first of it alone; the other lines count."""
    path = tmp_path / "conf"
    path.write_text("history = soon\norigin = x.example\nwhat is this\n")
    read, faults = settings.load_what_can_be({"SESMAIL_CONFIG": str(path)})
    assert (read.origin, read.history) == ("x.example", Settings().history)
    assert [str(fault) for fault in faults] == [
        f"'{path}', line 1: history: a duration such as 30s, 5m, 1h or 5d is needed",
        f"'{path}', line 3: not of the form key = value",
    ]


@pytest.mark.parametrize(
    ("name", "says"), [("none", "does not exist"), (".", "cannot read"), ("open", "does not count")]
)
def test_a_file_that_cannot_be_read_is_one_fault(tmp_path: Path, name: str, says: str) -> None:
    """Then everything has its default."""
    (tmp_path / "open").write_text("origin = x.example\n")
    (tmp_path / "open").chmod(0o666)
    path = os.path.join(tmp_path, name)
    read, (fault,) = settings.load_what_can_be({"SESMAIL_CONFIG": path})
    assert says in str(fault)
    assert read.origin == ""
    with pytest.raises(ConfigurationError, match=says):
        settings.load({"SESMAIL_CONFIG": path})


def test_an_unknown_key_is_a_warning(tmp_path: Path) -> None:
    """A typo is no outage of all mail: file and line are told, the rest counts."""
    read = load(tmp_path / "conf", "orgin = x.example\norigin = y.example\n")
    assert read.origin == "y.example"
    assert read.warnings == [f"{tmp_path}/conf, line 1: unknown key 'orgin'"]


@pytest.mark.parametrize(
    "line",
    [
        "origin",
        "[default]",
        "origin = a b",
        "origin = x/y",
        "origin =",
        "aliases = relative",
        "real_sendmail = msmtp",
        "identity_lookup = parent",
        "message_size_limit = 28 apples",
        "message_size_limit = -1",
        "message_size_limit = M",
        "syslog_facility = kern",
    ],
)
def test_a_bad_line_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    """What cannot be read stops everything, with file and line."""
    with pytest.raises(ConfigurationError, match=r"conf', line 2: "):
        load(tmp_path / "conf", f"# one\n{line}\n")


@pytest.mark.parametrize(("value", "path"), [("/srv/spool//", "/srv/spool"), ("//", "/")])
def test_slashes_at_the_end_say_nothing(tmp_path: Path, value: str, path: str) -> None:
    """Names are appended to a directory with one slash."""
    assert load(tmp_path / "conf", f"spool_directory = {value}\n").spool_directory == path


def test_a_missing_file_that_was_named(tmp_path: Path) -> None:
    """A file that SESMAIL_CONFIG names must exist: the defaults would send mail elsewhere."""
    with pytest.raises(ConfigurationError, match="does not exist"):
        settings.load({"SESMAIL_CONFIG": str(tmp_path / "none")})


@pytest.mark.parametrize("path", ["\0", "x" * 5000])
def test_a_hostile_name(path: str) -> None:
    """No value of the variable ends in anything but a failure with 78."""
    with pytest.raises(ConfigurationError):
        settings.load({"SESMAIL_CONFIG": path})


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_can_write_does_not_count(tmp_path: Path, mode: int) -> None:
    """Whoever may write the file could send a caller's mail elsewhere."""
    path = tmp_path / "conf"
    path.write_text("origin = x.example\n")
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="does not count"):
        settings.load({"SESMAIL_CONFIG": str(path)})


@pytest.mark.root
def test_a_file_of_another_user_does_not_count(tmp_path: Path) -> None:
    """Root does not follow a variable to a file that www-data owns."""
    path = tmp_path / "conf"
    path.write_text("origin = x.example\n")
    path.chmod(0o644)
    os.chown(path, 33, 33)
    with pytest.raises(ConfigurationError, match="does not count"):
        settings.load({"SESMAIL_CONFIG": str(path)})


def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    """A FIFO in place of the file is an empty file, and nobody waits for it."""
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert settings.load({"SESMAIL_CONFIG": str(tmp_path / "fifo")}).origin == ""
