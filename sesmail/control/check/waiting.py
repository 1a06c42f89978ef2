"""What waits in the queue: for how long, what is held and why; and what became of a day's mail."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from sesmail.control import ask, health
from sesmail.control.check import as_user, permissions
from sesmail.control.check.finding import Finding, broken, of_failure, ok, warning
from sesmail.control.wording import counted
from sesmail.queue import upkeep
from sesmail.settings import Settings
from sesmail.sysexits import Failure, Unavailable

_LONG = 3600.0  # seconds: a warning; SES is seldom away for that long
_RESTART = "look for its last lines in the mail log, then restart it"
_RELEASE = "sesmailctl queue show tells of it; then release or delete it"


def look(settings: Settings) -> Iterator[Finding]:
    """Ask for the status, of the daemon or in its place, and say what it means.

    As the user of sesmaild: where no daemon runs, whoever asks becomes that user for good.
    """
    user = permissions.user(settings)
    if user is None or not permissions.has_spool(settings):
        return  # said already

    def status() -> dict[str, Any]:
        try:
            return {"documents": list(ask.ask(settings, {"request": "status"}))}
        except Unavailable as failure:
            return {"silent": str(failure)}
        except Failure as failure:
            return {"failure": str(failure)}

    try:
        answer = as_user.call(user, status)
    except Failure as failure:
        answer = {"failure": str(failure)}
    if "silent" in answer and ask.is_running(settings):
        yield broken("sesmaild", f"it does not answer: {answer['silent']}", _RESTART)
    elif "documents" not in answer:
        text = next(iter(answer.values()))
        yield of_failure(warning, "waiting", f"not known: {text}")
    for document in answer.get("documents", ()):
        if "identity" in document:
            yield from judge(document, settings.queue_lifetime, time.time())


def judge(document: Mapping[str, Any], lifetime: float, now: float) -> Iterator[Finding]:
    """Say what the status of an identity means. ``lifetime``: seconds after which mail is given up.

    ``document`` is that of the request ``status`` (``daemon.answers.status``).
    """
    name = str(document["identity"])
    if document.get("hold"):
        yield _held(name, int(document["held"]), document["hold"])
    elif document.get("oldest") is not None:
        yield _oldest(name, int(document["waiting"]), now - float(document["oldest"]), lifetime)
    of_the_day = {key: document.get(key) for key in ("sent", "bounced", "complained")}
    for text in health.warnings(of_the_day):
        yield of_failure(warning, f"{name}: health", text)


def _held(name: str, count: int, hold: Mapping[str, Any]) -> Finding:
    subject = f"{name}: waiting"
    if hold["scope"] == upkeep.OPERATOR:
        return ok(subject, f"{_wait(count)} as an administrator wants it")
    if hold["scope"] == upkeep.ENTRY:
        text = f"{_are_held(count)}, {hold['key']} first: {hold['reason']}"
        return of_failure(warning, subject, text, _RELEASE)
    of = f" of {hold['key']}" if hold["key"] else ""
    text = f"{_are_held(count)}; all mail{of} waits for this: {hold['reason']}"
    return of_failure(broken, subject, text)


def _oldest(name: str, count: int, age: float, lifetime: float) -> Finding:
    subject = f"{name}: waiting"
    text = f"{_wait(count)}, the oldest for {_duration(age)}"
    if age > lifetime / 2:
        text += f"; after {_duration(lifetime)} mail is given up"
        return broken(subject, text, "sesmailctl queue list says why each of them waits")
    if age > _LONG:
        return warning(subject, text, "sesmailctl queue list says why each of them waits")
    return ok(subject, text)


def _wait(count: int) -> str:
    return counted(count, "forward-path waits", "forward-paths wait")


def _are_held(count: int) -> str:
    return counted(count, "forward-path is held", "forward-paths are held")


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"
