"""Address fields for SES: ASCII, and for the standard library's parser the same addresses."""

from __future__ import annotations

import re
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.delivery.address_fields import encode_addresses, is_usable
from sesmail.message import address
from sesmail.message.address import AddressError
from sesmail.sysexits import DataError


def encoded(value: str) -> str:
    """Return the value of an address field as it goes to SES."""
    return encode_addresses(value.encode("utf-8", "surrogateescape")).decode("ascii")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            "J\u00f6rg M\u00fcller <j@example.org>",
            "=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <j@example.org>",
        ),
        ('"M\u00fcller, J" <j@example.org>', "=?utf-8?q?M=C3=BCller=2C_J?= <j@example.org>"),
        ("j@example.org (J\u00f6)", "j@example.org (=?utf-8?q?J=C3=B6?=)"),
        ("Fr\u00e4nde: a@x.org, b@x.org;", "=?utf-8?q?Fr=C3=A4nde?=: a@x.org, b@x.org;"),
        ("bob@m\u00fcnchen.example", "bob@xn--mnchen-3ya.example"),
        ("B <Bob@M\u00dcNCHEN.example>, c@x.org", "B <Bob@xn--mnchen-3ya.example>, c@x.org"),
        ("=?utf-8?q?a?= \u00e4 <a@x.org>", "=?utf-8?q?a?= =?utf-8?q?_=C3=A4?= <a@x.org>"),
        ("\udce4 <a@x.org>", "=?unknown-8bit?q?=E4?= <a@x.org>"),
        ("A \u00e4 (c) B <a@x.org>", "=?utf-8?q?A_=C3=A4?= (c) B <a@x.org>"),
    ],
)
def test_names_and_domains(value: str, expected: str) -> None:
    """Names, comments and groups become encoded-words, domains A-labels, the rest stays."""
    assert encoded(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@x.org; b@x.org;", "a@x.org, b@x.org,"),
        ('"a;b" <a@x.org>;\n b@x.org (;)', '"a;b" <a@x.org>,\n b@x.org (;)'),
        ("g: a@x.org, b@x.org;, c@x.org; d@x.org", "g: a@x.org, b@x.org;, c@x.org, d@x.org"),
        ("@relay:a@x.org; <@relay:b@x.org>; c@x.org", "@relay:a@x.org, <@relay:b@x.org>, c@x.org"),
    ],
)
def test_semicolons(value: str, expected: str) -> None:
    """Between addresses a comma is meant; groups, names, comments and folds stay."""
    assert encoded(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ceo@example.net <w@x.org>", '"ceo@example.net" <w@x.org>'),
        ("the ceo@x.org\n <w@x.org>, B <b@x.org>", '"the ceo@x.org"\n <w@x.org>, B <b@x.org>'),
        ('a@x.org "q\\"" \\\\ (c@d) <w@x.org>', '"a@x.org q\\" \\\\" (c@d) <w@x.org>'),
        ("A (c) ceo@x.org <w@x.org>", 'A (c) "ceo@x.org" <w@x.org>'),
        ("=?utf-8?q?a?= ceo@x.org <w@x.org>", '=?utf-8?q?a?= "ceo@x.org" <w@x.org>'),
        ("g: ceo@x.org <w@x.org>;, b@x.org", 'g: "ceo@x.org" <w@x.org>;, b@x.org'),
        ("J\u00f6 ceo@x.org <w@x.org>", "=?utf-8?q?J=C3=B6_ceo=40x=2Eorg?= <w@x.org>"),
        ('"ceo@x.org" <w@x.org>', '"ceo@x.org" <w@x.org>'),
        ("<@relay,@b:w@x.org>, b@x.org", "<@relay,@b:w@x.org>, b@x.org"),
    ],
)
def test_a_name_that_looks_like_an_address(value: str, expected: str) -> None:
    """It is quoted, so that no reader takes it for the address; routes are none."""
    assert encoded(value) == expected


names = st.text(
    st.characters(min_codepoint=32, blacklist_categories=("C", "Zl", "Zp")), max_size=60
)


@given(
    st.lists(
        st.tuples(names, st.sampled_from(["a@x.org", "b.c@y.example.org"])), min_size=1, max_size=6
    )
)
def test_address_fields_are_read_back(pairs: list[tuple[str, str]]) -> None:
    """The standard library finds the same names and addresses in what was written."""
    pairs = [(name.strip(), address) for name, address in pairs if "=?" not in name]
    quoted = [
        '"{}" <{}>'.format(name.replace("\\", "\\\\").replace('"', '\\"'), address)
        for name, address in pairs
    ]
    read = [
        (str(make_header(decode_header(name))), address)
        for name, address in getaddresses([encoded(", ".join(quoted))])
    ]
    assert read == (pairs or [("", "")])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "Bob ", '"Smith, Bob" ', "J\u00f6 ", "(\u00e4) "]),
            st.from_regex(r"[a-z]{1,9}(\.[a-z0-9+_]{1,9})?", fullmatch=True),
            st.sampled_from(
                ["x.org", "m\u00fcnchen.example", "M\u00dcNCHEN.example", "x.org (\u00e4)"]
            ),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_addresses_agree_with_the_standard_library(parts: list[tuple[str, str, str]]) -> None:
    """What its parser finds in the field as it came is what it finds in the field as it goes."""
    value = ", ".join(f"{name}<{local_part}@{domain}>" for name, local_part, domain in parts)
    before = [address for _, address in getaddresses([value])]
    after = [address for _, address in getaddresses([encoded(value)])]
    a_label = "xn--mnchen-3ya.example"
    assert after == [
        re.sub(r"m\u00fcnchen.example", a_label, one, flags=re.IGNORECASE) for one in before
    ]


@pytest.mark.parametrize("value", ["j\u00f6@x.org", "a@x.org, J <j\udcf6@x.org>", "a@\udcf6.org"])
def test_what_ses_refuses(value: str) -> None:
    """A local part that is not ASCII, or a domain without A-label, is named."""
    with pytest.raises(DataError, match=r"^'.*(\\xf6|\\udcf6).*': .*ASCII"):
        encoded(value)


def test_a_comma_in_a_name() -> None:
    """What looks like an address without a domain gets the likely remedy."""
    with pytest.raises(DataError, match="a name with a comma must be in quotes"):
        encoded("M\u00fcller, Sue <sue@x.org>")


def test_what_cannot_be_read() -> None:
    """It is an AddressError, and never a guess."""
    with pytest.raises(AddressError):
        encoded("<\u00e4 b")


@pytest.mark.parametrize(
    ("value", "usable"),
    [("a@x.org", True), ("a@m\u00fcnchen.example", True), ("a", False), ("a@localhost", False),
     ("j\u00f6@x.org", False), ("a@\udcf6.org", False)],
)  # fmt: skip
def test_usable(value: str, usable: bool) -> None:
    """SES takes ASCII and a domain with a dot."""
    (mailbox,) = address.parse(value)
    assert is_usable(mailbox) is usable
