"""Credentials files: what is written, who may read it at which moment, what stays as it was."""

from __future__ import annotations

import os
import pwd
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sesmail.control import credentials_writer as writer
from sesmail.delivery import credentials
from sesmail.settings import Settings
from sesmail.sysexits import (
    CannotCreate,
    ConfigurationError,
    DataError,
    NotPermitted,
    NoUser,
    UsageError,
)
from tests.fakes.state import KEY_ID, SECRET
from tests.host import is_root

KEYS = {"aws_access_key_id": KEY_ID, "aws_secret_access_key": SECRET, "region": "eu-west-1"}
OTHER = "www-data"  # stands in for the user of sesmaild


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with an empty credentials directory."""
    made = Settings()
    made.credentials_directory = str(tmp_path / "credentials")
    made.user = OTHER if is_root() else pwd.getpwuid(os.getuid()).pw_name
    os.mkdir(made.credentials_directory, 0o751)
    return made


def place(settings: Settings, name: str = "example.com") -> Path:
    """Return where a file is."""
    return Path(settings.credentials_directory, name)


def names(settings: Settings) -> list[str]:
    """Return what is in the directory."""
    return sorted(os.listdir(settings.credentials_directory))


def test_what_is_written_is_what_sesmaild_reads(settings: Settings) -> None:
    """Keys come back as they were given, from a file of the right owner, group and mode."""
    path = writer.write(settings, "example.com", KEYS)
    loaded = credentials.load(settings.credentials_directory, "example.com")
    assert path == str(place(settings))
    assert (loaded.access_key_id, loaded.secret_access_key) == (KEY_ID, SECRET)
    assert loaded.region == "eu-west-1"
    status = os.stat(path)
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert status.st_gid == pwd.getpwnam(settings.user).pw_gid
    assert status.st_uid == os.getuid()
    assert names(settings) == ["example.com"]


def test_lines_are_written_as_they_are(settings: Settings) -> None:
    """Sections and comments, for those who bring a whole file."""
    lines = ["# from elsewhere", "[default]", "region = eu-west-1"]
    writer.write(settings, "default", lines)
    assert place(settings, "default").read_text() == "\n".join(lines) + "\n"


def test_what_is_there_stays(settings: Settings) -> None:
    """Only ``replace`` overwrites; also a link to nowhere is something."""
    writer.write(settings, "example.com", KEYS)
    with pytest.raises(CannotCreate, match="there already"):
        writer.write(settings, "example.com", {"region": "us-east-1"})
    assert SECRET in place(settings).read_text()
    writer.write(settings, "example.com", {"region": "us-east-1"}, replace=True)
    assert place(settings).read_text() == "region = us-east-1\n"
    place(settings, "example.org").symlink_to("nowhere")
    with pytest.raises(CannotCreate, match="there already"):
        writer.write(settings, "example.org", KEYS)


@pytest.mark.parametrize(
    "keys",
    [
        KEYS | {"aws_secret_access_key": "short"},
        KEYS | {"regoin": "eu-west-1"},
        KEYS | {"endpoint_url": "http://example.net/"},
    ],
)
def test_a_file_of_no_use_is_not_put_there(settings: Settings, keys: Mapping[str, str]) -> None:
    """The failure names the final path, and what was there stays."""
    writer.write(settings, "example.com", KEYS)
    before = place(settings).read_bytes()
    with pytest.raises(ConfigurationError) as failure:
        writer.write(settings, "example.com", keys, replace=True)
    assert str(failure.value).startswith(f"{place(settings)}, line ")
    assert place(settings).read_bytes() == before
    assert names(settings) == ["example.com"]


@pytest.mark.parametrize("value", ["a\nsubmitters = root", "a\rb", "a\0b", " private", "\x1b[2J"])
def test_a_value_cannot_become_another_line(settings: Settings, value: str) -> None:
    """Nothing that comes from elsewhere adds a key."""
    with pytest.raises(DataError) as failure:
        writer.write(settings, "example.com", KEYS | {"author": value})
    assert value not in str(failure.value)
    assert names(settings) == []


def test_quotes_of_a_value_stay_its_own(settings: Settings) -> None:
    """A file takes a pair of quotes away; a value that has them gets another."""
    writer.write(settings, "example.com", {"region": "eu-west-1", "role_session_name": "'a'"})
    loaded = credentials.load(settings.credentials_directory, "example.com")
    assert loaded.profile["default"]["role_session_name"] == "'a'"


@pytest.mark.parametrize("name", ["../x", "a/b.com", "*", "", ".", ".new", "EXAMPLE.com", "x\0"])
def test_a_name_that_no_author_leads_to(settings: Settings, name: str) -> None:
    """It is no file, whoever asks."""
    with pytest.raises(UsageError):
        writer.write(settings, name, KEYS)
    with pytest.raises(UsageError):
        writer.set_keys(settings, name, {})
    with pytest.raises(UsageError):
        writer.remove(settings, name)


def test_one_key_changes_and_nothing_else(settings: Settings) -> None:
    """Comments, order, blank lines, aliases and CRLF stay; new keys follow the last of ours."""
    text = (
        f"# ours\r\n\r\n[default]\r\nAWS_access_key_id={KEY_ID}\r\n"
        f"aws_secret_key = {SECRET}\r\n; region below\r\nregion = eu-west-1\r\n\r\n"
    )
    place(settings).write_bytes(b"\xef\xbb\xbf" + text.encode())
    place(settings).chmod(0o600)
    writer.set_keys(settings, "example.com", {"region": "us-east-1", "tags": "a=b"})
    wanted = text.replace("eu-west-1\r\n", "us-east-1\r\ntags = a=b\r\n")
    assert place(settings).read_bytes() == wanted.encode()
    assert stat.S_IMODE(place(settings).stat().st_mode) == 0o600
    writer.set_keys(settings, "example.com", {"tags": None, "region": None, "author": None})
    assert place(settings).read_bytes() == text.replace("region = eu-west-1\r\n", "").encode()


def test_a_key_goes_to_the_section_that_counts(settings: Settings) -> None:
    """Not behind the sections that only a role refers to; and a missing last newline is no harm."""
    text = "role_arn = arn:x\nsource_profile = a\n[profile a]\naws_access_key_id = b"
    place(settings).write_text(text)
    writer.set_keys(settings, "example.com", {"region": "eu-west-1"})
    assert place(settings).read_text() == (
        "role_arn = arn:x\nsource_profile = a\nregion = eu-west-1\n[profile a]\n"
        "aws_access_key_id = b\n"
    )


def test_the_same_again_writes_nothing(settings: Settings) -> None:
    """The file is the same one, so that sesmaild does not read it again."""
    writer.write(settings, "example.com", KEYS)
    before = place(settings).stat()
    writer.set_keys(settings, "example.com", {"region": "eu-west-1"})
    assert place(settings).stat().st_ino == before.st_ino


def test_a_file_that_all_can_read_gets_narrower(settings: Settings) -> None:
    """With the first change the right of others goes."""
    writer.write(settings, "example.com", KEYS)
    place(settings).chmod(0o666)
    writer.set_keys(settings, "example.com", {"tags": "a=b"})
    assert stat.S_IMODE(place(settings).stat().st_mode) == 0o640


def test_a_link_is_not_followed(settings: Settings, tmp_path: Path) -> None:
    """It may lead to a file that is not ours to change; ``remove`` takes the link alone."""
    target = tmp_path / "target"
    target.write_text("region = eu-west-1\n")
    place(settings).symlink_to(target)
    with pytest.raises(CannotCreate, match="link"):
        writer.set_keys(settings, "example.com", {"region": "us-east-1"})
    writer.remove(settings, "example.com")
    assert (names(settings), target.read_text()) == ([], "region = eu-west-1\n")


def test_what_is_missing_is_told(settings: Settings) -> None:
    """No file, no directory, no user: each with what to do."""
    with pytest.raises(ConfigurationError, match="does not exist"):
        writer.set_keys(settings, "example.com", {"region": "eu-west-1"})
    settings.user = "nobody-of-this-name"
    with pytest.raises(NoUser, match="sesmailctl init"):
        writer.write(settings, "example.com", KEYS)
    settings.credentials_directory += "/deeper"
    with pytest.raises(CannotCreate, match="sesmailctl init"):
        writer.write(settings, "example.com", KEYS)


def test_a_trial_comes_before_the_name(settings: Settings) -> None:
    """It gets the credentials as they will be; what it raises keeps the file away."""
    seen = []

    def refuse(found: credentials.Credentials) -> None:
        seen.append((found.path, found.identity, found.secret_access_key))
        raise DataError("no")

    with pytest.raises(DataError, match="no"):
        writer.write(settings, "example.com", KEYS, trial=refuse)
    assert seen == [(str(place(settings)), "example.com", SECRET)]
    assert names(settings) == []
    writer.write(settings, "example.com", KEYS, trial=lambda found: None)
    with pytest.raises(DataError, match="no"):
        writer.set_keys(settings, "example.com", {"tags": "a=b"}, trial=refuse)
    assert "tags" not in place(settings).read_text()


def test_what_a_killed_writer_left_is_no_hindrance(settings: Settings) -> None:
    """The half-written file goes."""
    place(settings, ".new").write_text("half")
    writer.write(settings, "example.com", KEYS)
    assert names(settings) == ["example.com"]


def test_owner_and_mode_come_before_the_content(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is wider than its owner's, or another group's, the file is empty."""
    seen: list[tuple[str, int, int]] = []

    def watched(name: str) -> Callable[..., Any]:
        original = getattr(os, name)

        def call(descriptor: int, *rest: Any) -> Any:
            status = os.fstat(descriptor)
            seen.append((name, stat.S_IMODE(status.st_mode), status.st_size))
            return original(descriptor, *rest)

        return call

    for name in ("fchown", "fchmod", "fsync"):
        monkeypatch.setattr(os, name, watched(name))
    old = os.umask(0)
    try:
        writer.write(settings, "example.com", KEYS)
    finally:
        os.umask(old)
    size = place(settings).stat().st_size
    assert seen[:3] == [("fchown", 0o600, 0), ("fchmod", 0o600, 0), ("fsync", 0o640, size)]


def test_writers_do_not_undo_each_other(settings: Settings) -> None:
    """Twenty at once, each with a key of its own: all keys are there in the end."""
    writer.write(settings, "example.com", KEYS)
    changes = [{key: "x"} for key in ("external_id", "role_session_name", "output")] * 4
    threads = [
        threading.Thread(target=writer.set_keys, args=(settings, "example.com", change))
        for change in changes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = place(settings).read_text()
    assert all(text.count(f"{key} = x\n") == 1 for change in changes for key in change)


@pytest.mark.root
def test_other_users_may_not(settings: Settings) -> None:
    """The failure says who may."""
    other = pwd.getpwnam(OTHER)
    Path(settings.credentials_directory).parent.chmod(0o755)
    os.seteuid(other.pw_uid)
    try:
        with pytest.raises(NotPermitted, match="only root"):
            writer.write(settings, "example.com", KEYS)
        with pytest.raises(NotPermitted, match="only root"):
            writer.check_access(settings)
    finally:
        os.seteuid(0)
    assert names(settings) == []
