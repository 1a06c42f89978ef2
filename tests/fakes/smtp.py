"""The SMTP side of the stand-in, as email-smtp.REGION.amazonaws.com is.

TLS wrapper or STARTTLS, AUTH PLAIN and LOGIN, no PIPELINING, no SIZE, `250 Ok ID`, 10 s of
idleness, a cap on messages per session.  The session itself is in `smtp_session`.
"""

from __future__ import annotations

import ssl

from .faults import SMTP
from .listener import Connection
from .smtp_session import End, Session, Setting


class Smtp(Setting):
    """Serves SMTP connections on one state."""

    def serve(self, connection: Connection) -> None:
        """Hold one session."""
        if self.wrapped:
            self.start_tls(connection, SMTP)
        session = Session(self, connection)
        try:
            session.run()
        except End:
            pass
        finally:
            session.close()


def wrap(connection: Connection, context: ssl.SSLContext) -> None:
    """Speak TLS on the connection from here on."""
    connection.socket = context.wrap_socket(
        connection.socket, server_side=True, do_handshake_on_connect=False
    )
    handshake = connection.socket
    assert isinstance(handshake, ssl.SSLSocket)
    handshake.do_handshake()
