"""The identity lookup: order of names, A-labels, and no name that is a path."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail import identity
from sesmail.sysexits import NotPermitted


def test_the_order_of_the_contract() -> None:
    """Address, domain, each parent down to two labels, default."""
    assert identity.candidates("user@a.B.example.com") == [
        "user@a.b.example.com",
        "a.b.example.com",
        "b.example.com",
        "example.com",
        "default",
    ]


def test_exact_leaves_parents_out() -> None:
    """With ``identity_lookup = exact`` only the domain itself is looked up."""
    names = identity.candidates("user@a.example.com", "exact")
    assert names == ["user@a.example.com", "a.example.com", "default"]


def test_a_domain_of_one_label() -> None:
    """It has no parent, and the top-level domain of others is never an identity."""
    assert identity.candidates("root@host") == ["root@host", "host", "default"]
    assert "com" not in identity.candidates("a@example.com")


@pytest.mark.parametrize("domain", ["bücher.example", "BÜCHER.Example.", "bu\u0308cher。example"])
def test_idn_is_looked_up_as_a_labels(domain: str) -> None:
    """Upper case, decomposed letters and the ideographic full stop are the same domain."""
    assert identity.candidates(f"a@{domain}")[1] == "xn--bcher-kva.example"


def test_the_case_of_a_local_part_counts() -> None:
    """SES's address identities are case-sensitive there; domains are not."""
    assert identity.candidates("Sue@EXAMPLE.com")[0] == "Sue@example.com"


@pytest.mark.parametrize(
    "address",
    [
        "a@../../etc/passwd",
        "a@x/y.example",
        "a@" + "b" * 300,
        "a@b\0.example",
        "a@b..example",
        "a@.example",
        "a@\udcff.example",
        "a@b\uff20c.example",  # a full-width at sign, and other characters that become ASCII
        "a@b\uff0cc.example",
        "a@b\u2100.example",
        "a@\u00b4.example",
        "a@b\u3002\u3002example",
        "a@b\u2026example",
        "a@b example",
        "a@",
        "@",
        "",
    ],
)
def test_a_hostile_domain_leaves_default_alone(address: str) -> None:
    """Nothing of a domain with other characters, or an empty label, is looked up."""
    assert identity.candidates(address) == ["default"]


@pytest.mark.parametrize("local_part", ["../x", "a/b", "a b", "", "..", "a..b", "ü", "\0"])
def test_a_hostile_local_part_is_left_out(local_part: str) -> None:
    """The domain is still looked up; the address is not."""
    assert identity.candidates(f"{local_part}@b.example") == ["b.example", "default"]


@given(st.text())
def test_no_name_is_ever_a_path(address: str) -> None:
    """Whatever the text, each name is a plain file name."""
    for name in identity.candidates(address):
        assert name not in ("", ".", "..")
        assert not set(name) - set("@-_.") - {char for char in name if char.isalnum()}
        assert name.isascii()


def test_links_are_followed_and_dangling_ones_are_none(tmp_path: Path) -> None:
    """A link counts as what it leads to."""
    (tmp_path / "real").write_text("")
    (tmp_path / "b.example").symlink_to("real")
    (tmp_path / "c.example").symlink_to("nothing")
    assert identity.find("a@b.example", str(tmp_path)) == "b.example"
    assert identity.find("a@c.example", str(tmp_path)) is None


def test_the_first_that_exists(tmp_path: Path) -> None:
    """The most particular file wins over a parent's and over default."""
    for name in ("default", "example.com", "sue@example.com"):
        (tmp_path / name).write_text("")
    found = [
        identity.find(address, str(tmp_path))
        for address in ("sue@example.com", "bob@a.example.com", "bob@example.org")
    ]
    assert found == ["sue@example.com", "example.com", "default"]


def test_no_directory_is_no_identity(tmp_path: Path) -> None:
    """A host without credentials relays everything."""
    assert identity.find("a@b.example", str(tmp_path / "none")) is None


def test_a_directory_behind_a_closed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may not be looked up is told, never taken for "no credentials"."""

    def refuse(path: str) -> None:
        raise PermissionError(path)

    monkeypatch.setattr("sesmail.identity.posix.stat", refuse)
    with pytest.raises(NotPermitted, match=r"o\+x"):
        identity.find("a@b.example", str(tmp_path))
