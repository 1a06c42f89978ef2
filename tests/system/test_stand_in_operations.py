"""Each SESv2 operation of the stand-in: against the model of the API, and who may call it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name

from tests.fakes import v2
from tests.fakes.client import Caller, document, refusal
from tests.fakes.operations import Operation
from tests.fakes.refusals import THROTTLED, Refusal
from tests.fakes.ses import KEY_ID, SesServer
from tests.system.shapes import offences

DOMAIN = {"EmailIdentity": "example.com"}
NEWS = {"ConfigurationSetName": "news"}
TOPIC = {
    "Enabled": True,
    "MatchingEventTypes": ["BOUNCE", "DELIVERY"],
    "SnsDestination": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:events"},
}
DETAILS = {
    "MailType": "TRANSACTIONAL",
    "WebsiteURL": "https://example.com/",
    "ContactLanguage": "EN",
    "UseCaseDescription": "Mail of a web application.",
    "AdditionalContactEmailAddresses": ["admin@example.com"],
    "ProductionAccessEnabled": True,
}
# A call of each operation that `full` can answer.
CALLS: dict[str, dict[str, Any]] = {
    "CreateEmailIdentity": {"EmailIdentity": "example.net"},
    "GetEmailIdentity": DOMAIN,
    "DeleteEmailIdentity": DOMAIN,
    "ListEmailIdentities": {"PageSize": 1},
    "PutEmailIdentityMailFromAttributes": {**DOMAIN, "MailFromDomain": "b.example.com"},
    "PutEmailIdentityDkimSigningAttributes": {**DOMAIN, "SigningAttributesOrigin": "AWS_SES"},
    "PutEmailIdentityDkimAttributes": {**DOMAIN, "SigningEnabled": False},
    "PutEmailIdentityFeedbackAttributes": {**DOMAIN, "EmailForwardingEnabled": False},
    "PutEmailIdentityConfigurationSetAttributes": {**DOMAIN, **NEWS},
    "GetAccount": {},
    "PutAccountDetails": DETAILS,
    "PutAccountSendingAttributes": {"SendingEnabled": False},
    "PutAccountSuppressionAttributes": {"SuppressedReasons": ["BOUNCE"]},
    "GetSuppressedDestination": {"EmailAddress": "gone@example.net"},
    "ListSuppressedDestinations": {"PageSize": 1},
    "PutSuppressedDestination": {"EmailAddress": "x@example.net", "Reason": "COMPLAINT"},
    "DeleteSuppressedDestination": {"EmailAddress": "gone@example.net"},
    "CreateConfigurationSet": {"ConfigurationSetName": "new"},
    "GetConfigurationSet": NEWS,
    "DeleteConfigurationSet": NEWS,
    "ListConfigurationSets": {"PageSize": 1},
    "CreateConfigurationSetEventDestination": {
        **NEWS,
        "EventDestinationName": "more",
        "EventDestination": TOPIC,
    },
    "GetConfigurationSetEventDestinations": NEWS,
    "UpdateConfigurationSetEventDestination": {
        **NEWS,
        "EventDestinationName": "events",
        "EventDestination": TOPIC,
    },
    "DeleteConfigurationSetEventDestination": {**NEWS, "EventDestinationName": "events"},
}
OPERATIONS = {operation.name: operation for operation in v2.OPERATIONS}
# Members of an output that a call of CALLS rightly leaves out.
ABSENT = {
    "GetAccount": {"PricingAttributes"},
    "GetConfigurationSet": {
        "TrackingOptions",
        "SuppressionOptions",
        "VdmOptions",
        "ArchivingOptions",
        "MessageSecurityOptions",
    },
}
# Members that botocore 1.29, the oldest supported, does not know yet.
NEWER = {
    f"output.{name} is unknown"
    for name in (
        "VerificationInfo",
        "VdmAttributes",
        "DkimAttributes.SigningHostedZone",
        "SigningHostedZone",
    )
}
each_operation = pytest.mark.parametrize("name", CALLS)


@pytest.fixture
def full(ses: SesServer) -> SesServer:
    """A stand-in with something of everything."""
    identity = ses.state.identity("example.com")
    identity.mail_from, identity.configuration_set = "bounce.example.com", "news"
    identity.error, identity.checked_at, identity.succeeded_at = "INVALID_VALUE", 1.5, 1.5
    identity.labels["team"] = "web"
    ses.state.identities.add("example.org")
    ses.state.details, ses.state.review = dict(DETAILS), "DENIED"
    ses.state.details.pop("ProductionAccessEnabled")
    for address in ("gone@example.net", "lost@example.net"):
        ses.state.suppress(address, message_id="m", feedback_id="f")
    ses.state.configuration_sets |= {"news", "other"}
    ses.state.configuration_sets.known["news"].destinations["events"] = dict(TOPIC)
    return ses


@pytest.fixture
def asker(full: SesServer) -> Iterator[Caller]:
    """Asks it."""
    with Caller(full) as one:
        yield one


def call(caller: Caller, name: str) -> Any:
    """The method of the client."""
    return getattr(caller.v2(), xform_name(name))


def test_all_have_a_call() -> None:
    """The table above has each operation."""
    assert set(CALLS) == set(OPERATIONS)


@each_operation
def test_conforms_to_the_model(asker: Caller, name: str) -> None:
    """Method, path, and every member of the answer are the model's; none that matters lacks."""
    model = asker.v2().meta.service_model.operation_model(name)
    operation: Operation = OPERATIONS[name]
    wanted = model.http["method"], model.http["requestUri"]
    assert wanted in ((operation.method, operation.path), operation.older)
    found = document(call(asker, name), **CALLS[name])
    assert set(offences(model.output_shape, found)) <= NEWER
    assert set(model.output_shape.members) - set(found) <= ABSENT.get(name, set())


@pytest.mark.parametrize(
    ("value", "offence"),
    [
        ({}, "output.MailFromDomain is missing"),
        ({"MailFromDomain": 1}, "output.MailFromDomain is no string: 1"),
        ({"BehaviorOnMxFailure": "X"}, "output.BehaviorOnMxFailure is none of"),
        ({"New": 1}, "output.New is unknown"),
        ([], "output is no object"),
    ],
)
def test_the_check_checks(caller: Caller, value: Any, offence: str) -> None:
    """A wrong answer would be found."""
    shape = caller.v2().meta.service_model.shape_for("MailFromAttributes")
    assert any(one.startswith(offence) for one in offences(shape, value))


@each_operation
def test_permissions(full: SesServer, asker: Caller, name: str) -> None:
    """Each needs the action of its own name, and the refusal says so."""
    full.state.denied[KEY_ID] = {f"ses:{name}"}
    refused = refusal(call(asker, name), **CALLS[name])
    assert (refused.status, refused.code) == (403, "AccessDeniedException")
    assert f"is not authorized to perform: ses:{name} because" in refused.text
    full.state.denied[KEY_ID] = {"ses:SendEmail"}
    call(asker, name)(**CALLS[name])


@each_operation
def test_wrong_secret(full: SesServer, name: str) -> None:
    """Each checks the signature, of what a path and a query carry too."""
    with Caller(full, secret="wrong") as stranger:
        refused = refusal(call(stranger, name), **CALLS[name])
    assert (refused.status, refused.code) == (403, "SignatureDoesNotMatch")


def test_refusing(ses: SesServer, caller: Caller) -> None:
    """An operation can be made to refuse."""
    ses.state.refusing["ses:GetAccount"] = Refusal(THROTTLED, "Rate exceeded")
    refused = refusal(caller.v2().get_account)
    assert (refused.status, refused.code) == (429, "TooManyRequestsException")
    assert refused.text == "Rate exceeded"


def test_unreadable_body(ses: SesServer, caller: Caller) -> None:
    """A body that is no JSON is refused as SES refuses it."""
    caller.v2().meta.events.register("before-call", lambda params, **rest: params.update(body=b"{"))
    refused = refusal(caller.v2().create_email_identity, EmailIdentity="example.net")
    assert (refused.status, refused.code) == (400, "SerializationException")


# STS


def test_caller_identity(ses: SesServer, caller: Caller) -> None:
    """STS tells the account and the user of a key."""
    answer = caller.sts().get_caller_identity()
    assert answer["Account"] == "123456789012"
    assert answer["Arn"] == f"arn:aws:iam::123456789012:user/{KEY_ID.lower()}"
    assert answer["UserId"].startswith("AIDA")


def test_caller_identity_refused(ses: SesServer) -> None:
    """With a wrong secret, a key that is not known, and without the permission, it does not."""
    with Caller(ses, secret="wrong") as stranger:
        assert refusal(stranger.sts().get_caller_identity).code == "SignatureDoesNotMatch"
    with Caller(ses, key_id="AKIAI44QH8DHBEXAMPLE") as stranger:
        assert refusal(stranger.sts().get_caller_identity).code == "InvalidClientTokenId"
    ses.state.denied[KEY_ID] = {"sts:GetCallerIdentity"}
    with Caller(ses) as caller:
        assert refusal(caller.sts().get_caller_identity).code == "AccessDenied"
        assert refusal(caller.sts().get_session_token).code == "InvalidAction"


# The clock


@pytest.mark.parametrize(
    ("offset", "text"), [(3600.0, "Signature expired: "), (-3600.0, "Signature not yet current: ")]
)
@pytest.mark.parametrize(("service", "method"), [("v2", "get_account"), ("sts", None)])
def test_clock_offset(
    ses: SesServer, caller: Caller, service: str, method: str | None, offset: float, text: str
) -> None:
    """SES's clock can be off by an hour from ours: its refusal says so, and its Date tells."""
    ses.state.clock_offset = offset
    client = getattr(caller, service)()
    refused = refusal(getattr(client, method or "get_caller_identity"))
    assert (refused.status, refused.code) == (403, "SignatureDoesNotMatch")
    assert refused.text.startswith(text)
