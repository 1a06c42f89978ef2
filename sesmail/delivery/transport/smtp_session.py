"""An SMTP session with SES: where, by which TLS, and the login (RFC 4954).

Without ``smtp_port`` and ``smtp_tls`` it is 465 (TLS from the start), and 587 (STARTTLS) if 465
cannot be reached; either key means only that. The login is one PLAIN or LOGIN: smtplib's own would
try one method after the other, and SES counts each as a failure.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from base64 import b64encode
from typing import Any

from sesmail.delivery import replies, trust
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.delivery.transport import addresses
from sesmail.delivery.transport.deadline import CONNECT_TIMEOUT, READ_TIMEOUT, Deadline
from sesmail.sysexits import EX_UNAVAILABLE

WRAPPER, STARTTLS, NONE = "wrapper", "starttls", "none"
_PORTS = {WRAPPER: 465, STARTTLS: 587, NONE: 25}
_WRAPPED_PORTS = (465, 2465)
_GOODBYE = 1.0  # seconds that QUIT may take
_NAME = "[127.0.0.1]"  # RFC 5321, 4.1.1.1; a look-up of our name could hang
_DOT = re.compile(rb"^\.", re.MULTILINE)
_HOSTNAME_MISMATCH = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def host(credentials: Credentials) -> str:
    """Return the host to connect to."""
    return credentials.smtp_host or f"email-smtp.{credentials.region}.amazonaws.com"


def doors(credentials: Credentials) -> list[tuple[int, str]]:
    """Return the ports to try, each with its kind of TLS."""
    port, tls = credentials.smtp_port, credentials.smtp_tls
    if port is None and not tls:
        return [(_PORTS[WRAPPER], WRAPPER), (_PORTS[STARTTLS], STARTTLS)]
    if not tls:
        tls = WRAPPER if port in _WRAPPED_PORTS else STARTTLS
    return [(port or _PORTS[tls], tls)]


def limit(session: smtplib.SMTP, deadline: Deadline) -> None:
    """Let the next wait of the session end within the deadline; TimeoutError if that is over."""
    if deadline.over():
        raise TimeoutError("no time is left")
    if session.sock is not None:
        session.sock.settimeout(deadline.cut(READ_TIMEOUT))


def open_session(credentials: Credentials, deadline: Deadline) -> smtplib.SMTP | Result:
    """Return a session that is logged in, or the result that says why there is none."""
    name = host(credentials)
    for port, tls in doors(credentials):
        opening = _Opening(name, port, tls, trust.bundle(credentials.ca_file), deadline)
        session = opening.connect()
        if not opening.unreachable:
            break
    if isinstance(session, Result):
        return session
    return _login(session, credentials, name, deadline)


class _Plain(smtplib.SMTP):
    """A session whose time-out for connecting is that of all addresses together."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return addresses.connect(host, port, timeout)


class _Wrapped(smtplib.SMTP_SSL, _Plain):
    """The same under TLS: SMTP_SSL wraps what the next class in line connects."""


class _Opening:
    """One try to reach a port and to be sure who is there."""

    def __init__(self, name: str, port: int, tls: str, ca_file: str, deadline: Deadline) -> None:
        self._name = name
        self._port = port
        self._tls = tls
        self._ca_file = ca_file
        self._deadline = deadline
        self.unreachable = False

    def connect(self) -> smtplib.SMTP | Result:
        """Return a session under TLS after EHLO, or the result that says why there is none."""
        context = ssl.create_default_context(cafile=self._ca_file)
        try:
            return self._connect(context)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in _HOSTNAME_MISMATCH:
                return self._wrong_name()
            return replies.classify_smtp_error(error, "CONNECT", self._name)
        except smtplib.SMTPConnectError as error:
            return replies.classify_smtp(
                error.smtp_code, error.smtp_error, "CONNECT", relay=self._name
            )
        except smtplib.SMTPResponseException as error:
            return replies.classify_smtp(
                error.smtp_code, error.smtp_error, "EHLO", relay=self._name
            )
        except (OSError, smtplib.SMTPException) as error:
            self.unreachable = isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
            return replies.classify_smtp_error(error, "CONNECT", self._name)

    def _connect(self, context: ssl.SSLContext) -> smtplib.SMTP:
        timeout = max(self._deadline.cut(CONNECT_TIMEOUT), 0.001)
        session: smtplib.SMTP
        if self._tls == WRAPPER:
            session = _Wrapped(self._name, self._port, _NAME, timeout=timeout, context=context)
        else:
            session = _Plain(self._name, self._port, _NAME, timeout=timeout)
        try:
            self._greet(session, context)
        except BaseException:
            session.close()
            raise
        return session

    def _greet(self, session: smtplib.SMTP, context: ssl.SSLContext) -> None:
        limit(session, self._deadline)
        if session.sock is not None:
            # Text and final dot are two writes: without this the dot would wait for an ACK.
            session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session.ehlo_or_helo_if_needed()
        if self._tls == STARTTLS:
            limit(session, self._deadline)
            session.starttls(context=context)
            session.ehlo_or_helo_if_needed()

    def _wrong_name(self) -> Result:
        names = self._names_in_certificate()
        text = f"the certificate of {self._name} is for {names}, not for {self._name}"
        advice = "correct smtp_host, or find out who answers in its place"
        return Result(
            Outcome.DEFERRED,
            "4.7.5",
            f"{replies.clean(text)}; {advice}",
            self._name,
            "",
            EX_UNAVAILABLE,
            Retry.SOON,
        )

    def _names_in_certificate(self) -> str:
        """Connect again, by a trusted authority but under any name, to read the names."""
        context = ssl.create_default_context(cafile=self._ca_file)
        context.check_hostname = False
        try:
            session = self._connect(context)
        except (OSError, smtplib.SMTPException):
            return "another name"
        with contextlib.closing(session):
            certificate = (
                session.sock.getpeercert() if isinstance(session.sock, ssl.SSLSocket) else {}
            )
        alternatives: Any = (certificate or {}).get("subjectAltName", ())
        return ", ".join(str(name) for _, name in alternatives) or "no name at all"


def _login(
    session: smtplib.SMTP, credentials: Credentials, name: str, deadline: Deadline
) -> smtplib.SMTP | Result:
    methods = session.esmtp_features.get("auth", "").upper().split()
    session.user, session.password = credentials.access_key_id, credentials.smtp_password
    try:
        limit(session, deadline)
        if "PLAIN" in methods:
            session.auth("PLAIN", session.auth_plain)
        elif "LOGIN" in methods:
            session.auth("LOGIN", session.auth_login)
        else:
            raise smtplib.SMTPNotSupportedError(
                "the server offers neither AUTH PLAIN nor AUTH LOGIN"
            )
    except smtplib.SMTPResponseException as error:
        session.close()
        said = _without_password(error.smtp_error, credentials)
        return replies.classify_smtp(error.smtp_code, said, "AUTH", relay=name)
    except (OSError, smtplib.SMTPException) as error:
        session.close()
        return replies.classify_smtp_error(error, "AUTH", name)
    return session


def _without_password(said: bytes | str, credentials: Credentials) -> bytes:
    """Return a reply to AUTH for the log: some servers repeat there what they did not like."""
    said = said if isinstance(said, bytes) else said.encode()
    password = credentials.smtp_password.encode()
    pair = b"\0%b\0%b" % (credentials.access_key_id.encode(), password)
    for secret in (b64encode(pair), b64encode(password), password):
        said = said.replace(secret, b"(password)")
    return said


def close(session: smtplib.SMTP) -> None:
    """Say goodbye without waiting for an answer, and close."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        if session.sock is not None:
            session.sock.settimeout(_GOODBYE)
        session.putcmd("QUIT")
    session.close()


def stuff_dots(message: bytes) -> bytes:
    """Return the text with its dots doubled (RFC 5321, 4.5.2) and a CRLF at its end."""
    text = _DOT.sub(b"..", message)
    return text if text.endswith(b"\r\n") else text + b"\r\n"
