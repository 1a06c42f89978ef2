"""Scripted faults of the SES stand-in reach a real client as the error table says."""

from __future__ import annotations

import smtplib
import socket
import ssl
import urllib.parse

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from tests.fakes import faults
from tests.fakes.client import INTERFACES, Caller, Refused
from tests.fakes.faults import ANSWER, CERTIFICATE, SMTP, Fault
from tests.fakes.ses import FAULTS, SesServer

MESSAGE = b"From: ann@example.com\r\nTo: bob@example.net\r\nSubject: x\r\n\r\nbody\r\n"
MOMENTS = {
    "v2": {"connect", "request", "accepted"},
    "v1": {"connect", "request", "accepted"},
    "smtp": {"connect", "greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "dot", "accepted"},
}
ANSWERS = [
    pytest.param(fault, interface, id=f"{fault.name}-{interface}")
    for fault in FAULTS.values()
    for interface, strike in fault.strikes.items()
    if strike.action == ANSWER and fault.name != "proxy-page"
]
CERTIFICATES = {
    "certificate-name": "mismatch|doesn't match",
    "certificate-expired": "expired",
    "certificate-untrusted": "self-signed certificate in certificate chain|unable to get local",
}
each_interface = pytest.mark.parametrize("interface", INTERFACES)


def refusal(caller: Caller, interface: str) -> Refused:
    """The refusal that a message meets; an accepted one fails the test."""
    with pytest.raises(Refused) as caught:
        caller.send(interface, MESSAGE)
    return caught.value


def test_the_table_is_complete() -> None:
    """Each row of the API table that a server can produce, and each SMTP reply, has a fault."""
    rows = {fault.row for fault in FAULTS.values()}
    assert rows >= {str(row) for row in range(1, 35)} - {"32", "33"}
    replies = {
        strike.status
        for fault in FAULTS.values()
        if fault.row == "2.1"
        for strike in fault.strikes.values()
    }
    assert replies >= {421, 451, 454, 501, 530, 535, 552, 553, 554}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_table_is_sound(fault: Fault) -> None:
    """Every fault strikes somewhere, at a moment that its interface has."""
    assert fault.strikes
    for interface, strike in fault.strikes.items():
        assert strike.moment in MOMENTS[interface]


@pytest.mark.parametrize(("fault", "interface"), ANSWERS)
def test_answer(ses: SesServer, caller: Caller, fault: Fault, interface: str) -> None:
    """The client sees status, code and text; nothing is accepted; it was one request."""
    ses.script(fault.name, times=1)
    refused = refusal(caller, interface)
    strike = fault.strikes[interface]
    text = (
        strike.message.replace("{region}", "US-EAST-1")
        .replace("{recipient}", "bob@example.net")
        .replace("{source}", "ann@example.com")
        .replace("{author}", "ann@example.com")
    )
    assert refused.status == strike.status
    if strike.code:
        assert (refused.code, refused.text) == (strike.code, text)
    if interface == SMTP:
        assert refused.text == text
    assert ses.state.messages == []
    assert ses.state.requests == 1
    caller.send(interface, MESSAGE)
    assert len(ses.state.messages) == 1


@each_interface
def test_an_endless_fault(ses: SesServer, caller: Caller, interface: str) -> None:
    """Without `times` it strikes until it is cleared or another one is scripted."""
    ses.script(faults.reply("dot", 451, "one") if interface == SMTP else faults.answer(503, "One"))
    for _ in range(3):
        assert refusal(caller, interface).status in (451, 503)
    ses.script(faults.reply("dot", 452, "two") if interface == SMTP else faults.answer(500, "Two"))
    assert refusal(caller, interface).status in (452, 500)
    ses.script(None)
    caller.send(interface, MESSAGE)
    assert ses.state.requests == 5


def test_faults_come_in_order(ses: SesServer, caller: Caller) -> None:
    """Counted faults queue up."""
    ses.script("rate", times=1)
    ses.script("internal-failure", times=2)
    statuses = [refusal(caller, "v2").status for _ in range(3)]
    assert statuses == [429, 500, 500]
    caller.send("v2", MESSAGE)


@each_interface
def test_a_fault_for_one_recipient(ses: SesServer, caller: Caller, interface: str) -> None:
    """With a recipient only the requests that name it meet the fault."""
    name = "smtp-blacklisted" if interface == SMTP else "blacklisted"
    ses.script(name, recipient="bad@example.net")
    caller.send(interface, MESSAGE, destinations=["good@example.net"])
    with pytest.raises(Refused, match="Address blacklisted"):
        caller.send(interface, MESSAGE, destinations=["good@example.net", "bad@example.net"])
    assert [one.destinations for one in ses.state.messages] == [["good@example.net"]]


@pytest.mark.parametrize("interface", ["v2", "v1"])
def test_a_wrong_key_comes_before_a_fault(ses: SesServer, interface: str) -> None:
    """A scripted fault does not hide that the signature is wrong, and is not used up by it."""
    ses.script("rate", times=1)
    with Caller(ses, secret="x" * 40) as stranger:
        assert refusal(stranger, interface).code == "SignatureDoesNotMatch"
    with Caller(ses) as caller:
        assert "rate exceeded" in refusal(caller, interface).text


@pytest.mark.parametrize("name", ["bad-gateway", "gateway-timeout"])
def test_no_body(ses: SesServer, name: str) -> None:
    """502 and 504 of a proxy are without a body and without SES's headers."""
    ses.script(name)
    with Caller(ses) as caller, pytest.raises(caller.v2().exceptions.ClientError) as caught:
        caller.v2().send_email(Content={"Raw": {"Data": MESSAGE}})
    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-length"] == "0"
    assert "x-amzn-errortype" not in headers


def test_a_proxy_page(ses: SesServer, caller: Caller) -> None:
    """A proxy's HTML page: boto3 makes an error of it in v2 and chokes on it in v1."""
    ses.script("proxy-page")
    assert refusal(caller, "v2").status == 502
    with pytest.raises(ResponseParserError, match="502 Bad Gateway"):
        caller.send("v1", MESSAGE)
    assert ses.state.messages == []


# Connections that end in no answer.


@pytest.mark.parametrize("interface", ["v2", "v1"])
@pytest.mark.parametrize(("name", "accepted"), [("drop-before-accept", 0), ("accept-then-drop", 1)])
def test_dropped_requests(
    ses: SesServer, caller: Caller, interface: str, name: str, accepted: int
) -> None:
    """The connection closes without an answer; whether SES took it, only its state knows."""
    ses.script(name, times=1)
    with pytest.raises(ConnectionClosedError):
        caller.send(interface, MESSAGE)
    assert len(ses.state.messages) == accepted
    assert ses.state.requests == 1


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("drop-greeting", 0),
        ("drop-mail", 0),
        ("drop-before-accept", 0),
        ("accept-then-drop", 1),
        ("garbage-greeting", 0),
    ],
)
def test_dropped_sessions(ses: SesServer, caller: Caller, name: str, accepted: int) -> None:
    """SMTP sessions end without a reply at the greeting, MAIL, the final dot or after it."""
    ses.script(name, times=1)
    with pytest.raises((smtplib.SMTPServerDisconnected, Refused)):
        caller.send("smtp", MESSAGE)
    assert len(ses.state.messages) == accepted
    assert ses.state.requests == 1


def test_garbage(ses: SesServer, caller: Caller) -> None:
    """An answer that is none."""
    ses.script("garbage")
    for interface in ("v2", "v1"):
        with pytest.raises(HTTPClientError):
            caller.send(interface, MESSAGE)
    assert refusal(caller, "smtp").status == -1
    assert ses.state.messages == []


@pytest.mark.parametrize("interface", ["v2", "v1"])
def test_slow_answers(ses: SesServer, interface: str) -> None:
    """The message is taken although the client gave up; closing does not wait for the answer."""
    ses.script(faults.slow(600))
    with Caller(ses, patience=0.2) as hasty, pytest.raises(ReadTimeoutError):
        hasty.send(interface, MESSAGE)
    assert len(ses.state.wait_for_messages(1)) == 1


def test_a_slow_reply(ses: SesServer, caller: Caller) -> None:
    """So over SMTP: the message is taken, and no reply comes."""
    ses.script(faults.slow(600))
    with caller.smtps() as connection:
        caller.login(connection)
        connection.mail("ann@example.com")
        connection.rcpt("bob@example.net")
        connection.docmd("DATA")
        connection.send(MESSAGE + b".\r\n")
        assert len(ses.state.wait_for_messages(1)) == 1
        assert isinstance(connection.sock, socket.socket)
        connection.sock.settimeout(0.2)
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            connection.getreply()


def test_slow_answers_do_come(ses: SesServer, caller: Caller) -> None:
    """A client that waits gets its answer."""
    ses.script(faults.slow(0.05))
    for interface in INTERFACES:
        caller.send(interface, MESSAGE)
    assert len(ses.state.messages) == 3


def test_refuse(ses: SesServer, caller: Caller) -> None:
    """Nobody listens, warm connections break, and the same ports come back."""
    caller.send("v2", MESSAGE)
    ses.script("refuse")
    with pytest.raises(EndpointConnectionError):
        caller.send("v2", MESSAGE)
    with pytest.raises(ConnectionRefusedError):
        caller.send("smtp", MESSAGE)
    with pytest.raises(ValueError, match="cannot be counted"):
        ses.script("refuse", times=2)
    ses.script(None)
    for interface in INTERFACES:
        caller.send(interface, MESSAGE)
    assert [one.interface for one in ses.state.messages] == ["v2", "v2", "v1", "smtp"]


# Certificates.


@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("interface", ["v2", "v1"])
def test_certificates_of_the_api(ses: SesServer, name: str, interface: str) -> None:
    """A certificate for another name, an expired one and one of an unknown CA are all refused."""
    ses.script(name, times=1)
    with Caller(ses, tls=True) as caller:
        with pytest.raises(SSLError, match=CERTIFICATES[name]):
            caller.send(interface, MESSAGE)
        caller.send(interface, MESSAGE)


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates_of_smtp(ses: SesServer, caller: Caller, name: str) -> None:
    """So on both SMTP ports."""
    ses.script(name, times=2)
    with pytest.raises(ssl.SSLCertVerificationError, match=CERTIFICATES[name]):
        caller.smtps()
    connection = caller.starttls()
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match=CERTIFICATES[name]):
            connection.starttls(context=caller.context())
    finally:
        connection.close()
    caller.send("smtp", MESSAGE)


def test_the_other_name(ses: SesServer) -> None:
    """The certificate for another host is valid for that host, and trusted."""
    ses.script("certificate-name")
    assert FAULTS["certificate-name"].strikes["v2"].action == CERTIFICATE
    context = ssl.create_default_context(cafile=ses.ca_file)
    port = urllib.parse.urlsplit(ses.api_tls_url).port
    assert port is not None
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="mail.elsewhere.example") as secure,
    ):
        assert secure.version() in ("TLSv1.2", "TLSv1.3")
