"""The SES stand-in: SESv2, SES v1 and SMTP on loopback, on one state.

    with SesServer(identities=["example.com"]) as ses:
        ...                          # ses.api_url, ses.smtps_port, ses.ca_file
        ses.script("rate", times=1)  # a name of fault_table.FAULTS, or a Fault
        ses.state.messages

`python -m tests.fakes.ses --help` runs it as a program.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from . import certificates, signatures, smtp
from .api import Api
from .events import Events
from .fault_table import FAULTS
from .faults import CERTIFICATE, V2, Fault, Script
from .identity import Identities
from .listener import Connection, Listener
from .smtp import Smtp
from .smtp_session import Limits
from .state import KEY_ID, SECRET, State

__all__ = ["FAULTS", "KEY_ID", "SECRET", "SesServer", "State"]

_AMAZONS_PORTS = (443, 465, 587)  # HTTPS, SMTP under TLS, SMTP with STARTTLS


class SesServer:
    """One SES account in one region.  Ports are the system's choice unless `port` (API) is given.

    keys default to the one pair {KEY_ID: SECRET}; idle is SMTP's patience in seconds, session_cap
    the messages it takes per session (None: no cap). With `names`, hosts of Amazon's, it has a
    certificate for them and their ports, 443, 465 and 587: in a network of the test's own.
    """

    smtp_host = "localhost"

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        identities: Iterable[str] = (),
        keys: Mapping[str, str] | None = None,
        idle: float = 10.0,
        session_cap: int | None = None,
        port: int = 0,
        names: Sequence[str] = (),
    ) -> None:
        self.state = State(region=region, identities=Identities(identities))
        if keys is not None:
            self.state.keys = dict(keys)
        self.limits = Limits(idle, session_cap)
        self._script = Script()
        self._closing = threading.Event()
        self._directory = tempfile.TemporaryDirectory(prefix="ses-stand-in-")
        self.ca_file = str(Path(self._directory.name) / "ca.pem")
        self._contexts = certificates.make_contexts(Path(self._directory.name), names)
        self._listen((port, *(_AMAZONS_PORTS if names else (0, 0, 0))))
        self.events = Events(self.state, self.api_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every connection, thread and file."""
        self._closing.set()
        self.state.end()
        for listener in self._listeners:
            listener.close()
        self._directory.cleanup()

    def script(
        self, fault: str | Fault | None, times: int | None = None, recipient: str | None = None
    ) -> None:
        """Let the next `times` send requests (None: all) meet the fault; None ends all faults.

        Counted faults come one after the other; an endless one ends when the next is scripted.
        With a recipient it strikes only requests that have it among their forward-paths.
        """
        if fault is None:
            self._script.clear()
        else:
            chosen = FAULTS[fault] if isinstance(fault, str) else fault
            if chosen.refuses and times is not None:
                raise ValueError("connections that are refused cannot be counted")
            self._script.add(chosen, times, recipient)
        refusing = fault is not None and chosen.refuses
        for listener in self._listeners:
            if refusing:
                listener.refuse()
            else:
                listener.resume()

    def smtp_password(self, key_id: str = KEY_ID, version: int = 4) -> str:
        """The SMTP password that belongs to a key of the state."""
        return signatures.smtp_password(self.state.keys[key_id], self.state.region, version)

    def _listen(self, ports: tuple[int, ...]) -> None:
        api = Api(self.state, self._script, self._closing)
        sessions = [
            Smtp(self.state, self._script, self._closing, self.limits, self._start_tls, wrapped)
            for wrapped in (True, False)
        ]

        def serve_https(connection: Connection) -> None:
            self._start_tls(connection, V2)
            api.serve(connection)

        served = [api.serve, serve_https, *(session.serve for session in sessions)]
        self._listeners = [
            Listener(self._counted(serve), port) for serve, port in zip(served, ports, strict=True)
        ]
        ports = tuple(listener.port for listener in self._listeners)
        self.api_url = f"http://127.0.0.1:{ports[0]}"
        self.api_tls_url = f"https://localhost:{ports[1]}"
        self.smtps_port, self.starttls_port = ports[2], ports[3]

    def _counted(self, serve: Callable[[Connection], None]) -> Callable[[Connection], None]:
        def counted(connection: Connection) -> None:
            self.state.count("connection")
            serve(connection)

        return counted

    def _start_tls(self, connection: Connection, interface: str) -> None:
        strike = self._script.take(interface, "connect", {})
        chosen = certificates.GOOD
        if strike is not None and strike.action == CERTIFICATE:
            chosen = strike.message
        smtp.wrap(connection, self._contexts[chosen])


if __name__ == "__main__":
    from .show import main

    main()
