"""The form in which an envelope travels: what is written is read, and one line never holds two."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.envelope import Envelope, decode
from sesmail.sysexits import DataError

PATHS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=100)


def members(envelope: Envelope) -> list[object]:
    """Return all that an envelope holds."""
    return [getattr(envelope, name) for name in Envelope.__slots__]


@given(PATHS, PATHS, st.none() | PATHS, st.lists(PATHS), st.booleans())
def test_what_is_written_is_read(
    identity: str, author: str, reverse_path: str | None, paths: list[str], verbose: bool
) -> None:
    """Encode and decode agree, and the stream then stands at the message."""
    envelope = Envelope("0" * 28, identity, author, reverse_path, paths, verbose)
    stream = io.BytesIO(envelope.encode() + b"message\n\nbody")
    assert members(decode(stream)) == members(envelope)
    assert stream.read() == b"message\n\nbody"


@pytest.mark.parametrize("bad", ["a\nforward-path x@y", "a\r", "a\0", "ü@x", "a\x7f", "a" * 5000])
def test_a_value_that_could_be_two_lines_is_refused(bad: str) -> None:
    """No control character, nothing beyond ASCII, nothing endless."""
    for envelope in (
        Envelope("0" * 28, "x", bad, None, []),
        Envelope("0" * 28, "x", "a@x", bad, []),
        Envelope("0" * 28, "x", "a@x", None, ["b@x", bad]),
    ):
        with pytest.raises(DataError):
            envelope.encode()


@pytest.mark.parametrize(
    "lines", [b"", b"\n", b"identity x\nauthor y\n\n", b"queue-id \xff\n\n", b"queue-id 0"]
)
def test_anything_else_is_no_envelope(lines: bytes) -> None:
    """Broken lines and missing ones are told."""
    with pytest.raises(DataError, match="not an envelope"):
        decode(io.BytesIO(lines))
