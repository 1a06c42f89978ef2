"""Display names for fields that we write: quoted, or encoded-words (RFC 2047, 5, rule 3)."""

from __future__ import annotations

_ATOM_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~ "
)
_LONGEST_CHUNK = 45  # bytes, 60 characters in base64: an encoded-word has at most 75


def phrase(name: str) -> str:
    """Return ``name`` as a phrase of RFC 5322 in ASCII; controls become blanks."""
    name = "".join(char if char >= " " and char != "\x7f" else " " for char in name).strip()
    if not name.isascii():
        return " ".join(_encoded_word(chunk) for chunk in _chunks(name))
    if _ATOM_CHARACTERS.issuperset(name) and "=?" not in name:
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _chunks(name: str) -> list[bytes]:
    """Cut ``name`` between characters, as RFC 2047 wants, into pieces that fit an encoded-word."""
    chunks = [b""]
    for char in name:
        data = char.encode("utf-8", "replace")  # a byte that was no UTF-8 becomes a question mark
        if len(chunks[-1]) + len(data) > _LONGEST_CHUNK:
            chunks.append(b"")
        chunks[-1] += data
    return chunks


def _encoded_word(chunk: bytes) -> str:
    from binascii import b2a_base64  # for names beyond ASCII only

    return f"=?utf-8?b?{b2a_base64(chunk, newline=False).decode('ascii')}?="
