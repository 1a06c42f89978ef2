"""Address lists: what callers write, what the standard library reads, and what nobody can."""

from __future__ import annotations

import string
import sys
from collections.abc import Callable
from email.headerregistry import HeaderRegistry
from email.utils import getaddresses
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.message.address import AddressError, Mailbox, parse

Expected = tuple[str, str, str]  # display name, local part without quotes, domain
ATEXT = string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~"
BLANKS = st.sampled_from(["", " ", "\t", "\n ", "  "])
ATOMS = st.text(ATEXT, min_size=1, max_size=5)
DOTTED = st.lists(ATOMS, min_size=1, max_size=3).map(".".join)
PRINTABLE = st.text([chr(code) for code in range(32, 127)], max_size=6)
COMMENTS = st.recursive(
    st.text('ab ,;<>@:."', max_size=5).map("({})".format),
    lambda inner: st.lists(inner, max_size=2).map(lambda parts: f"(x{''.join(parts)})"),
    max_leaves=3,
)
COMMENTED = st.one_of(BLANKS, BLANKS, st.tuples(BLANKS, COMMENTS, BLANKS).map("".join))
HOSTILE = st.one_of(
    st.text(max_size=30),
    st.text('ab@.,;:<>()[]"\\ \t\n\r\0\x7f\u00fc\udcff', max_size=30),
    st.text("ab@.\u00b4\u2026\u3002\uff20\uff0c\uff1e\u00fc", max_size=30),  # NFKC: ASCII
)


def quoted(text: str) -> str:
    """``text`` as a quoted-string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(local_part: str) -> str:
    """A local part as it is meant."""
    if not local_part.startswith('"'):
        return local_part
    text, escaped = "", False
    for char in local_part[1:-1]:
        escaped = char == "\\" and not escaped
        text += "" if escaped else char
    return text


@st.composite
def addr_specs(draw: st.DrawFn, between: st.SearchStrategy[str]) -> tuple[str, str, str]:
    """An addr-spec as written, its local part and its domain."""
    blanks = [draw(between) for _ in range(4)]
    local_part = draw(st.one_of(DOTTED, DOTTED, PRINTABLE.filter(bool)))
    is_plain = set(local_part) <= set(ATEXT + ".") and all(local_part.split("."))
    written = local_part if is_plain else quoted(local_part)
    domain = draw(st.one_of(DOTTED, DOTTED, st.just("[127.0.0.1]")))
    return f"{blanks[0]}{written}{blanks[1]}@{blanks[2]}{domain}{blanks[3]}", local_part, domain


@st.composite
def mailboxes(draw: st.DrawFn) -> tuple[str, Expected]:
    """A mailbox as written, with or without name, brackets, comments and route."""
    written, local_part, domain = draw(addr_specs(COMMENTED))
    if draw(st.booleans()):
        return written, ("", local_part, domain)
    atoms = ATOMS.map(lambda atom: (atom, atom))
    strings = PRINTABLE.map(lambda text: (quoted(text), text))
    words = draw(st.lists(st.one_of(atoms, strings), max_size=3))
    name = draw(COMMENTED) + " ".join(word for word, _ in words) + draw(COMMENTED)
    route = draw(st.one_of(st.just(""), st.just(""), DOTTED.map("@{}:".format)))
    text = f"{name}<{draw(COMMENTED)}{route}{written}>{draw(COMMENTED)}"
    return text, (" ".join(meant for _, meant in words), local_part, domain)


@st.composite
def address_lists(draw: st.DrawFn, empty: bool) -> tuple[str, list[Expected]]:
    """A list of mailboxes and groups; with ``empty`` also empty elements and groups."""
    elements = []
    expected: list[Expected] = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["mailbox", "mailbox", "group", "nothing"]))
        if kind == "group":
            members = draw(st.lists(mailboxes(), min_size=0 if empty else 1, max_size=2))
            written = ",".join(text for text, _ in members)
            elements.append(f"{draw(ATOMS)}{draw(COMMENTED)}:{written};{draw(COMMENTED)}")
            expected += [what for _, what in members]
        elif kind == "mailbox":
            text, what = draw(mailboxes())
            elements.append(text)
            expected.append(what)
        elif empty:
            elements.append(draw(COMMENTED))
    return ",".join(elements), expected


@st.composite
def plain_lists(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A list that email.utils can read: no comments, groups, routes or empty elements."""
    elements, expected = [], []
    for local_part, domain in draw(st.lists(st.tuples(DOTTED, DOTTED), min_size=1, max_size=4)):
        address = f"{local_part}@{domain}"
        words = draw(st.lists(st.one_of(ATOMS, PRINTABLE.map(quoted)), max_size=3))
        bracketed = " ".join(words) + f" <{draw(BLANKS)}{address}{draw(BLANKS)}>{draw(BLANKS)}"
        elements.append(draw(st.sampled_from([address, bracketed])))
        expected.append(address)
    return ",".join(elements), expected


def meant(mailbox: Mailbox) -> Expected:
    """What a mailbox is meant to be."""
    return mailbox.name, unquoted(mailbox.local_part), mailbox.domain


@given(address_lists(empty=True))
def test_what_is_written_by_the_rfc_is_read(written: tuple[str, list[Expected]]) -> None:
    """Names, addresses and their order, whatever comments, folds, groups and routes lie between."""
    text, expected = written
    assert [meant(mailbox) for mailbox in parse(text)] == expected


@given(address_lists(empty=False))
def test_the_standard_library_reads_the_same(written: tuple[str, list[Expected]]) -> None:
    """email.headerregistry finds the same addresses. (It fails at an empty group.)"""
    text, _ = written
    header: Any = HeaderRegistry()("To", text.replace("\n", ""))
    theirs = [(address.username, address.domain) for address in header.addresses]
    assert [meant(mailbox)[1:] for mailbox in parse(text)] == theirs


@given(plain_lists())
def test_email_utils_reads_the_same(written: tuple[str, list[str]]) -> None:
    """The older parser of the standard library agrees where it can read a list at all."""
    text, expected = written
    theirs = [address for _, address in getaddresses([text.replace("\n", "")])]
    assert [mailbox.address() for mailbox in parse(text)] == theirs == expected


@given(HOSTILE, st.booleans())
def test_hostile_text_is_read_or_refused(text: str, split_at_blanks: bool) -> None:
    """Nothing but AddressError comes out, and it tells in one short line of printable ASCII."""
    found, refusal = read(text, split_at_blanks)
    assert refusal.isascii()
    assert refusal.isprintable()
    assert len(refusal) < 1000
    for mailbox in found:
        assert not any(char < " " or char == "\x7f" for char in mailbox.address())
        (again,) = parse(mailbox.address())
        assert again.address() == mailbox.address()


@given(address_lists(empty=True))
def test_spans_are_where_things_stand(written: tuple[str, list[Expected]]) -> None:
    """``span`` holds the address alone, ``name_span`` the name, so that each can be replaced."""
    text, _ = written
    for mailbox in parse(text):
        (alone,) = parse(slice_of(text, mailbox.span))
        assert meant(alone)[1:] == meant(mailbox)[1:]
        named = slice_of(text, mailbox.name_span) + "<a@b>"
        assert parse(named)[0].name == mailbox.name


def slice_of(text: str, span: tuple[int, int]) -> str:
    """The part of ``text`` at ``span``."""
    return text[span[0] : span[1]]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", []),
        (" \t\n", []),
        (",, ,", []),
        ("bob@x.org", ["bob@x.org"]),
        ("bob@x.org, carol@x.org", ["bob@x.org", "carol@x.org"]),
        (", bob@x.org,, carol@x.org,", ["bob@x.org", "carol@x.org"]),
        ("bob@x.org; carol@x.org;", ["bob@x.org", "carol@x.org"]),
        ("<bob@x.org>", ["bob@x.org"]),
        ("Bob < bob@x.org >", ["bob@x.org"]),
        ("Bob B. Builder <bob@x.org>", ["bob@x.org"]),
        ('"Builder, Bob" <bob@x.org>', ["bob@x.org"]),
        ('"Bob \\"B\\", Jr" <bob@x.org>', ["bob@x.org"]),
        ('"carol@x.org" <bob@x.org>', ["bob@x.org"]),
        ("carol@x.org <bob@x.org>", ["bob@x.org"]),
        ("=?UTF-8?Q?J=C3=B6rg=2C_B?= <bob@x.org>", ["bob@x.org"]),
        ("J\u00f6rg <bob@x.org>", ["bob@x.org"]),
        ("bob@x.org (Bob, the (big) builder), (x) carol@x.org", ["bob@x.org", "carol@x.org"]),
        ("bob@x.org (a \\) b), c@x.org", ["bob@x.org", "c@x.org"]),
        ("bob (the) @ (big) x . org", ["bob@x.org"]),
        ("undisclosed-recipients:;", []),
        ("Undisclosed recipients: ;", []),
        ("Team: bob@x.org, Carol <carol@x.org>;, dave@x.org", ["bob@x.org", "carol@x.org"]),
        ("A: b@x.org; C: d@x.org;", ["b@x.org", "d@x.org"]),
        ("A: b@x.org", ["b@x.org"]),
        ("<@relay.example.net:bob@x.org>", ["bob@x.org"]),
        ("<@a,@b:bob@x.org>", ["bob@x.org"]),
        ("@relay.example.net:bob@x.org", ["bob@x.org"]),
        ("bob@x.org.", ["bob@x.org"]),
        ("Bob@X.Org", ["Bob@X.Org"]),
        ('"bob smith"@x.org', ['"bob smith"@x.org']),
        ('"bob"@x.org', ["bob@x.org"]),
        ("bob@[127.0.0.1]", ["bob@[127.0.0.1]"]),
        ("bob@b\u00fccher.example", ["bob@xn--bcher-kva.example"]),
        ("j\u00f6rg@x.org", ["j\u00f6rg@x.org"]),
        ("root", ["root"]),
        ("|prog", ["|prog"]),
        ("/tmp/file", ["/tmp/file"]),
        ("host!user", ["host!user"]),
        ("-oi", ["-oi"]),
        ("a..b.@x.org", ["a..b.@x.org"]),
        ("bob@a_b.org", ["bob@a_b.org"]),
        ("O\\'Brien@x.org", ["O'Brien@x.org"]),
        ("bob@x.org\r\n (fold)", ["bob@x.org"]),
    ],
)
def test_what_callers_write(text: str, addresses: list[str]) -> None:
    """The rules and choices of differential.md, sections rcpt, hdr and from."""
    found = [mailbox.address() for mailbox in parse(text)]
    assert found[: len(addresses)] == addresses
    assert found[len(addresses) :] in ([], ["dave@x.org"])


@pytest.mark.parametrize(
    "text",
    [
        "bob@",
        "@x.org",
        "@",
        "bob@x..org",
        "bob@.x.org",
        "bob@x@y",
        "a b",
        "a@x.org b@x.org",
        "bob@x.org junk",
        "bob@x.org\n\tjunk",
        "bob@x (c) org",
        "<bob@x org>",
        "<bob@x.org",
        "bob@x.org>",
        "<<bob@x.org>>",
        "<a@x.org> <b@x.org>",
        "<a@x.org> b",
        "<>",
        "Bob <>",
        '"bob@x.org',
        "bob@x.org (",
        "bob@x.org )",
        "bob@[127.0.0.1",
        '"a\nb\0"@x.org',
        "bob\x7f@x.org",
        "\0",
        "a:b:c@x.org",
        "bob@(x)",
        "bob@\udcff[",
    ],
)
@pytest.mark.parametrize("before", ["", "good@x.org, "])
def test_what_cannot_be_read_is_refused(text: str, before: str) -> None:
    """A guess could mail the wrong person: the whole list is refused."""
    with pytest.raises(AddressError):
        parse(before + text)


def test_a_refusal_names_the_element() -> None:
    """The text shows what was meant to be an address, and not the whole list."""
    with pytest.raises(AddressError, match=r"'bob@'"):
        parse("good@x.org, bob@")


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a@x.org b@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org b", ["a@x.org", "b"]),
        ("a b, c", ["a", "b", "c"]),
        ("Bob B <b@x.org>", ["b@x.org"]),
        ("b@x.org (Bob B)", ["b@x.org"]),
    ],
)
def test_bare_words_may_be_parted_by_blanks(text: str, addresses: list[str]) -> None:
    """On the command line, where the word has no quote, bracket or comment."""
    found = [mailbox.address() for mailbox in parse(text, split_at_blanks=True)]
    assert found == addresses


@pytest.mark.parametrize("text", ['"a" b@x.org', "a@x.org b@x.org (c)", "a [b]"])
def test_other_words_are_not_parted(text: str) -> None:
    """What blanks mean beside a quote, a bracket or a comment would be a guess."""
    with pytest.raises(AddressError):
        parse(text, split_at_blanks=True)


GROWING: dict[str, Callable[[int], str]] = {
    "addresses": lambda size: "a@b," * (size // 4),
    "names": lambda size: "a," * (size // 2),
    "words": lambda size: "a " * (size // 2),
    "phrases": lambda size: "a <b@c>" * (size // 7),
    "commas": lambda size: "," * size,
    "colons": lambda size: "a " * (size // 4) + "@" + ":" * (size // 2),
    "groups": lambda size: "g:;" * (size // 3),
    "open groups": lambda size: "g:" * (size // 2),
    "dots": lambda size: "a" + "." * size,
    "labels": lambda size: "a@" + "a." * (size // 2),
    "ats": lambda size: "a@" * (size // 2),
    "routes": lambda size: "<" + "@a," * (size // 3) + ":b@c>",
    "opened": lambda size: "<" * size,
    "closed": lambda size: ">" * size,
    "brackets": lambda size: "<>" * (size // 2),
    "comments": lambda size: "()" * (size // 2) + "a@b",
    "nested comments": lambda size: "(" * (size // 2) + ")" * (size // 2) + "a@b",
    "open comments": lambda size: "(" * size,
    "quotes": lambda size: '""' * (size // 2),
    "quoted words": lambda size: '"a".' * (size // 4) + '"b"@c',
    "an open quote": lambda size: '"' + "a" * size,
    "backslashes": lambda size: "\\" * size,
    "literals": lambda size: "[]" * (size // 2),
    "folds": lambda size: "\r\n " * (size // 3),
    "letters": lambda size: "\u00e9" * size,
}


@pytest.mark.parametrize("split_at_blanks", [False, True])
@pytest.mark.parametrize("kind", GROWING)
def test_steps_grow_with_the_input(kind: str, split_at_blanks: bool) -> None:
    """Four times the input takes at most four times the steps, and a few."""
    make = GROWING[kind]
    few = steps(lambda: read(make(1000), split_at_blanks))
    many = steps(lambda: read(make(4000), split_at_blanks))
    assert many <= 4.4 * few + 200


@pytest.mark.parametrize("kind", GROWING)
def test_no_depth_is_too_deep(kind: str) -> None:
    """Nor is any length: nothing recurses, and a refusal stays short."""
    found, refusal = read(GROWING[kind](1 << 16), split_at_blanks=False)
    assert bool(found) != bool(refusal) or kind in ("commas", "folds", "groups", "open groups")
    assert len(refusal) < 1000


def read(text: str, split_at_blanks: bool) -> tuple[list[Mailbox], str]:
    """What is read, or why it was refused."""
    try:
        return parse(text, split_at_blanks=split_at_blanks), ""
    except AddressError as error:
        return [], str(error)


def steps(run: Callable[[], object]) -> int:
    """Count the lines of Python that ``run`` executes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count
