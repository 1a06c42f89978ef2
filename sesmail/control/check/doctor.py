"""All checks in their order: the host's, one after the other, then those that ask the network.

One that fails is itself a finding, and never stops the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sesmail import identity as identities
from sesmail.control.check import (
    callers,
    configuration,
    database,
    filesystem,
    permissions,
    php,
    readers,
    sendmail,
    service,
    units,
    waiting,
)
from sesmail.control.check.finding import Check, Finding, broken, of_failure
from sesmail.delivery import credentials_file, report
from sesmail.delivery.credentials import Credentials
from sesmail.settings import Settings
from sesmail.sysexits import Failure

MOST_AT_ONCE = 8  # threads
PATIENCE = 120.0  # seconds for each: no time-out of ours is left to the resolver of the system
_REPORT_IT = "this is a bug of sesmail: please report it"


def of_host(
    settings: Settings, environ: Mapping[str, str], faults: Sequence[Failure]
) -> Iterator[Finding]:
    """Yield what is found on this host. Some checks fork, so this comes before any thread.

    ``faults``: what of the settings could not be read.
    """
    checks: dict[str, Check] = {
        "settings": lambda: configuration.settings(settings, environ, faults),
        "credentials": lambda: configuration.directory(settings),
        "permissions": lambda: permissions.spool(settings),
        "permissions of credentials": lambda: permissions.credentials(settings),
        "callers": lambda: callers.look(settings),
        "secrets": lambda: readers.secrets(settings),
        "sendmail": lambda: sendmail.standing(settings),
        "real sendmail": lambda: sendmail.behind(settings),
        "php": lambda: php.sendmail_path(settings),
        "units": lambda: units.senders(settings),
        "sesmaild": lambda: service.alive(settings),
        "drop": lambda: service.drains(settings),
        "file system": lambda: filesystem.spool(settings),
        "room": lambda: filesystem.room(settings),
        "hard links": lambda: filesystem.hard_links(settings),
        "queue": lambda: database.look(settings),
        "waiting": lambda: waiting.look(settings),
    }
    for subject, check in checks.items():
        yield from guarded(subject, check)


def names(settings: Settings, domain: str) -> list[str]:
    """Return the names of the credentials to look at: all, or the one that serves ``domain``.

    The list is empty where they cannot be listed, or none serves it.
    """
    if not domain:
        try:
            every = credentials_file.names(settings.credentials_directory)
        except OSError:
            return []
        return [name for name in every if configuration.is_reachable(name)]
    address = domain if "@" in domain else f"@{domain}"
    try:
        found = identities.find(address, settings.credentials_directory, settings.identity_lookup)
    except Failure:
        return []
    return [found] if found else []


def load(settings: Settings, chosen: Sequence[str]) -> Iterator[Credentials | Finding]:
    """Yield what each file says, and what there is to say of it."""
    for name in chosen:
        read = configuration.load(settings, name)
        yield read
        if isinstance(read, Credentials):
            yield from configuration.read(read)


def guarded(subject: str, check: Check) -> Iterator[Finding]:
    """Yield what a check finds; its failure is a finding, too."""
    try:
        yield from check()
    except Failure as failure:
        yield of_failure(broken, subject, failure)
    except Exception as error:  # noqa: BLE001  the other checks go on
        yield of_failure(broken, subject, report.internal_error(error), _REPORT_IT)


@dataclass(slots=True)
class _Running:
    thread: threading.Thread
    subject: str
    found: list[Finding]


def at_once(checks: Mapping[str, Check], patience: float = PATIENCE) -> Iterator[Finding]:
    """Run checks in threads; yield what they find, in their order.

    The threads are daemons: one that hangs, in the resolver of the system perhaps, is left behind.
    """
    turn = threading.BoundedSemaphore(MOST_AT_ONCE)
    running = [_start(subject, check, turn) for subject, check in checks.items()]
    turns = -(-len(running) // MOST_AT_ONCE)
    end = time.monotonic() + patience * turns
    for one in running:
        one.thread.join(max(0.0, end - time.monotonic()))
        is_over = not one.thread.is_alive()
        yield from tuple(one.found)
        if not is_over:
            text = f"no answer within {patience:g} seconds"
            yield broken(one.subject, text, "look at resolver and network of this host")


def _start(subject: str, check: Check, turn: threading.BoundedSemaphore) -> _Running:
    found: list[Finding] = []

    def run() -> None:
        with turn:
            for finding in guarded(subject, check):
                found.append(finding)  # noqa: PERF402  each at once: the next may never come

    thread = threading.Thread(target=run, name=subject, daemon=True)
    thread.start()
    return _Running(thread, subject, found)
