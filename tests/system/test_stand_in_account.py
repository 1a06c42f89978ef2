"""The account of the SES stand-in: its health, its way out of the sandbox, its suppression list."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.fakes.client import INTERFACES, Caller, Refused, refusal
from tests.fakes.ses import SesServer

MESSAGE = b"From: ann@example.com\r\nTo: bob@example.org\r\n\r\nbody\r\n"
DETAILS: dict[str, Any] = {
    "MailType": "TRANSACTIONAL",
    "WebsiteURL": "https://example.com/",
    "ContactLanguage": "EN",
    "UseCaseDescription": "Mail of a web application.",
    "AdditionalContactEmailAddresses": ["admin@example.com"],
}
each_interface = pytest.mark.parametrize("interface", INTERFACES)


@pytest.fixture
def v2(caller: Caller) -> Any:
    """boto3's client."""
    return caller.v2()


def test_healthy(v2: Any) -> None:
    """An account out of the sandbox that may send, and never wrote details."""
    account = v2.get_account()
    assert account["EnforcementStatus"] == "HEALTHY"
    assert account["ProductionAccessEnabled"] is True
    assert account["SendingEnabled"] is True
    assert account["SendQuota"]["Max24HourSend"] == -1.0
    assert account["SuppressionAttributes"] == {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]}
    assert "Details" not in account


@each_interface
def test_quota(ses: SesServer, v2: Any, caller: Caller, interface: str) -> None:
    """The daily quota counts recipients, is told, and stops the next mail."""
    ses.state.max_24_hour_send = 3.0
    caller.send(interface, MESSAGE, destinations=["a@a.org", "b@b.org"])
    quota = v2.get_account()["SendQuota"]
    assert (quota["Max24HourSend"], quota["SentLast24Hours"]) == (3.0, 2.0)
    with pytest.raises(Refused, match="Daily message quota exceeded"):
        caller.send(interface, MESSAGE, destinations=["a@a.org", "b@b.org"])


@each_interface
def test_shutdown(ses: SesServer, v2: Any, caller: Caller, interface: str) -> None:
    """PROBATION sends and is told; with SHUTDOWN nothing is sent."""
    ses.state.enforcement = "PROBATION"
    caller.send(interface, MESSAGE)
    account = v2.get_account()
    assert (account["EnforcementStatus"], account["SendingEnabled"]) == ("PROBATION", True)
    ses.state.enforcement = "SHUTDOWN"
    with pytest.raises(Refused, match="Sending paused for this account"):
        caller.send(interface, MESSAGE)
    account = v2.get_account()
    assert (account["EnforcementStatus"], account["SendingEnabled"]) == ("SHUTDOWN", False)


@each_interface
def test_paused(ses: SesServer, v2: Any, caller: Caller, interface: str) -> None:
    """The account's own switch stops sending, with an error of its own."""
    v2.put_account_sending_attributes(SendingEnabled=False)
    assert v2.get_account()["SendingEnabled"] is False
    with pytest.raises(Refused, match="Email sending for the account is paused") as caught:
        caller.send(interface, MESSAGE)
    codes = {"v2": "SendingPausedException", "v1": "AccountSendingPausedException", "smtp": ""}
    assert caught.value.code == codes[interface]
    v2.put_account_sending_attributes(SendingEnabled=True)
    caller.send(interface, MESSAGE)


# Production access


def test_production_access(ses: SesServer, v2: Any, caller: Caller) -> None:
    """Asked for, under review, no second request meanwhile, granted."""
    ses.state.sandbox = True
    v2.put_account_details(**DETAILS, ProductionAccessEnabled=True)
    details = v2.get_account()["Details"]
    review = details.pop("ReviewDetails")
    assert details == DETAILS
    assert review["Status"] == "PENDING"
    assert review["CaseId"].startswith("case-")
    refused = refusal(v2.put_account_details, **DETAILS, ProductionAccessEnabled=True)
    assert (refused.status, refused.code) == (409, "ConflictException")
    with pytest.raises(Refused, match=r"not verified.*bob@example\.org"):
        caller.send("v2", MESSAGE, destinations=["bob@example.org"])
    ses.state.decide(granted=True)
    account = v2.get_account()
    assert account["ProductionAccessEnabled"] is True
    assert account["Details"]["ReviewDetails"]["Status"] == "GRANTED"
    caller.send("v2", MESSAGE, destinations=["bob@example.org"])


def test_production_access_denied(ses: SesServer, v2: Any) -> None:
    """Denied: still in the sandbox, and free to ask again."""
    ses.state.sandbox = True
    v2.put_account_details(**DETAILS, ProductionAccessEnabled=True)
    ses.state.decide(granted=False)
    account = v2.get_account()
    assert account["ProductionAccessEnabled"] is False
    assert account["Details"]["ReviewDetails"]["Status"] == "DENIED"
    v2.put_account_details(**DETAILS, ProductionAccessEnabled=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"MailType": "PROMOTIONAL"},
        {"ContactLanguage": "JP"},
        {"WebsiteURL": "example.com"},
        {"UseCaseDescription": "x" * 5001},
        {"AdditionalContactEmailAddresses": [f"a{n}@example.com" for n in range(5)]},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_wrong_details(ses: SesServer, v2: Any, wrong: dict[str, Any]) -> None:
    """Details that SES does not take start no review."""
    refused = refusal(v2.put_account_details, **DETAILS | wrong)
    assert (refused.status, refused.code) == (400, "BadRequestException")
    assert ses.state.review == ""


# The suppression list


def test_suppression_list(ses: SesServer, v2: Any) -> None:
    """Put, found with reason and time, and taken off."""
    v2.put_suppressed_destination(EmailAddress="gone@Example.ORG", Reason="BOUNCE")
    found = v2.get_suppressed_destination(EmailAddress="gone@example.org")["SuppressedDestination"]
    assert (found["EmailAddress"], found["Reason"]) == ("gone@example.org", "BOUNCE")
    assert found["LastUpdateTime"].timestamp() == pytest.approx(
        ses.state.suppressed["gone@example.org"].since
    )
    assert "Attributes" not in found
    v2.delete_suppressed_destination(EmailAddress="gone@example.org")
    assert ses.state.suppressed == {}
    for method in (v2.get_suppressed_destination, v2.delete_suppressed_destination):
        refused = refusal(method, EmailAddress="gone@example.org")
        assert (refused.status, refused.code) == (404, "NotFoundException")
        assert "does not exist on your suppression list" in refused.text


def test_odd_addresses(ses: SesServer, v2: Any) -> None:
    """An address goes through the path of a URL whatever is in it."""
    address = "a+b/c?d=e%f@example.org"
    ses.state.suppress(address, "COMPLAINT", "0100-message", "0100-feedback")
    found = v2.get_suppressed_destination(EmailAddress=address)["SuppressedDestination"]
    assert found["EmailAddress"] == address
    assert found["Attributes"] == {"MessageId": "0100-message", "FeedbackId": "0100-feedback"}


def test_pages_and_filters(ses: SesServer, v2: Any) -> None:
    """All of it page by page; only a reason's; only a time's."""
    for number in range(5):
        reason = "COMPLAINT" if number == 3 else "BOUNCE"
        ses.state.suppress(f"r{number}@example.org", reason)
    seen: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        page = v2.list_suppressed_destinations(PageSize=2, **token)
        seen.append([one["EmailAddress"] for one in page["SuppressedDestinationSummaries"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert [len(page) for page in seen] == [2, 2, 1]
    assert [one for page in seen for one in page] == [
        f"r{number}@example.org" for number in range(5)
    ]
    complaints = v2.list_suppressed_destinations(Reasons=["COMPLAINT"])
    assert [one["EmailAddress"] for one in complaints["SuppressedDestinationSummaries"]] == [
        "r3@example.org"
    ]
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    assert not v2.list_suppressed_destinations(StartDate=tomorrow)["SuppressedDestinationSummaries"]
    listed = v2.list_suppressed_destinations(EndDate=tomorrow)["SuppressedDestinationSummaries"]
    assert len(listed) == 5


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"NextToken": "none"}, "InvalidNextTokenException"),
        ({"PageSize": 1001}, "BadRequestException"),
        ({"PageSize": 0}, "BadRequestException"),
    ],
)
def test_wrong_pages(v2: Any, members: dict[str, Any], code: str) -> None:
    """Tokens and sizes that are none."""
    refused = refusal(v2.list_suppressed_destinations, **members)
    assert (refused.status, refused.code) == (400, code)


def test_not_in_the_sandbox(ses: SesServer, v2: Any) -> None:
    """In the sandbox nothing can be put on the list."""
    ses.state.sandbox = True
    refused = refusal(v2.put_suppressed_destination, EmailAddress="a@a.org", Reason="BOUNCE")
    assert (refused.status, refused.code) == (400, "BadRequestException")


@pytest.mark.parametrize(
    "wrong", [{"EmailAddress": "nobody"}, {"Reason": "SPITE"}], ids=["address", "reason"]
)
def test_wrong_suppression(ses: SesServer, v2: Any, wrong: dict[str, str]) -> None:
    """No address, no reason: refused, and the list stays as it is."""
    members = {"EmailAddress": "a@a.org", "Reason": "BOUNCE"} | wrong
    refused = refusal(v2.put_suppressed_destination, **members)
    assert (refused.status, refused.code) == (400, "BadRequestException")
    assert ses.state.suppressed == {}


def test_suppression_can_be_off(v2: Any) -> None:
    """Which reasons put an address on the list is the account's choice."""
    v2.put_account_suppression_attributes(SuppressedReasons=[])
    assert v2.get_account()["SuppressionAttributes"] == {"SuppressedReasons": []}
