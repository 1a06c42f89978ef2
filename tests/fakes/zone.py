"""A zone file as what a DNS server has: it may come, change and go while the server runs."""

from __future__ import annotations

from pathlib import Path

import dns.exception

from .dns import DnsServer


class Zone:
    """Keeps the server's records those of the file; `refresh` looks at it again."""

    def __init__(self, path: Path, server: DnsServer) -> None:
        self.path = path
        self.server = server
        self._seen: str | None = None

    def refresh(self) -> str:
        """Let the server have what the file has now, nothing if there is no file.

        What is wrong with a file that is new; `` for nothing.  It may be half written: there will
        be another one soon.
        """
        text = self.path.read_text() if self.path.exists() else ""
        if text == self._seen:
            return ""
        self._seen = text
        self.server.clear()
        try:
            self.server.load(text)
        except dns.exception.DNSException as error:
            return f"{self.path}: {error}"
        return ""
