"""The SES stand-in, asked by boto3 and smtplib, answers as SES was seen to.

Here: what it accepts, whom it lets in, and what it refuses, on all three interfaces.  Faults are in
test_stand_in_faults, the SMTP session in test_stand_in_smtp.
"""

from __future__ import annotations

import base64
import contextlib
import time
import urllib.error
import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import addresses, message, signatures
from tests.fakes.client import INTERFACES, Caller, Refused
from tests.fakes.refusals import Refusal
from tests.fakes.ses import KEY_ID, SECRET, SesServer

MESSAGE = (
    b"From: Ann <ann@example.com>\r\n"
    b"To: bob@example.net\r\n"
    b"Subject: hello\r\n"
    b"Date: Tue, 24 Nov 2026 03:00:00 +0000\r\n"
    b"Message-ID: <1@example.com>\r\n"
    b"\r\n"
    b".one line\r\n"
)
BAD_VALUE = {
    "v2": (400, "BadRequestException"),
    "v1": (400, "InvalidParameterValue"),
    "smtp": (554, ""),
}
REJECTED = {"v2": (400, "MessageRejected"), "v1": (400, "MessageRejected"), "smtp": (554, "")}
PREFIX = {"v2": "", "v1": "", "smtp": "Transaction failed: "}
UNVERIFIED = (
    "Email address is not verified. The following identities failed the check in region US-EAST-1: "
)

each_interface = pytest.mark.parametrize("interface", INTERFACES)


def refusal(caller: Caller, interface: str, raw: bytes, **rest: object) -> Refused:
    """The refusal that this message meets; an accepted one fails the test."""
    with pytest.raises(Refused) as caught:
        caller.send(interface, raw, **rest)  # type: ignore[arg-type]
    return caught.value


@each_interface
def test_it_accepts_and_records(ses: SesServer, caller: Caller, interface: str) -> None:
    """A good message is recorded with source, forward-paths and the very bytes that were sent."""
    message_id = caller.send(
        interface, MESSAGE, source="bounces@example.com", destinations=["c@example.net", "d@d.org"]
    )
    [accepted] = ses.state.messages
    assert accepted.interface == interface
    assert accepted.source == "bounces@example.com"
    assert accepted.destinations == ["c@example.net", "d@d.org"]
    assert accepted.raw == MESSAGE
    assert accepted.message_id == message_id
    assert accepted.key_id == KEY_ID
    assert ses.state.requests == 1


@each_interface
def test_recipients_see_own_date_and_message_id(
    ses: SesServer, caller: Caller, interface: str
) -> None:
    """SES replaces Date and Message-ID and takes X-SES-* out; the rest stays."""
    raw = b"X-SES-MESSAGE-TAGS: a=b, c=d\r\nX-SES-CONFIGURATION-SET: set\r\n" + MESSAGE
    ses.state.configuration_sets.add("set")
    message_id = caller.send(interface, raw)
    [accepted] = ses.state.messages
    seen = message.parse(accepted.delivered)
    assert seen.values("Message-ID") == [f"<{message_id}@email.amazonses.com>"]
    assert seen.first("Date") != "Tue, 24 Nov 2026 03:00:00 +0000"
    assert [field.name for field in seen.fields if field.name.startswith("X-")] == []
    assert (seen.first("Subject"), seen.body) == ("hello", b".one line\r\n")
    assert (accepted.tags, accepted.configuration_set) == ({"a": "b", "c": "d"}, "set")


@pytest.mark.parametrize("interface", ["v2", "v1"])
def test_parameters_win_over_headers(ses: SesServer, caller: Caller, interface: str) -> None:
    """Tags and configuration set of the call replace those of the X-SES-* fields."""
    ses.state.configuration_sets |= {"set", "other"}
    raw = b"X-SES-MESSAGE-TAGS: a=b\r\nX-SES-CONFIGURATION-SET: set\r\n" + MESSAGE
    caller.send(interface, raw, tags={"id": "x_1-2"}, configuration_set="other")
    [accepted] = ses.state.messages
    assert (accepted.tags, accepted.configuration_set) == ({"id": "x_1-2"}, "other")


@pytest.mark.parametrize("interface", ["v2", "v1"])
def test_without_destinations_the_header_counts(
    ses: SesServer, caller: Caller, interface: str
) -> None:
    """To, Cc and Bcc of the message are the forward-paths if the call names none."""
    raw = b'Cc: "Doe, J" <j@example.net>, k@k.org\r\nBcc: l@l.org\r\n' + MESSAGE
    caller.send(interface, raw, destinations=[])
    assert ses.state.messages[0].destinations == [
        "bob@example.net",
        "j@example.net",
        "k@k.org",
        "l@l.org",
    ]
    nobody = MESSAGE.replace(b"To: bob@example.net\r\n", b"")
    refused = refusal(caller, interface, nobody, destinations=[])
    assert refused.text == "Missing required header 'To'."


def test_from_email_address_replaces_from(ses: SesServer, caller: Caller) -> None:
    """v2's FromEmailAddress takes the display name away, which is why sesmail never uses it."""
    caller.v2().send_email(
        FromEmailAddress="eve@example.com",
        Content={"Raw": {"Data": MESSAGE}},
        Destination={"ToAddresses": ["c@example.net"]},
    )
    assert message.parse(ses.state.messages[0].raw).values("From") == ["eve@example.com"]


def test_quota_calls(ses: SesServer, caller: Caller) -> None:
    """GetAccount and GetSendQuota tell the limits and what was sent."""
    ses.state.max_send_rate, ses.state.max_24_hour_send, ses.state.sandbox = 5, 200, True
    ses.state.verified_recipients.add("a@a.org")
    caller.send("v2", MESSAGE, destinations=["a@a.org"])
    account = caller.v2().get_account()
    assert account["ProductionAccessEnabled"] is False
    assert account["SendQuota"] == {
        "Max24HourSend": 200.0,
        "MaxSendRate": 5.0,
        "SentLast24Hours": 1.0,
    }
    quota = caller.v1().get_send_quota()
    assert (quota["Max24HourSend"], quota["MaxSendRate"], quota["SentLast24Hours"]) == (200, 5, 1)


# Who gets in.


@pytest.mark.parametrize(
    ("interface", "status", "code"),
    [
        ("v2", 403, "SignatureDoesNotMatch"),
        ("v1", 403, "SignatureDoesNotMatch"),
        ("smtp", 535, ""),
    ],
)
def test_wrong_secret(ses: SesServer, interface: str, status: int, code: str) -> None:
    """A secret that is off by one letter is found out by the signature or the password."""
    with Caller(ses, secret=SECRET[:-1] + "Z") as stranger:
        refused = refusal(stranger, interface, MESSAGE)
    assert (refused.status, refused.code) == (status, code)
    assert ses.state.messages == []
    assert ses.state.requests == 1


@pytest.mark.parametrize(
    ("interface", "status", "code"),
    [
        ("v2", 403, "UnrecognizedClientException"),
        ("v1", 403, "InvalidClientTokenId"),
        ("smtp", 535, ""),
    ],
)
def test_unknown_key(ses: SesServer, interface: str, status: int, code: str) -> None:
    """An access key id that the account does not have."""
    with Caller(ses, key_id="AKIAI44QH8DHBEXAMPLE") as stranger:
        refused = refusal(stranger, interface, MESSAGE)
    assert (refused.status, refused.code) == (status, code)


@pytest.mark.parametrize("interface", ["v2", "v1"])
def test_session_token(ses: SesServer, caller: Caller, interface: str) -> None:
    """A temporary key needs its token, and an expired one says so."""
    ses.state.session_tokens[KEY_ID] = "TOKEN"
    codes = {"v2": "UnrecognizedClientException", "v1": "InvalidClientTokenId"}
    assert refusal(caller, interface, MESSAGE).code == codes[interface]
    with Caller(ses, token="TOKEN") as holder:
        holder.send(interface, MESSAGE)
        ses.state.expired_tokens.add(KEY_ID)
        assert refusal(holder, interface, MESSAGE).code.startswith("ExpiredToken")


def test_temporary_keys_have_no_smtp_password(ses: SesServer, caller: Caller) -> None:
    """SES SMTP takes long-term keys only."""
    ses.state.session_tokens[KEY_ID] = "TOKEN"
    assert refusal(caller, "smtp", MESSAGE).status == 535


@pytest.mark.parametrize("interface", ["v2", "v1"])
@pytest.mark.parametrize(
    ("offset", "text"), [(901, "Signature expired: "), (-901, "Signature not yet current: ")]
)
def test_clock_skew(ses: SesServer, caller: Caller, interface: str, offset: int, text: str) -> None:
    """A clock that is 15 minutes off is refused with SES's text, 14 minutes pass."""
    ses.state.clock = lambda: time.time() + offset
    refused = refusal(caller, interface, MESSAGE)
    assert (refused.status, refused.code) == (403, "SignatureDoesNotMatch")
    assert refused.text.startswith(text)
    ses.state.clock = lambda: time.time() + offset * 840 / 901
    caller.send(interface, MESSAGE)


@each_interface
def test_region(interface: str) -> None:
    """Signatures and SMTP passwords are bound to the region."""
    with (
        SesServer(identities=["example.com"], region="eu-central-1") as abroad,
        Caller(abroad, region="us-east-1") as stranger,
    ):
        refused = refusal(stranger, interface, MESSAGE)
        assert refused.status in (403, 535)
        assert ("eu-central-1" in refused.text) is False


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 403, "MissingAuthenticationToken"),
        ("Basic abc", 400, "IncompleteSignature"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/ses/aws4_request", 400, "IncompleteSignature"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0",
            400,
            "IncompleteSignature",
        ),
    ],
)
def test_malformed_authorization(
    ses: SesServer, authorization: str | None, status: int, code: str
) -> None:
    """A request without a usable Authorization header is refused, not answered with a crash."""
    body = b"Action=GetSendQuota&Version=2010-12-01"
    request = urllib.request.Request(ses.api_url, data=body)
    if authorization:
        request.add_header("Authorization", authorization)
    with pytest.raises(urllib.error.HTTPError) as caught, urllib.request.urlopen(request):
        pass
    with caught.value as answer:
        assert answer.code == status
        assert f"<Code>{code}</Code>" in answer.read().decode()


@pytest.mark.parametrize(
    ("secret", "region", "password"),
    [
        ("some+secret+key", "eu-central-1", "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"),
        ("another+secret+key", "eu-central-1", "BBbphbrQmrKMx42d1N6+C7VINYEBGI5v9VsZeTxwskfh"),
        ("some+secret+key", "us-west-1", "BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj"),
    ],
)
def test_smtp_password_vectors(secret: str, region: str, password: str) -> None:
    """Derived as in the published vectors of others."""
    assert signatures.smtp_password(secret, region) == password


def test_old_smtp_password(ses: SesServer) -> None:
    """Version 2 passwords start with 0x02, are region-free and still log in."""
    password = ses.smtp_password(version=2)
    assert base64.b64decode(password)[0] == 2
    assert signatures.smtp_login(ses.state, KEY_ID, password)
    assert not signatures.smtp_login(ses.state, KEY_ID, SECRET)


@pytest.mark.parametrize(
    ("interface", "lacks", "status", "code"),
    [
        ("v2", "ses:SendEmail", 403, "AccessDeniedException"),
        ("v2", "ses:SendRawEmail", 403, "AccessDeniedException"),
        ("v1", "ses:SendRawEmail", 403, "AccessDenied"),
        ("smtp", "ses:SendRawEmail", 554, ""),
    ],
)
def test_permissions(
    ses: SesServer, caller: Caller, interface: str, lacks: str, status: int, code: str
) -> None:
    """v2 needs both actions, v1 and SMTP only ses:SendRawEmail; the text names what is lacking."""
    ses.state.denied[KEY_ID] = {lacks}
    refused = refusal(caller, interface, MESSAGE)
    assert (refused.status, refused.code) == (status, code)
    assert f"is not authorized to perform `{lacks}' on resource" in refused.text
    if lacks == "ses:SendEmail":
        caller.send("v1", MESSAGE)
        caller.send("smtp", MESSAGE)


# Who may send what.


@each_interface
@pytest.mark.parametrize(
    ("field", "failed"),
    [
        (b"From: Eve <eve@elsewhere.org>", "Eve <eve@elsewhere.org>"),
        (b"Sender: eve@elsewhere.org", "eve@elsewhere.org"),
        (b"Return-Path: <eve@elsewhere.org>", "<eve@elsewhere.org>"),
    ],
)
def test_unverified_fields(
    ses: SesServer, caller: Caller, interface: str, field: bytes, failed: str
) -> None:
    """From, Sender and Return-Path of the message must be identities."""
    raw = field + b"\r\n" + MESSAGE
    if field.startswith(b"From"):
        raw = field + b"\r\n" + MESSAGE.partition(b"\r\n")[2]
    refused = refusal(caller, interface, raw)
    assert (refused.status, refused.code) == REJECTED[interface]
    assert refused.text.removeprefix("Message rejected: ") == UNVERIFIED + failed
    assert ses.state.messages == []


@each_interface
def test_unverified_source(caller: Caller, interface: str) -> None:
    """So must Source, FeedbackForwardingEmailAddress and MAIL FROM."""
    refused = refusal(caller, interface, MESSAGE, source="root@ip-10-0-0-7.ec2.internal")
    assert (refused.status, refused.code) == REJECTED[interface]
    assert refused.text.endswith(UNVERIFIED + "root@ip-10-0-0-7.ec2.internal")


@pytest.mark.parametrize(
    ("identity", "address", "good"),
    [
        ("example.com", "a@example.com", True),
        ("example.com", "a@EXAMPLE.com", True),
        ("Example.COM", "a@example.com", True),
        ("example.com", "a@deep.below.example.com", True),
        ("example.com", "a@notexample.com", False),
        ("sub.example.com", "a@example.com", False),
        ("ann@example.com", "ann@example.com", True),
        ("ann@example.com", "Ann@example.com", False),
        ("ann@example.com", "ann@EXAMPLE.com", False),
        ("ann@example.com", "bob@example.com", False),
    ],
)
def test_identity_matching(
    ses: SesServer, caller: Caller, identity: str, address: str, good: bool
) -> None:
    """Domains match in any case and with subdomains, addresses letter by letter."""
    ses.state.identities.clear()
    ses.state.identities.add(identity)
    raw = f"From: {address}\r\nTo: b@b.org\r\n\r\n".encode()
    if good:
        caller.send("v2", raw, source=None)
    else:
        assert refusal(caller, "v2", raw, source=None).code == "MessageRejected"


@each_interface
def test_sandbox(ses: SesServer, caller: Caller, interface: str) -> None:
    """In the sandbox recipients must be verified too; the mailbox simulator always is."""
    ses.state.sandbox = True
    refused = refusal(caller, interface, MESSAGE, destinations=["bob@example.net", "c@c.org"])
    assert (refused.status, refused.code) == REJECTED[interface]
    assert refused.text.endswith(UNVERIFIED + "bob@example.net, c@c.org")
    ses.state.verified_recipients.add("bob@example.net")
    known = ["bob@example.net", "any@example.com", "success@simulator.amazonses.com"]
    caller.send(interface, MESSAGE, destinations=known)
    assert ses.state.messages[0].destinations == known


@each_interface
def test_recipient_limit(ses: SesServer, caller: Caller, interface: str) -> None:
    """50 forward-paths pass, 51 do not."""
    many = [f"r{number}@example.net" for number in range(51)]
    refused = refusal(caller, interface, MESSAGE, destinations=many)
    assert (refused.status, refused.code) == BAD_VALUE[interface]
    assert refused.text == PREFIX[interface] + "Recipient count exceeds 50"
    caller.send(interface, MESSAGE, destinations=many[:50])
    assert len(ses.state.messages[0].destinations) == 50


@pytest.mark.parametrize(
    ("interface", "limit", "status", "text"),
    [
        ("v1", 10485760, 400, "Message length is more than 10485760 bytes long: '10485761'"),
        ("v2", 41943040, 400, "Message length is more than 41943040 bytes long: '41943041'"),
        ("smtp", 41943040, 552, "Message is too long."),
    ],
)
def test_length_limit(
    ses: SesServer, caller: Caller, interface: str, limit: int, status: int, text: str
) -> None:
    """A message of the limit's length passes, with one byte more it does not."""
    line = b"x" * 998 + b"\r\n"
    fill = MESSAGE + line * ((limit - len(MESSAGE)) // len(line))
    exact = fill + b"y" * (limit - len(fill) - 2) + b"\r\n"
    assert len(exact) == limit
    longer = exact[:-2] + b"z\r\n"
    refused = refusal(caller, interface, longer)
    assert (refused.status, refused.text) == (status, text)
    caller.send(interface, exact)
    assert len(ses.state.messages[0].raw) == limit


SINGLE = ["Subject", "DKIM-Signature", "Comments", "MIME-Version", "message-id", "List-Unsubscribe"]


@each_interface
@pytest.mark.parametrize("name", SINGLE)
def test_duplicate_header(caller: Caller, interface: str, name: str) -> None:
    """A field of SES's list may come once, whatever RFC 5322 says."""
    field = f"{name}: x\r\n".encode()
    bare = b"".join(
        line
        for line in MESSAGE.splitlines(keepends=True)
        if not line.lower().startswith(name.lower().encode() + b":")
    )
    caller.send(interface, field + bare)
    refused = refusal(caller, interface, field + field + bare)
    assert (refused.status, refused.code) == BAD_VALUE[interface]
    assert refused.text == f"{PREFIX[interface]}Duplicate header '{name}'."


@each_interface
def test_repeatable_header(ses: SesServer, caller: Caller, interface: str) -> None:
    """Fields that are not on the list may repeat: Received and X-Anything."""
    caller.send(interface, b"Received: a\r\nReceived: b\r\nX-A: 1\r\nX-A: 2\r\n" + MESSAGE)
    assert len(ses.state.messages) == 1


@each_interface
@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"To: a@a.org\r\n\r\nbody\r\n", "Missing required header 'From'."),
        (b"From: \r\nTo: a@a.org\r\n\r\n", "Empty required header 'From'."),
        (b"From: a@example.com\r\nTo:\r\n\r\n", "Empty required header 'To'."),
        (b"From: a@example.com\r\nTo: root\r\n\r\n", "Missing final '@domain'"),
        (b"From: root\r\nTo: a@a.org\r\n\r\n", "Missing final '@domain'"),
        (b"From: Acme, Inc <a@example.com>\r\n\r\n", "Missing final '@domain'"),
        (b"From: a@example.com\r\nCc: a@\r\n\r\n", "Missing domain"),
        (b"From: a@example.com\r\nCc: a@b_c.org\r\n\r\n", "Domain contains illegal character"),
        (b"From: a@example.com\r\nCc: a@b.org.\r\n\r\n", "Domain ends with dot"),
        (
            "From: a@example.com\r\nCc: dån@b.org\r\n\r\n".encode(),
            "Local address contains control or whitespace",
        ),
        (
            "From: a@example.com\r\nCc: a@bücher.example\r\n\r\n".encode(),
            "Domain contains illegal character",
        ),
        (b"From: a@example.com\r\nno field\r\n\r\n", "Illegal header 'no field'."),
        (b"From: a@example.com\r\n: empty\r\n\r\n", "Empty header names are illegal."),
        (
            b"From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nnone\r\n",
            "Missing start boundary",
        ),
    ],
)
def test_message_syntax(caller: Caller, interface: str, raw: bytes, text: str) -> None:
    """Each text is SES's; none names the address or the field that is wrong."""
    refused = refusal(caller, interface, raw)
    assert (refused.status, refused.code) == BAD_VALUE[interface]
    assert refused.text == PREFIX[interface] + text


@pytest.mark.parametrize("interface", ["v2", "v1"])
def test_one_bad_recipient_refuses_all(ses: SesServer, caller: Caller, interface: str) -> None:
    """A malformed forward-path refuses the whole call; an empty one too."""
    refused = refusal(caller, interface, MESSAGE, destinations=["ok@a.org", "a b@a.org"])
    assert refused.text == "Local address contains control or whitespace"
    refused = refusal(caller, interface, MESSAGE, destinations=["ok@a.org", ""])
    assert refused.text == "Invalid email address ."
    assert ses.state.messages == []


@each_interface
def test_configuration_set(ses: SesServer, caller: Caller, interface: str) -> None:
    """A configuration set must exist, also one that a header field names."""
    raw = b"X-SES-CONFIGURATION-SET: missing\r\n" + MESSAGE
    refused = refusal(caller, interface, raw)
    expected = {"v2": (404, "NotFoundException"), "v1": (400, "ConfigurationSetDoesNotExist")}
    assert (refused.status, refused.code) == expected.get(interface, (554, ""))
    ses.state.configuration_sets.add("missing")
    caller.send(interface, raw)


@pytest.mark.parametrize("interface", ["v2", "v1"])
@pytest.mark.parametrize(
    ("tags", "text"), [({"a:b": "c"}, "Invalid tag name <a:b>"), ({"a": "é"}, "Invalid tag value")]
)
def test_tags(caller: Caller, interface: str, tags: dict[str, str], text: str) -> None:
    """Tags are of letters, digits, `_` and `-`."""
    refused = refusal(caller, interface, MESSAGE, tags=tags)
    assert refused.text.startswith(text)


@pytest.mark.parametrize(
    ("interface", "status", "code"),
    [("v2", 429, "TooManyRequestsException"), ("v1", 400, "Throttling"), ("smtp", 454, "")],
)
def test_rate(ses: SesServer, caller: Caller, interface: str, status: int, code: str) -> None:
    """A burst passes whole; then all is throttled until the debt of recipients is paid."""
    now = time.time()
    ses.state.clock = lambda: now
    ses.state.max_send_rate = 2
    caller.send(interface, MESSAGE, destinations=[f"r{n}@a.org" for n in range(6)])
    refused = refusal(caller, interface, MESSAGE)
    assert (refused.status, refused.code) == (status, code)
    assert refused.text.endswith("Maximum sending rate exceeded.")
    now += 2.4
    refusal(caller, interface, MESSAGE)
    now += 0.2
    caller.send(interface, MESSAGE)


@each_interface
def test_daily_quota(ses: SesServer, caller: Caller, interface: str) -> None:
    """Recipients of the last 24 hours count against the quota."""
    now = time.time()
    ses.state.clock = lambda: now
    ses.state.max_24_hour_send = 2
    caller.send(interface, MESSAGE, destinations=["a@a.org", "b@b.org"])
    assert "Daily message quota exceeded" in refusal(caller, interface, MESSAGE).text
    assert len(ses.state.messages) == 1
    ses.state.sent.clear()
    caller.send(interface, MESSAGE)


# Requests that are none.


def test_unknown_operations(caller: Caller) -> None:
    """An operation that the stand-in does not have is refused as SES refuses an unknown one."""
    with pytest.raises(caller.v1().exceptions.ClientError, match="InvalidAction"):
        caller.v1().list_identities()
    with pytest.raises(caller.v2().exceptions.ClientError, match="UnknownOperationException"):
        caller.v2().list_contact_lists()


def test_https(ses: SesServer) -> None:
    """The API answers over TLS with a certificate of the CA in ca_file."""
    with Caller(ses, tls=True) as caller:
        caller.send("v2", MESSAGE)
        caller.send("v1", MESSAGE)
    assert [one.interface for one in ses.state.messages] == ["v2", "v1"]


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("a@b.c", ["a@b.c"]),
        ('"Doe, J" <j@b.c>, k@b.c', ["j@b.c", "k@b.c"]),
        ("A (x, (y) z) <a@b.c>, (only a comment)", ["a@b.c", ""]),
        ("friends: a@b.c, B <b@b.c>;, c@b.c", ["a@b.c", "b@b.c", "c@b.c"]),
        ("undisclosed-recipients:;", []),
        ('"a b"@b.c', ['"a b"@b.c']),
        ("a@b.c (A \\) B)", ["a@b.c"]),
    ],
)
def test_address_lists(field: str, found: list[str]) -> None:
    """Groups, comments and quoted strings are told apart."""
    assert [addresses.bare(one) for one in addresses.split_list(field)] == found


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("", "Empty address"),
        ("root", "Missing final '@domain'"),
        ("@a.org", "Missing local name"),
        ("a@", "Missing domain"),
        (".a@a.org", "Local address starts with dot"),
        ("a.@a.org", "Local address ends with dot"),
        ("a..b@a.org", "Local address contains dot-dot"),
        ("a b@a.org", "Local address contains control or whitespace"),
        ("a,b@a.org", "Local address contains illegal character"),
        ('a"b"@a.org', "Unexpected quote"),
        ('"a"b@a.org', "Quote not at end of local address"),
        ('"a@a.org', "Unterminated quote"),
        ("a@.a.org", "Domain starts with dot"),
        ("a@a.org.", "Domain ends with dot"),
        ("a@a..org", "Domain contains dot-dot"),
        ("a@a b.org", "Domain contains control or whitespace"),
        ("a@a_b.org", "Domain contains illegal character"),
        ("a@b@a.org", "Domain contains illegal character"),
    ],
)
def test_malformed_addresses(address: str, text: str) -> None:
    """Each offence has JavaMail's text, which is SES's."""
    with pytest.raises(Refusal) as caught:
        addresses.check(address)
    assert caught.value.message == text


@pytest.mark.parametrize(
    "address", ["a.b+c@a-b.org", '"a b"@a.org', '"a\\"b"@a.org', "a@[1.2.3.4]"]
)
def test_good_addresses(address: str) -> None:
    """These are taken."""
    addresses.check(address)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """Whatever an address field holds, it is taken or refused: nothing else happens."""
    with contextlib.suppress(Refusal):
        for one in addresses.split_list(text):
            addresses.check(addresses.bare(one))


def test_many_at_once() -> None:
    """Several servers live side by side, each on ports of its own and with its own state."""
    with SesServer(identities=["example.com"]) as one, SesServer() as two:
        with Caller(one) as caller:
            caller.send("v2", MESSAGE)
        assert one.api_url != two.api_url
        assert (len(one.state.messages), len(two.state.messages)) == (1, 0)
