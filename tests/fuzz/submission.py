"""Bytes as a command line and a message, through the whole of submission, up to its exec.

An input is one byte (bit 0: there is a real sendmail; bit 1: standard input is a pipe), the words
of the command line with a NUL between them, two NULs, standard input. After any of them this holds:

  - a failure has an exit code of sysexits, never that of a bug, and one printable line on stderr,
    and standard input was read to its end;
  - an end with 0 and without an exec is not that of a message;
  - the real sendmail gets the words and standard input as they came;
  - the delivery half gets an envelope that can be read, and a message with the fields that it needs
    and without Bcc; CR and NUL are not in its header section.

The calls by which submission becomes or starts another program, and the mail log, are replaced as
this module is imported: a process that has it is good for nothing else.
"""

from __future__ import annotations

import io
import os
import posix
import sys
import syslog
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from sesmail import envelope, sysexits
from sesmail.message import header
from sesmail.submission import commandline
from sesmail.submission.main import main

REAL = "/bin/true"
_errors: list[bytes] = []
_CODES = {value for name, value in vars(sysexits).items() if name.startswith("EX_")}


class Executed(BaseException):
    """Submission became, or started, another program, which now has standard input."""

    def __init__(self, path: str, words: Sequence[str]) -> None:
        super().__init__(path)
        self.path = path
        self.words = words


def make_world(directory: Path) -> None:
    """Write the settings that ``check`` runs with: one identity, with and without a sendmail."""
    (directory / "credentials").mkdir()
    (directory / "credentials" / "example.com").touch()
    for bit, real in enumerate(("none", REAL)):
        (directory / f"{bit}.conf").write_text(
            f"credentials_directory = {directory}/credentials\nreal_sendmail = {real}\n"
            f"aliases = {directory}/aliases\norigin = example.com\nlocal_domains = local.test\n"
        )
    (directory / "aliases").write_text("root: sue@example.org\nloop: loop2\nloop2: loop\n")


def check(data: bytes, world: Path) -> None:
    """Run one input in a world of ``make_world``, and assert what must hold after it."""
    bits = data[0] if data else 0
    head, _, message = data[1:].partition(b"\0\0")
    words = [os.fsdecode(word) for word in head.split(b"\0")] if head else []
    _errors.clear()
    sys.stdout = io.StringIO()
    with standard_input(message, as_pipe=bool(bits & 2)):
        posix.environ[b"SESMAIL_CONFIG"] = f"{world}/{bits & 1}.conf".encode()
        try:
            code = main(["/usr/sbin/sendmail", *words], str(world))
        except Executed as executed:
            _check_handed_over(executed, words, message)
            assert not _errors
        else:
            _check_end(code, words)


def _check_end(code: int, words: list[str]) -> None:
    assert code in _CODES - {sysexits.EX_SOFTWARE}, (code, _errors)
    check_errors(code)
    if code:
        assert read_all(0) == b""
    else:
        assert commandline.parse("sendmail", words).mode != commandline.DELIVER


def _check_handed_over(executed: Executed, words: list[str], message: bytes) -> None:
    given = read_all(0)
    if executed.path == REAL:
        assert list(executed.words) == ["sendmail", *words]
        assert given == message
    else:
        check_delivery(given, words)


def check_errors(code: int) -> None:
    """Assert that a failure of the run said one printable line, and success nothing."""
    errors = b"".join(_errors)
    _errors.clear()
    if code:
        assert errors.count(b"\n") == 1, errors
        assert errors.endswith(b"\n")
        assert errors[:-1].decode("ascii").isprintable(), errors
    else:
        assert errors == b"", errors


def check_delivery(given: bytes, words: list[str]) -> None:
    """Assert that the delivery half can use what it gets, for a command line of ``words``."""
    with os.fdopen(os.memfd_create("given"), "w+b") as stream:
        stream.write(given)
        stream.seek(0)
        found = envelope.decode(stream)
        text = stream.read()
    assert found.identity == "example.com"
    assert 1 <= len(found.forward_paths) <= 1000
    for path in found.forward_paths:
        assert "@" in path, path
    section = header.Section()
    section.feed(text, final=True)
    fields = text[: section.end]
    assert not {b"\0", b"\r"} & {bytes((byte,)) for byte in fields}, fields
    keys = [field.key for field in header.split(fields)]
    assert not {b"bcc", b"resent-bcc"} & set(keys), fields
    if commandline.parse("sendmail", words).add_fields:
        assert b"from" in keys, fields
        resent = b"resent-" if any(key.startswith(b"resent-") for key in keys) else b""
        assert {resent + b"date", resent + b"message-id"} <= set(keys), fields
    assert keys.count(b"from") <= 1, fields


def read_all(descriptor: int) -> bytes:
    """Read a descriptor to its end."""
    pieces = []
    while piece := os.read(descriptor, 1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


@contextmanager
def standard_input(message: bytes, as_pipe: bool) -> Iterator[None]:
    """Put the message on descriptor 0; afterwards close whatever the run left open."""
    before = _open_descriptors()
    if as_pipe and len(message) < 1 << 16:
        reading, writing = os.pipe()
        os.write(writing, message)
        os.close(writing)
    else:
        reading = os.memfd_create("stdin")
        os.write(reading, message)
        os.lseek(reading, 0, os.SEEK_SET)
    os.dup2(reading, 0)
    os.close(reading)
    try:
        yield
    finally:
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        for descriptor in _open_descriptors() - before:
            os.close(descriptor)


def _open_descriptors() -> set[int]:
    listed = [int(name) for name in os.listdir("/proc/self/fd")]
    return {number for number in listed if os.path.exists(f"/proc/self/fd/{number}")}


def _execute(path: str, words: Sequence[str], environ: object) -> NoReturn:
    raise Executed(path, words)


def _spawn(path: str, words: Sequence[str], environ: object, **options: Any) -> NoReturn:
    (action,) = options["file_actions"]
    os.dup2(action[1], 0)
    raise Executed(path, words)


def _write(descriptor: int, data: bytes) -> int:
    if descriptor != 2:
        return _posix_write(descriptor, data)
    _errors.append(data)
    return len(data)


_posix_write = posix.write
posix.write, posix.execve, posix.posix_spawn = _write, _execute, _spawn  # type: ignore[assignment]
syslog.syslog = lambda *_: None
