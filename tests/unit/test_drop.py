"""The drop, both sides: what is put is taken, and nothing else is."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sesmail.drop import layout, put
from sesmail.drop.put import ABSENT, NOBODY, READER, Drop, Wake
from sesmail.drop.take import DropDirectory, Incomplete, Irregular, Newer
from sesmail.envelope import Envelope
from sesmail.settings import Settings
from sesmail.sysexits import CannotCreate, IOFailure, NotPermitted

LIMIT = 1 << 20
MESSAGE = b"Subject: x\n\nhello\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a spool of our own, in which ``drop`` has mode 3733."""
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop").chmod(0o3733)
    settings = Settings()
    settings.spool_directory = str(tmp_path)
    settings.minimum_free = 0
    return settings


@pytest.fixture
def directory(settings: Settings) -> Iterator[DropDirectory]:
    """The daemon's view of it."""
    directory = DropDirectory(f"{settings.spool_directory}/drop")
    yield directory
    directory.close()


@pytest.fixture(autouse=True)
def signals_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit ignores signals until the exit of the client; this process has other tests."""
    monkeypatch.setattr("sesmail.drop.put._signal.signal", lambda *_: None)


def envelope(queue_id: str) -> Envelope:
    """Return an envelope for a drop."""
    return Envelope(queue_id, "example.com", "a@example.com", None, ["b@example.org"])


def drop(settings: Settings, message: bytes = MESSAGE) -> str:
    """Drop a message; return its name."""
    queue_id = layout.new_queue_id()
    with Drop(settings, queue_id) as dropped:
        dropped.write(envelope(queue_id).encode())
        dropped.write(message)
        dropped.commit()
    return queue_id


def write_and_commit(dropped: Drop) -> None:
    """Finish a drop."""
    dropped.write(MESSAGE)
    dropped.commit()


def path_of(settings: Settings, name: str) -> Path:
    """Return the path of a drop."""
    return Path(settings.spool_directory) / "drop" / name


def test_what_is_put_is_taken(settings: Settings, directory: DropDirectory) -> None:
    """Envelope and bytes, from the owner of the file, and then it can be removed."""
    name = drop(settings, MESSAGE * 1000)
    assert [found for found, _ in directory.scan()] == [name]
    taken = directory.take(name, LIMIT)
    assert taken.queue_id == name
    assert taken.uid == os.getuid()
    assert taken.message == MESSAGE * 1000
    assert taken.envelope.encode() == envelope(name).encode()
    assert directory.remove(name)
    assert list(directory.scan()) == []


def test_the_file_is_as_designed(settings: Settings) -> None:
    """Mode 0640 and the directory's group, whatever the umask."""
    before = os.umask(0o777)
    try:
        status = path_of(settings, drop(settings)).stat()
    finally:
        os.umask(before)
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert status.st_gid == os.stat(f"{settings.spool_directory}/drop").st_gid


def test_queue_ids() -> None:
    """They sort by time, differ, and no other name is one."""
    ids = [layout.new_queue_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [name[:12] for name in ids] == sorted(name[:12] for name in ids)
    for name in ("", ids[0][:-1], ids[0] + "0", ids[0].lower(), f"../{ids[0][:25]}", "." * 28):
        assert not layout.is_queue_id(name)


def test_an_abandoned_drop_leaves_nothing(settings: Settings) -> None:
    """Whatever ends it before the commit."""
    with pytest.raises(ZeroDivisionError), Drop(settings, layout.new_queue_id()):
        raise ZeroDivisionError
    assert os.listdir(f"{settings.spool_directory}/drop") == []


@pytest.mark.parametrize("call", ["write", "rename", "fsync"])
@pytest.mark.parametrize(
    ("number", "failure", "word"),
    [
        (errno.ENOSPC, CannotCreate, "make room"),
        (errno.EDQUOT, CannotCreate, "make room"),
        (errno.EROFS, CannotCreate, "ReadWritePaths="),
        (errno.EIO, IOFailure, "check the disk"),
        (errno.EACCES, CannotCreate, "sesmailctl init"),
    ],
)
def test_errors_of_the_disk(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
    failure: type[Exception],
    word: str,
) -> None:
    """Each is told with its remedy, and no drop is left that the daemon could see."""

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    dropped = Drop(settings, layout.new_queue_id())
    monkeypatch.setattr(f"sesmail.drop.put.posix.{call}", fail)
    with pytest.raises(failure, match=word), dropped:
        write_and_commit(dropped)
    assert os.listdir(f"{settings.spool_directory}/drop") == []


def test_a_failed_fsync_of_what_the_daemon_took_is_success(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is gone, so the daemon has the message."""

    def take_and_fail(_: int) -> None:
        for name in os.listdir(f"{settings.spool_directory}/drop"):
            path_of(settings, name).unlink()
        raise OSError(errno.EIO, "I/O error")

    monkeypatch.setattr("sesmail.drop.put.posix.fsync", take_and_fail)
    drop(settings)


def test_too_little_room_is_refused_at_once(settings: Settings) -> None:
    """Below ``minimum_free``: 73 before anything is written."""
    settings.minimum_free = 1 << 60
    with pytest.raises(CannotCreate, match="minimum_free"):
        drop(settings)


def test_a_group_that_is_not_inherited_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that loses it the daemon could never read the message."""
    monkeypatch.setattr("sesmail.drop.put.posix.fchmod", lambda *_: None)  # as if it had no effect
    with pytest.raises(CannotCreate, match="group"):
        drop(settings)
    assert os.listdir(f"{settings.spool_directory}/drop") == []


@pytest.mark.root
def test_root_drops_only_below_roots_directory(settings: Settings) -> None:
    """Whoever owns the parent could swap ``drop`` for a directory that root must not write to."""
    os.chown(settings.spool_directory, 33, 33)
    with pytest.raises(NotPermitted, match="does not belong to root"):
        drop(settings)


def test_the_wake_up(tmp_path: Path) -> None:
    """It tells a daemon from none and from no spool, and names the drop."""
    assert Wake(str(tmp_path)).state == ABSENT
    os.mkfifo(tmp_path / "wake")
    assert Wake(str(tmp_path)).state == NOBODY
    reader = os.open(tmp_path / "wake", os.O_RDWR | os.O_NONBLOCK)
    wake = Wake(str(tmp_path))
    assert wake.state == READER
    wake.ring("0" * 28)
    assert os.read(reader, 100) == b"0" * 28 + b"\n"
    while True:
        try:
            os.write(reader, bytes(4096))
        except BlockingIOError:
            break
    wake.ring("0" * 28)  # full: the daemon is awake
    os.close(reader)
    wake.ring("0" * 28)  # dead: it will scan when it starts


@pytest.mark.parametrize("kind", ["symlink", "file"])
def test_a_wake_up_that_is_no_fifo(tmp_path: Path, kind: str) -> None:
    """Root's client writes nothing into whatever stands in its place."""
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    if kind == "symlink":
        (tmp_path / "wake").symlink_to(target)
    else:
        target.rename(tmp_path / "wake")
        target = tmp_path / "wake"
    wake = Wake(str(tmp_path))
    assert wake.state == ABSENT
    wake.ring("0" * 28)
    assert target.read_bytes() == b"precious"


def _chmod(path: Path) -> None:
    path.chmod(0o600)


def _link(path: Path) -> None:
    path.with_name("other").hardlink_to(path)


def _symlink(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.with_name("target").write_bytes(content)
    path.symlink_to("target")


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _sparse(path: Path) -> None:
    os.truncate(path, 1 << 40)


def _junk(path: Path) -> None:
    path.write_bytes(b"\x80 1 junk\n" * 30)


def _renamed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(path.name.encode(), b"F" * 28))


def _no_envelope(path: Path) -> None:
    from binascii import crc32

    content = b"no envelope\n\n"
    path.write_bytes(layout.leading_line(path.name, len(content), crc32(content)) + content)


@pytest.mark.parametrize(
    "spoil",
    [_chmod, _link, _symlink, _fifo, _directory, _sparse, _junk, _renamed, _no_envelope],
)
def test_irregular_files_are_told_and_removed(
    settings: Settings, directory: DropDirectory, spoil: Callable[[Path], None]
) -> None:
    """None is read as a message, none blocks, and each can be removed."""
    name = drop(settings)
    path = path_of(settings, name)
    spoil(path)
    with pytest.raises(Irregular):
        directory.take(name, LIMIT)
    assert directory.remove(name)
    assert not os.path.lexists(path)


@pytest.mark.parametrize("name", ["x", "../queue", "0" * 27, ".hidden", "f" * 28])
def test_other_names_are_irregular(directory: DropDirectory, name: str) -> None:
    """No name that came through the FIFO becomes a path."""
    with pytest.raises(Irregular):
        directory.take(name, LIMIT)


@pytest.mark.parametrize("change", ["shorter", "longer", "other bytes", "zeros"])
def test_a_torn_or_changed_file_waits_and_then_goes(
    settings: Settings,
    directory: DropDirectory,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    """It may still be written; an hour later it is junk."""
    name = drop(settings)
    path = path_of(settings, name)
    content = path.read_bytes()
    path.write_bytes(
        {
            "shorter": content[:-1],
            "longer": content + b"x",
            "other bytes": content[:-1] + b"x",
            "zeros": content[:-5] + bytes(5),
        }[change]
    )
    with pytest.raises(Incomplete):
        directory.take(name, LIMIT)
    later = os.stat(path).st_ctime + 3601
    monkeypatch.setattr("sesmail.drop.take.time.time", lambda: later)
    with pytest.raises(Irregular, match="torn"):
        directory.take(name, LIMIT)


def test_a_newer_version_stays(settings: Settings, directory: DropDirectory) -> None:
    """After a downgrade nothing is lost."""
    name = drop(settings)
    path = path_of(settings, name)
    path.write_bytes(path.read_bytes().replace(b"sesmail-drop 1", b"sesmail-drop 2"))
    with pytest.raises(Newer):
        directory.take(name, LIMIT)


def test_a_message_over_the_limit_is_not_read(settings: Settings, directory: DropDirectory) -> None:
    """The client refuses it first; whoever gets round the client gains nothing."""
    name = drop(settings, bytes(LIMIT + layout.LARGEST_ENVELOPE))
    with pytest.raises(Irregular, match="too large"):
        directory.take(name, LIMIT)


def test_what_cannot_be_removed_is_passed_over(
    settings: Settings, directory: DropDirectory
) -> None:
    """A directory with something in it stays, and is not looked at again."""
    path = path_of(settings, "0" * 28)
    path.mkdir()
    (path / "x").touch()
    assert [name for name, _ in directory.scan()] == [path.name]
    assert not directory.remove(path.name)
    assert list(directory.scan()) == []


def test_temporary_names_are_left_for_a_day(
    settings: Settings, directory: DropDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client may be writing; what is older was left by a crash."""
    path = path_of(settings, f".{'0' * 28}")
    path.touch()
    assert list(directory.scan()) == []
    later = os.stat(path).st_ctime + 86401
    monkeypatch.setattr("sesmail.drop.take.time.time", lambda: later)
    assert [name for name, _ in directory.scan()] == [path.name]


def test_a_directory_that_was_mounted_over_is_noticed(
    settings: Settings, directory: DropDirectory
) -> None:
    """The daemon must not go on looking at the old one."""
    assert directory.is_current()
    drop_path = Path(settings.spool_directory) / "drop"
    drop_path.rename(drop_path.with_name("old"))
    drop_path.mkdir()
    assert not directory.is_current()


def test_signals_are_ignored_from_the_rename_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the point of no return the exit code must be 0."""
    ignored: list[int] = []
    monkeypatch.setattr("sesmail.drop.put._signal.signal", lambda n, _: ignored.append(n))
    drop(settings)
    assert set(ignored) == set(put._UNTIL_EXIT)
