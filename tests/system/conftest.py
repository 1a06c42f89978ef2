"""Fixtures of whole-program tests: the SES stand-in with an identity, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.client import Caller
from tests.fakes.ses import SesServer


@pytest.fixture
def ses(ses: SesServer) -> SesServer:
    """The stand-in with the identity example.com."""
    ses.state.identities.add("example.com")
    return ses


@pytest.fixture
def caller(ses: SesServer) -> Iterator[Caller]:
    """Asks it through boto3 and smtplib."""
    with Caller(ses) as one:
        yield one
