"""One time-out for all addresses of a name: the libraries give it to each of them.

A name with four addresses behind a firewall that drops packets would use up a whole budget before
another port, or another attempt, has its turn.
"""

from __future__ import annotations

import socket
import time

_LEAST = 2.0  # seconds for an address: the other end of the world, one packet lost


def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Return a connection to the first address that answers; raise the last one's OSError."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    end = time.monotonic() + seconds
    failure = OSError(f"{host} has no address")
    for place, (family, kind, protocol, _, address) in enumerate(addresses):
        share = (end - time.monotonic()) / (len(addresses) - place)
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(max(share, 0.001))
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            connection.settimeout(seconds)
            return connection
    raise failure


def share(host: str, port: int, seconds: float) -> float:
    """Return which part of ``seconds`` a library may give to each address of ``host``."""
    try:
        number = len(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except OSError:
        number = 1
    return min(seconds, max(seconds / max(number, 1), _LEAST))
