"""Debian's Chromium without a window, spoken to over a pipe by the DevTools protocol.

with Browser(directory) as browser:
    page = browser.open(path, scheme="dark")
    page.evaluate("document.title")
    page.told  # what went to the console, and what threw
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROGRAM = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",  # the tests are root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_TO, _FROM = 3, 4  # the descriptors of the protocol, by Chromium's convention


class Browser:
    """One process; `directory` is its profile and home."""

    def __init__(self, directory: Path) -> None:
        asked, self._writing = map(_out_of_the_way, os.pipe())
        self._reading, answered = map(_out_of_the_way, os.pipe())
        places = f"{_TO}<&{asked} {_FROM}>&{answered}"
        self._process = subprocess.Popen(
            # bash puts the descriptors where they belong, whatever numbers they have here.
            ["bash", "-c", f'exec "$@" {places}', "bash", *_command(directory)],
            env={"HOME": str(directory), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            pass_fds=(asked, answered),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(asked)
        os.close(answered)
        self._rest = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._writing)  # the browser ends with its pipe
        os.close(self._reading)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def open(self, path: Path, scheme: str, width: int = 1200, height: int = 900) -> Page:
        """Open a file in a tab of its own; `scheme` is light or dark."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        page = Page(self, attached["sessionId"])
        page.show(path, scheme, width, height)
        return page

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Return the result of a call; what the browser tells meanwhile is put into `events`."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait_for(self, method: str, session: str) -> None:
        """Wait until the browser tells this of a session."""
        while not any(
            one.get("method") == method and one.get("sessionId") == session for one in self.events
        ):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self._reading, 1 << 16)
            assert data, "the browser has ended"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


def _out_of_the_way(descriptor: int) -> int:
    """Return a copy with a number beyond those of the protocol."""
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 100)
    os.close(descriptor)
    return copy


def _command(directory: Path) -> list[str]:
    return [PROGRAM, *FLAGS, f"--user-data-dir={directory}", "about:blank"]


class Page:
    """A file that is shown."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    @property
    def told(self) -> list[str]:
        """What the page wrote to the console, what it threw, and what the browser had to say."""
        return [
            json.dumps(one["params"])
            for one in self._browser.events
            if one.get("sessionId") == self._session
            and one.get("method")
            in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        ]

    def show(self, path: Path, scheme: str, width: int, height: int) -> None:
        """Load the file, and wait until it is loaded."""
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call("Page.navigate", url=path.as_uri())
        self._browser.wait_for("Page.loadEventFired", self._session)

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page, by the browser and not by the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def print_to(self, path: Path) -> None:
        """Write the page as a PDF, as its print."""
        path.write_bytes(base64.b64decode(self.call("Page.printToPDF")["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call what concerns this page."""
        return self._browser.call(method, self._session, **parameters)
