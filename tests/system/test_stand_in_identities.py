"""Identities of the SES stand-in: made, verified by the DNS or by the test, and what they allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.client import INTERFACES, Caller, Refused, document, refusal
from tests.fakes.dns import SERVFAIL, DnsServer
from tests.fakes.ses import SesServer

NAME = "example.net"
MESSAGE = b"From: ann@example.net\r\nTo: bob@example.org\r\n\r\nbody\r\n"
HOUR = 3600.0
each_interface = pytest.mark.parametrize("interface", INTERFACES)


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    """The DNS that SES looks at."""
    with DnsServer() as one:
        yield one


@pytest.fixture
def v2(ses: SesServer, dns: DnsServer, caller: Caller) -> Any:
    """boto3's client."""
    ses.state.verify_when_dns(dns)
    return caller.v2()


def look(v2: Any) -> Any:
    """What SES says of the identity, after a look at the DNS."""
    return document(v2.get_email_identity, EmailIdentity=NAME)


def publish(dns: DnsServer, attributes: dict[str, Any], name: str = NAME) -> None:
    """Add the records that a DkimAttributes asks for."""
    for token in attributes["Tokens"]:
        dns.add(f"{token}._domainkey.{name}", "CNAME", f"{token}.{attributes['SigningHostedZone']}")


def test_create(ses: SesServer, v2: Any) -> None:
    """A new domain is pending and has three tokens of its own, in lower case whatever was given."""
    created = v2.create_email_identity(EmailIdentity="Example.NET")
    assert created["IdentityType"] == "DOMAIN"
    assert created["VerifiedForSendingStatus"] is False
    attributes = created["DkimAttributes"]
    assert attributes["Status"] == "PENDING"
    assert attributes["SigningAttributesOrigin"] == "AWS_SES"
    assert len(set(attributes["Tokens"])) == 3
    assert attributes["Tokens"] == ses.state.identity(NAME).tokens
    other = v2.create_email_identity(EmailIdentity="other.example")["DkimAttributes"]
    assert not set(other["Tokens"]) & set(attributes["Tokens"])
    again = refusal(v2.create_email_identity, EmailIdentity=NAME)
    assert (again.status, again.code) == (400, "AlreadyExistsException")
    assert again.text == f"Email identity {NAME} already exist."


def test_nothing_looked_at(ses: SesServer, v2: Any) -> None:
    """What is not known yet is not in the answer."""
    ses.state.dns = None
    v2.create_email_identity(EmailIdentity=NAME)
    found = look(v2)
    assert found["VerificationInfo"] == {}
    assert found["MailFromAttributes"] == {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}
    assert "ConfigurationSetName" not in found


@pytest.mark.parametrize("name", ["localhost", "exa mple.net", "a@", "@example.net", "a..b"])
def test_names_that_are_none(v2: Any, name: str) -> None:
    """What is neither a domain nor an address is refused."""
    refused = refusal(v2.create_email_identity, EmailIdentity=name)
    assert (refused.status, refused.code) == (400, "BadRequestException")


def test_options_of_create(ses: SesServer, v2: Any) -> None:
    """Tags, key length and configuration set are kept; a set that is not there is refused."""
    wanted = {
        "EmailIdentity": NAME,
        "Tags": [{"Key": "team", "Value": "web"}],
        "DkimSigningAttributes": {"NextSigningKeyLength": "RSA_1024_BIT"},
        "ConfigurationSetName": "news",
    }
    refused = refusal(v2.create_email_identity, **wanted)
    assert (refused.status, refused.code) == (404, "NotFoundException")
    ses.state.configuration_sets.add("news")
    v2.create_email_identity(**wanted)
    found = look(v2)
    assert found["Tags"] == wanted["Tags"]
    assert found["ConfigurationSetName"] == "news"
    assert found["DkimAttributes"]["CurrentSigningKeyLength"] == "RSA_1024_BIT"


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("get_email_identity", {}),
        ("delete_email_identity", {}),
        ("put_email_identity_mail_from_attributes", {}),
        ("put_email_identity_dkim_signing_attributes", {"SigningAttributesOrigin": "AWS_SES"}),
        ("put_email_identity_feedback_attributes", {}),
        ("put_email_identity_configuration_set_attributes", {}),
    ],
)
def test_not_found(v2: Any, method: str, rest: dict[str, Any]) -> None:
    """Whatever is asked of an identity that is not there."""
    refused = refusal(getattr(v2, method), EmailIdentity=NAME, **rest)
    assert (refused.status, refused.code) == (404, "NotFoundException")
    assert refused.text == f"Email identity {NAME} does not exist."


@each_interface
def test_pending_identities_do_not_send(
    ses: SesServer, v2: Any, caller: Caller, interface: str
) -> None:
    """Only what is verified may send, on every interface."""
    v2.create_email_identity(EmailIdentity=NAME)
    with pytest.raises(Refused, match="Email address is not verified"):
        caller.send(interface, MESSAGE, source="ann@example.net")
    ses.state.identity(NAME).verify()
    caller.send(interface, MESSAGE, source="ann@example.net")
    v2.delete_email_identity(EmailIdentity=NAME)
    with pytest.raises(Refused, match="Email address is not verified"):
        caller.send(interface, MESSAGE, source="ann@example.net")


def test_addresses(ses: SesServer, v2: Any) -> None:
    """An address has no DKIM of its own; it is verified by a mail, which the test stands for."""
    created = v2.create_email_identity(EmailIdentity="ann@example.net")
    assert created["IdentityType"] == "EMAIL_ADDRESS"
    assert "DkimAttributes" not in created
    found = v2.get_email_identity(EmailIdentity="ann@example.net")
    assert found["VerificationStatus"] == "PENDING"
    assert found["DkimAttributes"]["Status"] == "NOT_STARTED"
    assert "Tokens" not in found["DkimAttributes"]
    assert ses.state.identity("ann@example.net").tokens == []
    ses.state.identity("ann@example.net").verify()
    found = v2.get_email_identity(EmailIdentity="ann@example.net")
    assert (found["VerificationStatus"], found["VerifiedForSendingStatus"]) == ("SUCCESS", True)
    assert "ann@example.net" in ses.state.identities


def test_list(ses: SesServer, v2: Any) -> None:
    """All identities by name, page by page, with what each may do."""
    v2.create_email_identity(EmailIdentity=NAME)
    first = v2.list_email_identities(PageSize=1)
    second = v2.list_email_identities(PageSize=1, NextToken=first["NextToken"])
    assert "NextToken" not in second
    assert [*first["EmailIdentities"], *second["EmailIdentities"]] == [
        {
            "IdentityType": "DOMAIN",
            "IdentityName": name,
            "SendingEnabled": status == "SUCCESS",
            "VerificationStatus": status,
        }
        for name, status in (("example.com", "SUCCESS"), (NAME, "PENDING"))
    ]
    refused = refusal(v2.list_email_identities, NextToken="x")
    assert (refused.status, refused.code) == (400, "InvalidNextTokenException")


# Verification by the DNS


def test_verified_by_dns(ses: SesServer, v2: Any, dns: DnsServer) -> None:
    """It turns SUCCESS with the third record, and says before what it did not find."""
    attributes = document(v2.create_email_identity, EmailIdentity=NAME)["DkimAttributes"]
    found = look(v2)
    assert (found["VerificationStatus"], found["VerifiedForSendingStatus"]) == ("PENDING", False)
    assert found["VerificationInfo"]["ErrorType"] == "HOST_NOT_FOUND"
    publish(dns, attributes | {"Tokens": attributes["Tokens"][:2]})
    assert look(v2)["VerificationStatus"] == "PENDING"
    publish(dns, attributes | {"Tokens": attributes["Tokens"][2:]})
    found = look(v2)
    assert (found["VerificationStatus"], found["VerifiedForSendingStatus"]) == ("SUCCESS", True)
    assert found["DkimAttributes"]["Status"] == "SUCCESS"
    assert "ErrorType" not in found["VerificationInfo"]
    assert found["VerificationInfo"]["LastSuccessTimestamp"]
    assert NAME in ses.state.identities


def test_hosted_zone(ses: SesServer, v2: Any, dns: DnsServer) -> None:
    """The zone of the answer is the one that is looked for, and no other."""
    ses.state.signing_hosted_zone = "x1y2.dkim.us-east-1.amazonses.com"
    attributes = document(v2.create_email_identity, EmailIdentity=NAME)["DkimAttributes"]
    assert attributes["SigningHostedZone"] == "x1y2.dkim.us-east-1.amazonses.com"
    publish(dns, attributes | {"SigningHostedZone": "dkim.amazonses.com"})
    found = look(v2)
    assert found["VerificationInfo"]["ErrorType"] == "INVALID_VALUE"
    dns.clear()
    publish(dns, attributes)
    assert look(v2)["VerificationStatus"] == "SUCCESS"


@pytest.mark.parametrize("error", ["TYPE_NOT_FOUND", "INVALID_VALUE", "DNS_SERVER_ERROR"])
def test_what_can_be_wrong(v2: Any, dns: DnsServer, error: str) -> None:
    """A record of another type, with another value, a server that cannot."""
    attributes = document(v2.create_email_identity, EmailIdentity=NAME)["DkimAttributes"]
    for token in attributes["Tokens"]:
        if error == "TYPE_NOT_FOUND":
            dns.add(f"{token}._domainkey.{NAME}", "TXT", f"{token}.dkim.amazonses.com")
        else:
            dns.add(f"{token}._domainkey.{NAME}", "CNAME", f"{token}.dkim.amazonses.com.{NAME}")
    dns.failure = SERVFAIL if error == "DNS_SERVER_ERROR" else ""
    assert look(v2)["VerificationInfo"]["ErrorType"] == error


def test_ses_gives_up(ses: SesServer, v2: Any, dns: DnsServer) -> None:
    """After 72 hours it has FAILED, and right records do not help; new tokens do."""
    attributes = document(v2.create_email_identity, EmailIdentity=NAME)["DkimAttributes"]
    ses.state.identity(NAME).created_at -= 73 * HOUR
    assert look(v2)["VerificationStatus"] == "FAILED"
    publish(dns, attributes)
    assert look(v2)["VerificationStatus"] == "FAILED"
    renewed = v2.put_email_identity_dkim_signing_attributes(
        EmailIdentity=NAME, SigningAttributesOrigin="AWS_SES"
    )
    assert renewed["DkimStatus"] == "PENDING"
    assert not set(renewed["DkimTokens"]) & set(attributes["Tokens"])
    assert look(v2)["VerificationStatus"] == "PENDING"
    publish(dns, attributes | {"Tokens": renewed["DkimTokens"]})
    assert look(v2)["VerificationStatus"] == "SUCCESS"


def test_fails_when_the_test_says(ses: SesServer, v2: Any) -> None:
    """A test can let it fail."""
    v2.create_email_identity(EmailIdentity=NAME)
    ses.state.identity(NAME).fail("SERVICE_ERROR")
    found = look(v2)
    assert found["VerificationStatus"] == found["DkimAttributes"]["Status"] == "FAILED"
    assert found["VerificationInfo"]["ErrorType"] == "SERVICE_ERROR"


def test_verified_after_a_time(ses: SesServer, v2: Any) -> None:
    """Without a DNS it can be verified by the clock, as a demonstration wants."""
    ses.state.dns, ses.state.verify_after = None, 60.0
    v2.create_email_identity(EmailIdentity=NAME)
    assert look(v2)["VerificationStatus"] == "PENDING"
    ses.state.clock_offset = 61.0
    assert look(v2)["VerificationStatus"] == "SUCCESS"


# What is set for an identity


def test_mail_from(v2: Any, dns: DnsServer) -> None:
    """MAIL FROM is pending until its MX is SES's alone, whatever becomes of DKIM."""
    v2.create_email_identity(EmailIdentity=NAME)
    before = look(v2)["MailFromAttributes"]
    assert before == {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}
    v2.put_email_identity_mail_from_attributes(
        EmailIdentity=NAME,
        MailFromDomain="Bounce.example.net",
        BehaviorOnMxFailure="REJECT_MESSAGE",
    )
    wanted = {
        "MailFromDomain": "bounce.example.net",
        "MailFromDomainStatus": "PENDING",
        "BehaviorOnMxFailure": "REJECT_MESSAGE",
    }
    assert look(v2)["MailFromAttributes"] == wanted
    dns.add("bounce.example.net", "MX", "5 mx.example.net")
    dns.add("bounce.example.net", "MX", "10 feedback-smtp.us-east-1.amazonses.com")
    assert look(v2)["MailFromAttributes"] == wanted
    dns.remove("bounce.example.net")
    dns.add("bounce.example.net", "MX", "10 feedback-smtp.us-east-1.amazonses.com")
    wanted["MailFromDomainStatus"] = "SUCCESS"
    assert look(v2)["MailFromAttributes"] == wanted
    v2.put_email_identity_mail_from_attributes(
        EmailIdentity=NAME, MailFromDomain="bounce.example.net"
    )
    wanted["BehaviorOnMxFailure"] = "USE_DEFAULT_VALUE"
    assert look(v2)["MailFromAttributes"] == wanted
    v2.put_email_identity_mail_from_attributes(EmailIdentity=NAME, MailFromDomain="b.example.net")
    wanted |= {"MailFromDomain": "b.example.net", "MailFromDomainStatus": "PENDING"}
    assert look(v2)["MailFromAttributes"] == wanted
    v2.put_email_identity_mail_from_attributes(EmailIdentity=NAME)
    assert look(v2)["MailFromAttributes"] == before


@pytest.mark.parametrize("domain", ["example.net", "bounce.example.org", "notexample.net"])
def test_mail_from_must_be_a_subdomain(v2: Any, domain: str) -> None:
    """Of the identity's own domain."""
    v2.create_email_identity(EmailIdentity=NAME)
    refused = refusal(
        v2.put_email_identity_mail_from_attributes, EmailIdentity=NAME, MailFromDomain=domain
    )
    assert (refused.status, refused.code) == (400, "BadRequestException")
    assert f"MAIL-FROM domain <{domain}> is not subdomain" in refused.text


@each_interface
def test_mail_from_that_rejects(ses: SesServer, caller: Caller, interface: str) -> None:
    """With REJECT_MESSAGE nothing is sent before its MX is found."""
    identity = ses.state.identity("example.com")
    identity.mail_from, identity.on_mx_failure = "bounce.example.com", "REJECT_MESSAGE"
    raw = MESSAGE.replace(b"example.net", b"example.com")
    with pytest.raises(Refused, match=r"bounce\.example\.com isn't verified") as caught:
        caller.send(interface, raw)
    codes = {"smtp": (554, "")}
    expected = codes.get(interface, (400, "MailFromDomainNotVerifiedException"))
    assert (caught.value.status, caught.value.code) == expected
    identity.verify()
    caller.send(interface, raw)


def test_dkim_of_nobody(v2: Any) -> None:
    """DKIM of a domain that is not there has an error of its own."""
    refused = refusal(v2.put_email_identity_dkim_attributes, EmailIdentity=NAME)
    assert (refused.status, refused.code) == (400, "BadRequestException")
    assert refused.text == f"Domain {NAME} is not verified for DKIM signing."


def test_switches(ses: SesServer, v2: Any) -> None:
    """Feedback forwarding and DKIM signing go off and on."""
    v2.put_email_identity_feedback_attributes(EmailIdentity="example.com")
    v2.put_email_identity_dkim_attributes(EmailIdentity="example.com", SigningEnabled=False)
    found = v2.get_email_identity(EmailIdentity="example.com")
    assert found["FeedbackForwardingStatus"] is False
    assert found["DkimAttributes"]["SigningEnabled"] is False
    v2.put_email_identity_feedback_attributes(
        EmailIdentity="example.com", EmailForwardingEnabled=True
    )
    assert v2.get_email_identity(EmailIdentity="example.com")["FeedbackForwardingStatus"] is True


@each_interface
def test_default_configuration_set(ses: SesServer, v2: Any, caller: Caller, interface: str) -> None:
    """The identity's configuration set is that of mails which name none."""
    refused = refusal(
        v2.put_email_identity_configuration_set_attributes,
        EmailIdentity="example.com",
        ConfigurationSetName="news",
    )
    assert (refused.status, refused.code) == (404, "NotFoundException")
    ses.state.configuration_sets |= {"news", "other"}
    v2.put_email_identity_configuration_set_attributes(
        EmailIdentity="example.com", ConfigurationSetName="news"
    )
    raw = MESSAGE.replace(b"example.net", b"example.com")
    caller.send(interface, raw)
    caller.send(interface, b"X-SES-CONFIGURATION-SET: other\r\n" + raw)
    v2.put_email_identity_configuration_set_attributes(EmailIdentity="example.com")
    caller.send(interface, raw)
    assert [one.configuration_set for one in ses.state.messages] == ["news", "other", None]


def test_own_keys(v2: Any, dns: DnsServer) -> None:
    """Keys of one's own need a selector, which is the token, and a TXT; addresses have no DKIM."""
    v2.create_email_identity(EmailIdentity=NAME)
    put = v2.put_email_identity_dkim_signing_attributes
    refused = refusal(put, EmailIdentity=NAME, SigningAttributesOrigin="EXTERNAL")
    assert (refused.status, refused.code) == (400, "BadRequestException")
    key = {"DomainSigningSelector": "s1", "DomainSigningPrivateKey": "MIIB"}
    put(EmailIdentity=NAME, SigningAttributesOrigin="EXTERNAL", SigningAttributes=key)
    attributes = look(v2)["DkimAttributes"]
    assert attributes == {
        "SigningEnabled": True,
        "Status": "PENDING",
        "SigningAttributesOrigin": "EXTERNAL",
        "Tokens": ["s1"],
    }
    dns.add(f"s1._domainkey.{NAME}", "TXT", "p=MIIB")
    assert look(v2)["VerificationStatus"] == "SUCCESS"
    renewed = document(put, EmailIdentity=NAME, SigningAttributesOrigin="AWS_SES")
    assert (renewed["DkimStatus"], len(renewed["DkimTokens"])) == ("PENDING", 3)
    assert renewed["SigningHostedZone"] == "dkim.amazonses.com"
    v2.create_email_identity(EmailIdentity="other.example", DkimSigningAttributes=key)
    found = v2.get_email_identity(EmailIdentity="other.example")
    assert found["DkimAttributes"]["SigningAttributesOrigin"] == "EXTERNAL"
    v2.create_email_identity(EmailIdentity="ann@example.net")
    refused = refusal(put, EmailIdentity="ann@example.net", SigningAttributesOrigin="AWS_SES")
    assert (refused.status, refused.code) == (400, "BadRequestException")
