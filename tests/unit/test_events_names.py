"""The names of what events need at AWS: readable, allowed there, and never the same for two."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.control.events import names
from sesmail.sysexits import UsageError

ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}")
LABEL = "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?"  # of a host name: no hyphen at an end
IDENTITIES = st.from_regex(rf"\A([a-z0-9_.+-]{{1,30}}@)?{LABEL}(\.{LABEL}){{1,3}}\Z")


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("example.com", "sesmail-example-com"),
        ("my-site.example.com", "sesmail-my--site-example-com"),
        ("xn--bcher-kva.example", "sesmail-xn----bcher--kva-example"),
    ],
)
def test_a_name_can_be_read(identity: str, name: str) -> None:
    """A domain stays one."""
    assert names.name(names.PREFIX, identity) == name


@given(IDENTITIES, IDENTITIES)
def test_no_two_identities_share_a_name(one: str, other: str) -> None:
    """And each name is one that AWS takes."""
    first, second = names.name("sesmail", one), names.name("sesmail", other)
    assert ALLOWED.fullmatch(first)
    assert (first == second) == (one == other)


def test_a_long_one_is_cut_and_told_apart() -> None:
    """By a digest of the whole."""
    one, other = ("a" * 60 + f".{end}.example" for end in ("x", "y"))
    assert len(names.name("sesmail", one)) == 64
    assert names.name("sesmail", one) != names.name("sesmail", other)


@pytest.mark.parametrize("prefix", ["", "a.b", "x" * 33, "a b", "ä"])
def test_a_prefix_that_aws_would_not_take(prefix: str) -> None:
    """It is refused before anything is made."""
    with pytest.raises(UsageError):
        names.name(prefix, "example.com")


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_partitions(region: str, partition: str) -> None:
    """Where no ARN tells which, the region does."""
    assert names.partition(region) == partition
