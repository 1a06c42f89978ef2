"""The body for SES: clean, short lines, and nothing lost that was in it."""

from __future__ import annotations

import email
import email.policy
import re
import tracemalloc
from base64 import b64encode
from email.message import Message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sesmail.delivery import mime
from sesmail.message import header

FROM = b"From: sue@example.com\n"


def repaired(message: bytes) -> bytes:
    """Return the repaired message, after asserting what holds for every one."""
    head, _, _ = message.partition(b"\n\n")
    fields, body = mime.repair(header.split(head + b"\n"), message, len(head) + 2)
    result = header.join(fields).replace(b"\n", b"\r\n") + b"\r\n" + b"".join(body)
    assert b"\n" not in result.replace(b"\r\n", b"")
    assert b"\r" not in result.replace(b"\r\n", b"")
    return result


def is_sendable(text: bytes) -> bool:
    """Tell whether SES passes ``text`` on as it is."""
    return text.isascii() and b"\0" not in text and max(map(len, text.split(b"\r\n"))) <= 998


def leaves(message: bytes) -> list[tuple[str, bytes]]:
    """Return type and decoded content of each leaf, by the standard library; line ends as LF."""
    parsed = email.message_from_bytes(message, policy=email.policy.compat32)
    return [(part.get_content_type(), content(part)) for part in parsed.walk() if is_leaf(part)]


def is_leaf(part: Message) -> bool:
    """Tell whether a part holds text and no parts."""
    return not part.is_multipart()


def content(part: Message) -> bytes:
    """Return the decoded content of a leaf, its line ends as LF."""
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.replace(b"\r\n", b"\n")


# --- what goes in comes out ---

FRAGMENTS = [
    b"a", b"word ", b" ", b"\t", b"\n", b"\n\n", b"=", b"=3D", b"=\n", b".", b"\n.\n", b"-", b"--",
    b"\n--", b"\nFrom ", "\u00e9".encode(), "\u6f22\u5b57".encode(), b"\xff", b"\0",
    b"\x1b", b"x" * 80, b"y z" * 400, b"w" * 999,
]  # fmt: skip
contents = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(b"".join)
types = st.sampled_from(
    ["", "text/plain", "text/html; charset=utf-8", "text/plain; charset=iso-8859-1", "image/png"]
)
raw_encodings = st.sampled_from(["", "7bit", "8bit", "binary", "8 bit", "utf-8"])
parts = st.tuples(types, raw_encodings, contents)
trees = st.recursive(parts, lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=6)


def rendered(tree: object, boundaries: list[int]) -> bytes:
    """Return the entity for a tree: a tuple is a leaf, a list a multipart."""
    if isinstance(tree, tuple):
        type_, encoding, text = tree
        assert isinstance(text, bytes)
        fields = f"Content-Type: {type_}\n" if type_ else ""
        fields += f"Content-Transfer-Encoding: {encoding}\n" if encoding else ""
        return fields.encode() + b"\n" + text
    assert isinstance(tree, list)
    boundaries[0] += 1
    boundary = b"=_b%d" % boundaries[0]
    pieces = [b'Content-Type: multipart/mixed; boundary="%b"\n\npreamble \xe9' % boundary]
    pieces += [b"\n--%b\n" % boundary + rendered(inner, boundaries) for inner in tree]
    return b"".join(pieces) + b"\n--%b--\nepilogue\n" % boundary


@given(trees)
def test_what_goes_in_comes_out(tree: object) -> None:
    """Every leaf decodes to the bytes that it held, and all of the message is sendable."""
    message = FROM + rendered(tree, [0]).removesuffix(b"\n") + b"\n"
    result = repaired(message)
    assert is_sendable(result)
    assert leaves(result) == leaves(message)


@given(trees)
def test_a_second_repair_finds_nothing(tree: object) -> None:
    """A repaired message is left as it is."""
    result = repaired(FROM + rendered(tree, [0]) + b"\n")
    assert repaired(result.replace(b"\r\n", b"\n")) == result


@given(st.sampled_from(["quoted-printable", "base64"]), contents, st.booleans())
def test_encoded_content_is_mended(encoding: str, text: bytes, is_true: bool) -> None:
    """Content with an encoding, also one that does not hold what it says, decodes as before."""
    if is_true and encoding == "base64":
        text = b64encode(text * 100)
    elif encoding == "base64":
        text = b64encode(b"some bytes") + b"\n" + text[:1] + b64encode(text)
    else:
        # Of two "=" the standard library makes one, and "=", blanks, line end is none of its soft
        # line breaks; elsewhere it too drops blanks at the end of a line (RFC 2045, 6.7).
        text = re.sub(rb"[ \t]+(?=\n|\Z)", b"", re.sub(rb"=+", b"=", text))
    message = FROM + b"Content-Transfer-Encoding: " + encoding.encode() + b"\n\n" + text + b"\n"
    result = repaired(message)
    assert is_sendable(result)
    assert leaves(result) == leaves(message)


@given(
    st.lists(
        st.sampled_from(
            [
                b"--a", b"--a--", b"--b", b"--", b"", b" ", b"\tx", b"Content-Type:", b"\0",
                b"Content-Type: text/plain", b"X: \xe9", b"\xc3\xa9", b"QUJD", b"no field",
                b"Content-Type: multipart/mixed; boundary=a",
                b"Content-Type: multipart/mixed; boundary=b",
                b"Content-Type: multipart/digest; boundary=b",
                b"Content-Type: multipart/signed; boundary=b",
                b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64",
                b"Content-Transfer-Encoding: quoted-printable",
                b"Subject: " + b"x" * 1000, b"From: \xe9@example.org",
            ]
        )
    )
)  # fmt: skip
@example([b"--a", b"Content-Type: message/rfc822", b"\0", b"QUJD"])
def test_malformed_mime(lines: list[bytes]) -> None:
    """No arrangement of lines fails or loses a line that was clean."""
    text = b"\n".join(lines) + b"\n"
    result = repaired(FROM + b"Content-Type: multipart/mixed; boundary=a\n\n" + text)
    seen = result + b"".join(decoded for _, decoded in leaves(result))
    assert all(line in seen for line in lines if line in (b"no field", b"QUJD"))
    assert is_sendable(result) or b"multipart/signed" in text


# --- what is fine stays ---


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plain\n",
        b"x" * 998 + b"\n",
        b"\n\n.\n..\nFrom x\n \n\t\x01\n\n\n",
        b"--b\nContent-Type: text/html\nSubject: \n \n\n<p>\n\n--b--\n",
    ],
)
@pytest.mark.parametrize("label", [b"", b"Content-Transfer-Encoding: 8bit\n"])
def test_a_clean_body_stays(body: bytes, label: bytes) -> None:
    """A body of 7 bit and short lines leaves as it came, but for its line ends."""
    message = FROM + b"MIME-Version: 1.0\n" + label + b"\n" + body
    assert repaired(message) == message.replace(b"\n", b"\r\n")


SIGNED = (
    b"--s\nContent-Type: text/plain\nSubject: \xc3\xa9\nContent-Transfer-Encoding: 8bit\n\n"
    b"\xc3\xa9 \xff\n"
    + b"x" * 1000
    + b"\n--s\nContent-Type: application/pgp-signature\n\nabc\n--s--\n"
)


@pytest.mark.parametrize("kind", [b"signed", b"encrypted"])
def test_signed_and_encrypted_stay(kind: bytes) -> None:
    """What stands under a signature or a cipher is not touched by a byte, whatever it is."""
    fields = b"Content-Type: multipart/%b; boundary=s\n" % kind
    message = FROM + fields + b"Content-Transfer-Encoding: 8bit\n\n" + SIGNED
    assert repaired(message) == message.replace(b"\n", b"\r\n")


def test_signed_inside_mixed_stays() -> None:
    """Beside a part that is encoded, the signed part and the labels above it stay."""
    signed = (
        b"Content-Type: multipart/signed; boundary=s\nContent-Transfer-Encoding: 8bit\n\n" + SIGNED
    )
    message = (
        FROM + b"Content-Type: multipart/mixed; boundary=m\nContent-Transfer-Encoding: 8bit\n\n"
        b"--m\n" + signed + b"\n--m\nContent-Type: text/plain; charset=utf-8\n\n\xc3\xa9\n--m--\n"
    )
    result = repaired(message).replace(b"\r\n", b"\n")
    assert signed in result
    assert b"boundary=m\nContent-Transfer-Encoding: 8bit\n" in result
    assert result.endswith(b"charset=utf-8\nContent-Transfer-Encoding: base64\n\nw6k=\n--m--\n")


# --- what is written ---


def test_text_without_mime_fields() -> None:
    """8-bit text without MIME fields gets all three, and is legible where most of it is ASCII."""
    result = repaired(
        FROM + b"\n" + "Sch\u00f6ne Gr\u00fc\u00dfe aus dem Urlaub, bis bald!\n".encode()
    )
    assert result == (
        b"From: sue@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"Sch=C3=B6ne Gr=C3=BC=C3=9Fe aus dem Urlaub, bis bald!\r\n"
    )


def test_text_that_is_no_utf8() -> None:
    """Bytes of an unknown charset say so and are all there."""
    result = repaired(FROM + b"\nSch\xf6ne Gr\xfc\xdfe aus dem Urlaub\n")
    assert b"Content-Type: text/plain; charset=unknown-8bit\r\n" in result
    assert leaves(result) == [("text/plain", b"Sch\xf6ne Gr\xfc\xdfe aus dem Urlaub\n")]


def test_a_binary_body() -> None:
    """A body with a NUL goes as base64, every byte of it, line feeds included."""
    binary = bytes(range(256)).replace(b"\r", b"") * 20
    result = repaired(FROM + b"\n" + binary)
    assert b"\r\nContent-Transfer-Encoding: base64\r\n" in result
    parsed = email.message_from_bytes(result)
    assert parsed.get_payload(decode=True) == binary


def test_mostly_8_bit_text() -> None:
    """Text that quoted-printable would swell goes as base64, its line ends as CRLF."""
    text = "\u6f22\u5b57\n\u6f22\u5b57\n"
    result = repaired(FROM + b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode())
    assert result.endswith(b64encode(text.replace("\n", "\r\n").encode()) + b"\r\n")


def test_long_lines() -> None:
    """An over-long line makes text quoted-printable and everything else base64."""
    line = b"x" * 999 + b"\n"
    assert b"Encoding: quoted-printable" in repaired(FROM + b"\n" + line)
    assert b"Encoding: base64" in repaired(FROM + b"Content-Type: application/json\n\n" + line)


def test_base64_in_one_line() -> None:
    """What PHP's base64_encode gives without chunk_split is cut into lines, and not decoded."""
    line = b64encode(b"x" * 3000)
    result = repaired(FROM + b"Content-Transfer-Encoding: base64\n\n" + line + b"\n")
    _, _, body = result.partition(b"\r\n\r\n")
    assert body.replace(b"\r\n", b"") == line
    assert max(map(len, body.split(b"\r\n"))) == 76


def test_text_labelled_base64() -> None:
    """8-bit text with a wrong label is no base64: it is encoded as what it is."""
    text = "Gr\u00fc\u00dfe an alle, die das hier lesen\n".encode()
    result = repaired(FROM + b"Content-Transfer-Encoding: base64\n\n" + text)
    assert leaves(result) == [("text/plain", text)]


def test_labels() -> None:
    """Where parts were encoded, no part and no multipart claims 8bit or binary any more."""
    message = (
        FROM + b"Content-Type: multipart/mixed; boundary=m\nContent-Transfer-Encoding: 8bit\n\n"
        b"--m\nContent-Transfer-Encoding: binary\n\nascii\n"
        b"--m\nContent-Transfer-Encoding: 8BIT\n\n\xc3\xa9\xc3\xa9\n--m--\n"
    )
    result = repaired(message)
    labels = re.findall(rb"Content-Transfer-Encoding: (\S+)", result)
    assert labels == [b"7bit", b"7bit", b"base64"]


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (b"text/html", b"text/html; charset=utf-8"),
        (b"text/html; charset=iso-8859-1", b"text/html; charset=iso-8859-1"),
        (b"text/plain; format=flowed;", b"text/plain; format=flowed; charset=utf-8"),
        (b"image/png", b"image/png"),
    ],
)
def test_charset(type_: bytes, expected: bytes) -> None:
    """Text that turns out to be UTF-8 says so unless it says something else."""
    result = repaired(FROM + b"Content-Type: " + type_ + b"\n\n\xc3\xa9\n")
    assert b"\r\nContent-Type: " + expected + b"\r\n" in result


@pytest.mark.parametrize(
    "type_", [b"multipart/mixed", b"multipart/mixed; boundary=nowhere", b"multipart/signed"]
)
@pytest.mark.parametrize("text", [b"text\n", b"t\xc3\xa9xt and more text\n", b"--nowhere--\n"])
def test_a_multipart_without_parts(type_: bytes, text: bytes) -> None:
    """SES refuses it ("Missing start boundary"): it goes as the text that it is."""
    result = repaired(FROM + b"Content-Type: " + type_ + b"\n\n" + text)
    assert leaves(result) == [("text/plain", text)]


def test_an_inner_multipart_without_parts() -> None:
    """Its text is not lost when it has to be encoded."""
    message = (
        FROM + b"Content-Type: multipart/mixed; boundary=m\n\n"
        b"--m\nContent-Type: multipart/related; boundary=nowhere\n\n"
        b"t\xc3\xa9xt and more text\n--m--\n"
    )
    assert leaves(repaired(message)) == [("text/plain", "t\u00e9xt and more text".encode())]


def test_an_enclosed_message() -> None:
    """A message in a message is repaired in its place; an address in it never refuses the mail."""
    inner = (
        "From: J\u00f6rg <j\u00f6rg@example.org>\nSubject: \u00e9\n\nGr\u00fc\u00dfe an alle hier\n"
    )
    message = (
        FROM + b"Content-Type: multipart/mixed; boundary=m\n\n--m\n"
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n"
        + inner.encode() + b"--m--\n"
    )  # fmt: skip
    result = repaired(message)
    assert is_sendable(result)
    assert b"message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n" in result
    assert leaves(result) == [("text/plain", "Gr\u00fc\u00dfe an alle hier".encode())]


def test_fields_of_a_part() -> None:
    """File names beyond ASCII go by RFC 2231, other fields of a part by RFC 2047."""
    message = (
        FROM + b"Content-Type: multipart/mixed; boundary=m\n\n--m\n"
        + 'Content-Disposition: attachment; filename="\u00c4rger \u20ac.pdf"; size=3\n'.encode()
        + "Content-Description: \u00c4rger\n\nabc\n--m--\n".encode()
    )  # fmt: skip
    part = email.message_from_bytes(repaired(message)).get_payload(0)
    assert isinstance(part, Message)
    assert part.get_filename() == "\u00c4rger \u20ac.pdf"
    assert part.get_param("size", header="content-disposition") == "3"
    assert part["Content-Description"] == "=?utf-8?q?=C3=84rger?="


def test_a_soft_break_makes_no_boundary() -> None:
    """A long line is not broken so that a piece of it reads as a delimiter."""
    for length in range(60, 90):
        text = b"x" * length + b"--m" + b" " * 1000 + b"y\n" + b"x" * length + b"--m"
        message = (
            FROM + b"Content-Type: multipart/mixed; boundary=m\n\n--m\n\n" + text + b"\n--m--\n"
        )
        assert leaves(repaired(message)) == [("text/plain", text)]


# --- hostile ---


@pytest.mark.parametrize("boundary", [b"\xc3\xa9", b"\xff", b"x" * 950, b"a\0b"])
def test_a_boundary_that_cannot_be_sent(boundary: bytes) -> None:
    """The message goes as the text that it is."""
    text = b"--%b\n\nt\xc3\xa9xt\n--%b--\n" % (boundary, boundary)
    result = repaired(FROM + b'Content-Type: multipart/mixed; boundary="%b"\n\n' % boundary + text)
    assert is_sendable(result)
    assert leaves(result) == [("text/plain", text)]


def test_blanks_after_a_delimiter() -> None:
    """They mean nothing and go."""
    message = FROM + b"Content-Type: multipart/mixed; boundary=m\n\n--m" + b" " * 1000 + b"\n\nx\n"
    assert repaired(message).endswith(b"\r\n--m\r\n\r\nx\r\n")


@pytest.mark.parametrize("line", [b"x" * 70 + b"\n", b"x" * 68 + "\u00e9\n".encode(), b"\xff\0\n"])
def test_memory(line: bytes) -> None:
    """A message of 12 MB takes at most five times its size."""
    message = FROM + b"\n" + line * (12_000_000 // len(line))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        fields, start = [header.Field(b"From", b" sue@example.com")], len(FROM) + 1
        result = b"".join(mime.repair(fields, message, start)[1])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(result) > 12_000_000
    assert peak - before < 4 * len(message)  # and the message itself


def test_depth() -> None:
    """10,000 levels of multipart, or of messages in messages, are read like any other."""
    levels = range(10_000)
    nested = b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (level, level + 1)
        for level in levels
    )
    top = FROM + b"Content-Type: multipart/mixed; boundary=b0\n\n"
    assert repaired(top + nested + b"\xc3\xa9\n").endswith(b"\r\n\r\nw6kNCg==\r\n")
    messages = b"Content-Type: message/rfc822\n\n" * len(levels)
    assert repaired(FROM + messages + b"\xc3\xa9\n").endswith(b"\r\n\r\nw6kNCg==\r\n")


def test_number_of_parts() -> None:
    """Every one of 2,000 parts is repaired."""
    part = b"--m\n\nGr\xc3\xbc\xc3\x9fe an alle hier\n"
    result = repaired(FROM + b"Content-Type: multipart/mixed; boundary=m\n\n" + part * 2000)
    assert result.count(b"Gr=C3=BC=C3=9Fe an alle hier\r\n") == 2000


def test_a_boundary_inside_itself() -> None:
    """An inner multipart with the outer one's boundary has no parts of its own."""
    message = (
        FROM
        + b"Content-Type: multipart/mixed; boundary=m\n\n"
        + (b"--m\nContent-Type: multipart/mixed; boundary=m\n\n" * 3 + b"--m\n\n\xc3\xa9\n--m--\n")
    )
    assert leaves(repaired(message))[-1] == ("text/plain", b"\xc3\xa9")
