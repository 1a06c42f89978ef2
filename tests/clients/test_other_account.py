"""The account of the SES stand-in against that of ministack: the same calls, answer by answer.

Each step says how far ministack's answer is that of SES.  Of an answer that goes well all that
ministack says must be ours too, but for the members in `wrong`; of a refusal the first `depth` of
status, code and text.  What is not right must differ: when a new version mends it, its row is due.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.clients.stand_ins import running
from tests.fakes.client import Caller
from tests.fakes.ses import SesServer

NOTHING, STATUS, CODE, TEXT = range(4)
NAME = {"EmailIdentity": "example.net"}
NEWS = {"ConfigurationSetName": "news"}
EVENTS = {**NEWS, "EventDestinationName": "events"}
TOPIC = {
    "EventDestination": {
        "Enabled": True,
        "MatchingEventTypes": ["BOUNCE"],
        "SnsDestination": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:events"},
    }
}
DETAILS = {
    "MailType": "TRANSACTIONAL",
    "WebsiteURL": "https://example.com/",
    "ContactLanguage": "EN",
    "UseCaseDescription": "Mail of a web application.",
    "ProductionAccessEnabled": True,
}
ADDRESS = {"EmailAddress": "gone@example.org"}
# It takes what it has just created for verified, though DKIM is pending.
VERIFIED = {"VerifiedForSendingStatus", "DkimAttributes.SigningEnabled"}


@dataclass(frozen=True)
class Step:
    """One call, and how far ministack is right."""

    method: str
    members: dict[str, Any] = field(default_factory=dict)
    depth: int = TEXT
    wrong: set[str] = field(default_factory=set)


STEPS = {
    "no identity": Step("get_email_identity", NAME, CODE),
    "domain": Step("create_email_identity", NAME, wrong=VERIFIED),
    "domain again": Step("create_email_identity", NAME, NOTHING),
    "get domain": Step("get_email_identity", NAME, wrong=VERIFIED),
    "address": Step(
        "create_email_identity",
        {"EmailIdentity": "ann@example.org"},
        wrong={
            "VerifiedForSendingStatus",
            "DkimAttributes.SigningEnabled",
            "DkimAttributes.Status",
            "DkimAttributes.Tokens",
        },
    ),
    "get address": Step(
        "get_email_identity",
        {"EmailIdentity": "ann@example.org"},
        wrong={"VerifiedForSendingStatus", "DkimAttributes.Tokens"},
    ),
    # It knows nothing of MAIL FROM and the identity's other settings.
    "MAIL FROM": Step(
        "put_email_identity_mail_from_attributes",
        {**NAME, "MailFromDomain": "bounce.example.net"},
        NOTHING,
    ),
    "new tokens": Step(
        "put_email_identity_dkim_signing_attributes",
        {**NAME, "SigningAttributesOrigin": "AWS_SES"},
        NOTHING,
    ),
    "feedback": Step("put_email_identity_feedback_attributes", NAME, NOTHING),
    "account": Step("get_account", wrong={"SuppressionAttributes.SuppressedReasons"}),
    "details": Step("put_account_details", DETAILS),
    # It has no reviews.
    "details again": Step("put_account_details", DETAILS, NOTHING),
    "account with details": Step("get_account", wrong={"SuppressionAttributes.SuppressedReasons"}),
    "suppression attributes": Step(
        "put_account_suppression_attributes", {"SuppressedReasons": ["BOUNCE"]}
    ),
    # It forgets them.
    "account that suppresses": Step(
        "get_account", wrong={"SuppressionAttributes.SuppressedReasons"}
    ),
    "suppressed nobody": Step("list_suppressed_destinations"),
    # Its list is always empty: it has no calls for a single address, and 404 for all of them.
    "suppress": Step("put_suppressed_destination", {**ADDRESS, "Reason": "BOUNCE"}, NOTHING),
    "suppressed": Step("get_suppressed_destination", ADDRESS, NOTHING),
    "unsuppress": Step("delete_suppressed_destination", ADDRESS, NOTHING),
    "not suppressed": Step("get_suppressed_destination", ADDRESS, CODE),
    "no set": Step("get_configuration_set", NEWS),
    "set": Step("create_configuration_set", NEWS),
    "set again": Step("create_configuration_set", NEWS),
    "get set": Step(
        "get_configuration_set", NEWS, wrong={"ReputationOptions.ReputationMetricsEnabled"}
    ),
    "sets": Step("list_configuration_sets"),
    "no event destination": Step("delete_configuration_set_event_destination", EVENTS),
    "event destination": Step("create_configuration_set_event_destination", {**EVENTS, **TOPIC}),
    "event destination again": Step(
        "create_configuration_set_event_destination", {**EVENTS, **TOPIC}
    ),
    "get event destinations": Step("get_configuration_set_event_destinations", NEWS),
    "change event destination": Step(
        "update_configuration_set_event_destination", {**EVENTS, **TOPIC}
    ),
    "delete event destination": Step("delete_configuration_set_event_destination", EVENTS),
    "default set": Step("put_email_identity_configuration_set_attributes", NAME, NOTHING),
    "delete set": Step("delete_configuration_set", NEWS),
    "delete set again": Step("delete_configuration_set", NEWS, NOTHING),
    "delete identity": Step("delete_email_identity", NAME),
    "delete identity again": Step("delete_email_identity", NAME, NOTHING),
}


@dataclass(frozen=True)
class Outcome:
    """What came of a call: the members of the answer by dotted names, or the refusal."""

    members: dict[str, Any] = field(default_factory=dict)
    refusal: tuple[int, str, str] = (200, "", "")


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Outcome], dict[str, Outcome]]:
    """What all steps, in their order, come to: here and at ministack."""
    with SesServer() as ses, Caller(ses) as caller:
        ses.state.max_24_hour_send = 50_000.0  # as ministack has it
        ours = {name: outcome(caller, step) for name, step in STEPS.items()}
    with (
        running("ministack", tmp_path_factory.mktemp("ministack")) as url,
        Caller({"api_url": url}) as caller,
    ):
        theirs = {name: outcome(caller, step) for name, step in STEPS.items()}
    return ours, theirs


def outcome(caller: Caller, step: Step) -> Outcome:
    """Make the call."""
    try:
        answer = getattr(caller.v2(), step.method)(**step.members)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        what = error.response["Error"]
        return Outcome(refusal=(status, what["Code"], what["Message"]))
    answer.pop("ResponseMetadata")
    return Outcome(dict(flat(answer)))


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The scalars and lists in a document, by dotted names; of tokens only how long they are."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from flat(one, f"{name}.{key}" if name else key)
    elif name.endswith("Tokens"):
        yield name, [len(token) for token in value]
    else:
        yield name, type(value) if isinstance(value, datetime.datetime) else value


@pytest.mark.parametrize("name", STEPS)
def test_answers(outcomes: tuple[dict[str, Outcome], dict[str, Outcome]], name: str) -> None:
    """Ours is the answer of ministack as far as that is right, and differs where it is not."""
    step, ours, theirs = STEPS[name], outcomes[0][name], outcomes[1][name]
    assert ours.refusal[: step.depth] == theirs.refusal[: step.depth]
    if step.depth < TEXT:
        assert ours.refusal[step.depth] != theirs.refusal[step.depth]
    if step.depth == TEXT:
        differing = {
            member
            for member, value in theirs.members.items()
            if member not in ours.members or ours.members[member] != value
        }
        assert differing == step.wrong


def test_caller_identity(tmp_path_factory: pytest.TempPathFactory) -> None:
    """STS says the same things of the same types; the account differs."""
    with SesServer() as ses, Caller(ses) as caller:
        ours = caller.sts().get_caller_identity()
    with (
        running("ministack", tmp_path_factory.mktemp("ministack")) as url,
        Caller({"api_url": url}) as caller,
    ):
        theirs = caller.sts().get_caller_identity()
    assert {name: type(value) for name, value in ours.items()} == {
        name: type(value) for name, value in theirs.items()
    }
    assert ours["Arn"].split(":")[:4] == theirs["Arn"].split(":")[:4]
