"""Whether SES can be reached, step by step, and what the clock there says.

AWS refuses what was signed over a quarter of an hour ago, or will be.
"""

from __future__ import annotations

import difflib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from sesmail.control.check.finding import Finding, broken, ok, warning
from sesmail.delivery import trust
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.transport import addresses

_PATIENCE = 10.0  # seconds for the connection, and for each wait after it
_CLOCK_OFF = 300.0  # seconds: a warning
_CLOCK_WRONG = 900.0  # what AWS allows
_CLOCK_CODES = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_SUBJECT = "endpoint"
_NTP = "set this host's clock, and keep it right: timedatectl set-ntp true"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API of SES is."""

    url: str
    region: str
    ca_file: str

    @property
    def host(self) -> str:
        """The name of the host."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port."""
        url = urlsplit(self.url)
        return url.port or (443 if url.scheme == "https" else 80)


class Unreached(Exception):
    """The step that failed is the ``finding``."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def of(credentials: Credentials) -> Endpoint:
    """Return the endpoint of the API that the credentials lead to."""
    region = credentials.region
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    url = credentials.endpoint_url or f"https://email.{region}.{suffix}"
    return Endpoint(url, region, credentials.ca_file)


def reach(endpoint: Endpoint) -> list[Finding]:
    """Return what is found on the way to the endpoint; nothing there is broken if it answers."""
    try:
        date = _ask(endpoint)
    except Unreached as unreached:
        return [unreached.finding]
    return [ok(_SUBJECT, f"{endpoint.url} answers"), *clock(date, endpoint.host, time.time())]


def clock(date: str, host: str, now: float) -> Iterator[Finding]:
    """Compare our clock with the Date field of an answer."""
    try:
        ahead = now - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return  # it told none
    text = f"this host's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {host}"
    if abs(ahead) > _CLOCK_WRONG:
        yield broken("clock", f"{text}: AWS refuses what is signed so far off", _NTP)
    elif abs(ahead) > _CLOCK_OFF:
        yield warning("clock", f"{text}; beyond 900 s AWS refuses all mail", _NTP)
    else:
        yield ok("clock", f"less than {_CLOCK_OFF:.0f} s from that of {host}")


def _ask(endpoint: Endpoint) -> str:
    """Return the Date field of an answer to a request without meaning. Raises Unreached."""
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=_PATIENCE)
    connection.sock = _encrypted(endpoint, _connected(endpoint))
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise Unreached(
            broken(
                _SUBJECT,
                f"what answers at {endpoint.url} does not speak HTTP as SES does: {reason}",
                "correct endpoint_url in the credentials file, or find out who answers there",
            )
        ) from None
    finally:
        connection.close()
    return answer.getheader("Date") or ""


def _connected(endpoint: Endpoint) -> socket.socket:
    try:
        socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreached(
            broken(
                _SUBJECT,
                f"DNS: no address for {endpoint.host}: {error.strerror}{_no_region(endpoint)}",
                "correct region or endpoint_url in the credentials file, or the resolver of this "
                "host (/etc/resolv.conf)",
            )
        ) from None
    try:
        return addresses.connect(endpoint.host, endpoint.port, _PATIENCE)
    except OSError as error:
        raise Unreached(
            broken(
                _SUBJECT,
                f"TCP: no connection to {endpoint.host}, port {endpoint.port}: "
                f"{error.strerror or error}",
                "let this host connect there: look at firewall, route, and endpoint_url",
            )
        ) from None


def _no_region(endpoint: Endpoint) -> str:
    """Say what is wrong with the region, if it is none that botocore knows."""
    import botocore.session  # 100 ms, for those alone whose look-up failed

    session = botocore.session.Session()
    known = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sesv2", partition)
    ]
    if endpoint.region in known:
        return ""
    near = difflib.get_close_matches(endpoint.region, known, 1)
    return f"; SES is in no region {endpoint.region}" + (f", {near[0]} is meant?" if near else "")


def _encrypted(endpoint: Endpoint, connection: socket.socket) -> socket.socket:
    if urlsplit(endpoint.url).scheme != "https":
        return connection
    context = ssl.create_default_context(cafile=trust.bundle(endpoint.ca_file))
    try:
        return context.wrap_socket(connection, server_hostname=endpoint.host)
    except OSError as error:
        connection.close()
        raise Unreached(
            broken(_SUBJECT, f"TLS with {endpoint.host}: {_reason(error)}", _tls_remedy(error))
        ) from None


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message}"
    return str(error.strerror or error)


def _tls_remedy(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in _CLOCK_CODES:
        return f"if this host's clock is wrong, {_NTP}"
    return "check ca_file, this host's clock, and who intercepts TLS here"
