"""The SES stand-in against three independent ones: the same calls, compared where they are right.

None of the three is right everywhere.  `AGREE` says for each call how far another one's answer is
that of SES (the status; also the error's code; also its text), and every call it does not name must
differ: when a new version mends one, its row is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.parsers import ResponseParserError

from tests.clients.stand_ins import KINDS, Seen, running
from tests.fakes.client import Caller, Refused
from tests.fakes.ses import SesServer

MESSAGE = (
    b"From: Ann <ann@example.com>\r\n"
    b"To: bob@example.net\r\n"
    b"Cc: cc@example.net\r\n"
    b"Subject: hello\r\n"
    b"\r\n"
    b"body\r\n"
)
HEADER_RECIPIENTS = ["bob@example.net", "cc@example.net"]
INTERFACES = ("v2", "v1")


@dataclass(frozen=True)
class Call:
    """One message and how it is sent."""

    raw: bytes = MESSAGE
    rest: dict[str, Any] = field(default_factory=dict)


CALLS = {
    "plain": Call(),
    "no destination": Call(rest={"destinations": []}),
    "tags": Call(rest={"tags": {"id": "a_1-2"}}),
    # Without To and Cc, which moto would count as well.
    "50 recipients": Call(
        b"From: ann@example.com\r\n\r\nbody\r\n",
        {"destinations": [f"r{n}@example.net" for n in range(50)]},
    ),
    "51 recipients": Call(rest={"destinations": [f"r{n}@example.net" for n in range(51)]}),
    "7 MB": Call(MESSAGE + (b"y" * 70 + b"\r\n") * 100_000),
    "8 bit": Call(MESSAGE + b"\xff\xe9\r\n"),
    "not verified": Call(
        b"From: eve@elsewhere.example\r\nTo: bob@example.net\r\n\r\n",
        {"source": "eve@elsewhere.example"},
    ),
    "no author": Call(b"To: bob@example.net\r\n\r\nbody\r\n"),
    "duplicate": Call(b"Subject: a\r\n" + MESSAGE),
    "malformed recipient": Call(rest={"destinations": ["root"]}),
    "no such configuration set": Call(rest={"configuration_set": "missing"}),
}

STATUS, CODE, TEXT = 1, 2, 3
_ACCEPTED = dict.fromkeys(["plain", "no destination", "tags", "50 recipients", "7 MB"], STATUS)
AGREE = {
    ("moto", "v2"): {
        **_ACCEPTED,
        "51 recipients": STATUS,
        "not verified": CODE,
        "no author": STATUS,
        "malformed recipient": STATUS,
    },
    ("moto", "v1"): {
        **_ACCEPTED,
        "51 recipients": STATUS,
        "not verified": CODE,
        "malformed recipient": CODE,
    },
    ("ministack", "v2"): {**_ACCEPTED, "8 bit": STATUS, "not verified": TEXT},
    ("ministack", "v1"): {**_ACCEPTED, "8 bit": STATUS, "not verified": TEXT},
    ("aws-ses-v2-local", "v2"): {**_ACCEPTED, "8 bit": STATUS, "no author": STATUS},
    ("aws-ses-v2-local", "v1"): {**_ACCEPTED, "8 bit": STATUS},
}


@dataclass
class Other:
    """A running stand-in."""

    name: str
    url: str
    caller: Caller

    def last(self) -> Seen:
        """What it recorded of the last message."""
        return KINDS[self.name].last(self.url)


@pytest.fixture(scope="module", params=list(KINDS))
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Other]:
    """Each of the other stand-ins in turn, with the identities example.com and ann@example.com."""
    name = request.param
    with (
        running(name, tmp_path_factory.mktemp(name)) as url,
        Caller({"api_url": url}) as caller,
    ):
        if KINDS[name].knows_identities:
            # moto takes a domain for its own addresses only, ministack any.
            for identity in ("example.com", "ann@example.com", "bounces@example.com"):
                caller.v2().create_email_identity(EmailIdentity=identity)
        yield Other(name, url, caller)


@pytest.fixture
def ours() -> Iterator[SesServer]:
    """Our stand-in with the identity example.com."""
    with SesServer(identities=["example.com"]) as server:
        yield server


@pytest.fixture
def caller(ours: SesServer) -> Iterator[Caller]:
    """Sends to ours."""
    with Caller(ours) as one:
        yield one


def outcome(caller: Caller, interface: str, call: Call) -> tuple[int, str, str]:
    """Status, code and text of the answer; 0 for one that boto3 cannot read."""
    try:
        message_id = caller.send(interface, call.raw, **call.rest)
    except Refused as refused:
        return refused.status, refused.code, refused.text
    except ResponseParserError:  # moto's crash, as an HTML page
        return 0, "", ""
    assert message_id
    return 200, "", ""


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("interface", INTERFACES)
def test_answers(caller: Caller, other: Other, interface: str, name: str) -> None:
    """The answer is the same as far as the other one is right, and differs where it is not."""
    answers = [outcome(one, interface, CALLS[name]) for one in (caller, other.caller)]
    depth = AGREE[other.name, interface].get(name, 0)
    mine, theirs = (answer[:depth] for answer in answers)
    assert mine == theirs
    if depth < TEXT and answers[0][0] != 200:
        assert answers[0] != answers[1]
    if not depth:
        assert answers[0][0] != answers[1][0]


@pytest.mark.parametrize("interface", INTERFACES)
def test_records(ours: SesServer, caller: Caller, other: Other, interface: str) -> None:
    """With the recipients in the header section alone, all record the same message."""
    for one in (caller, other.caller):
        one.send(interface, MESSAGE, destinations=[], source="ann@example.com")
    [accepted] = ours.state.messages
    seen = other.last()
    assert accepted.destinations == HEADER_RECIPIENTS
    if (other.name, interface) != ("ministack", "v2"):  # records none then
        assert seen.destinations is not None
        # ministack keeps only To for v1
        assert seen.destinations == HEADER_RECIPIENTS[: len(seen.destinations)]
        assert seen.destinations
    assert seen.source in (None, accepted.source)
    assert seen.raw in (None, accepted.raw)
    assert seen.subject in (None, "hello")


def test_source_of_v1(ours: SesServer, caller: Caller, other: Other) -> None:
    """v1's Source is the envelope's, not the author's."""
    for one in (caller, other.caller):
        one.send("v1", MESSAGE, source="bounces@example.com")
    assert ours.state.messages[0].source == "bounces@example.com"
    assert other.last().source in (None, "bounces@example.com")


def test_envelope(ours: SesServer, caller: Caller, other: Other) -> None:
    """Exactly those in Destination get the mail: ministack agrees.

    moto adds those of the header section, aws-ses-v2-local sees only these.
    """
    wanted = ["x@example.net", "y@example.net"]
    for one in (caller, other.caller):
        one.send("v2", MESSAGE, destinations=wanted)
    assert ours.state.messages[0].destinations == wanted
    expected = {
        "ministack": wanted,
        "moto": [*wanted, *HEADER_RECIPIENTS],
        "aws-ses-v2-local": HEADER_RECIPIENTS,
    }
    assert other.last().destinations == expected[other.name]


def test_quotas(caller: Caller, other: Other) -> None:
    """GetAccount and GetSendQuota have the same members of the same types where they are there."""
    if other.name == "ministack":
        mine, theirs = caller.v2().get_account(), other.caller.v2().get_account()
        assert shape(mine["SendQuota"]) == shape(theirs["SendQuota"])
        for member in ("ProductionAccessEnabled", "SendingEnabled", "EnforcementStatus"):
            assert type(mine[member]) is type(theirs[member])
    if other.name != "aws-ses-v2-local":  # which never answers it
        mine, theirs = caller.v1().get_send_quota(), other.caller.v1().get_send_quota()
        assert shape(mine) == shape(theirs)


def shape(document: dict[str, Any]) -> dict[str, type]:
    """Names and types of the members."""
    return {name: type(value) for name, value in document.items()}
