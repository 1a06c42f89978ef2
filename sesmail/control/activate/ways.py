"""How this host is to be changed, by what its package manager is: what to do, and what to undo."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail.control.activate import alternatives, aside, diversions, memory, php, step
from sesmail.control.activate.memory import ALTERNATIVES, ASIDE, DIVERSIONS, Memory
from sesmail.control.activate.own import Own, place
from sesmail.control.activate.step import Step
from sesmail.settings import Settings
from sesmail.submission import realsendmail
from sesmail.sysexits import ConfigurationError, Unavailable

SENDMAIL = "/usr/sbin/sendmail"
NAMES = (SENDMAIL, "/usr/lib/sendmail", "/usr/bin/mailq", "/usr/bin/newaliases")
PACKAGE = "package"  # Debian's package did it


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, what is to be remembered meanwhile, and afterwards."""

    way: str
    steps: list[Step]
    begun: Memory
    ended: Memory


def recognise(remembered: Memory) -> str:
    """Return the way that suits this host. Raises OSFailure, Unavailable."""
    if is_packaged():
        return PACKAGE
    if diversions.is_debian():
        way = ALTERNATIVES if alternatives.group_of(SENDMAIL) else DIVERSIONS
    elif alternatives.group_of(SENDMAIL):
        way = ALTERNATIVES
    elif not os.path.lexists(SENDMAIL) and alternatives.has_state():
        way = ALTERNATIVES  # no mail program yet
    else:
        way = ASIDE
    if remembered.way and remembered.way != way:
        raise Unavailable(
            f"sesmail was activated by {remembered.way}, and this host goes by {way} now; "
            "sesmailctl deactivate first"
        )
    return way


def is_packaged() -> bool:
    """Tell whether Debian's package made sesmail what it is. Raises OSFailure."""
    return (
        diversions.is_debian()
        and diversions.standing().get(SENDMAIL, ("", ""))[1] == diversions.PACKAGE
    )


def activation(remembered: Memory, own: Own, settings: Settings) -> Plan:
    """Plan it. Raises a Failure where something is in the way."""
    if settings.real_sendmail in NAMES:
        raise ConfigurationError(
            f"real_sendmail = {settings.real_sendmail} in sesmail.conf is what becomes sesmail; "
            "take the line out, for what is moved aside is found"
        )
    way = recognise(remembered)
    if way == PACKAGE:
        return Plan(way, [], remembered, remembered)
    wanted = dataclasses.replace(remembered, way=way, target=own.program)
    if way == ALTERNATIVES:
        group = alternatives.load(alternatives.group_of(SENDMAIL) or "mta")
        before = alternatives.current(group)
        if group.choice(before) and before != own.program:
            _need_same_real(before, own, settings)
        if not remembered.way:
            wanted.group = group.name
            wanted.chosen = before if group.is_manual and before != own.program else ""
        wanted.services = sorted({*remembered.services, *alternatives.services(group)})
        is_first = before == own.program
        # Those of the others are disabled whenever the tool changes something.
        off = alternatives.disabled(wanted.services) if is_first else wanted.services
        steps = list(alternatives.take(group, own, off))
    else:
        paths = list(dict.fromkeys(place(path) for path in NAMES))
        paths = [path for path in paths if path in remembered.names or not own.is_installed(path)]
        wanted.names = paths
        if way == DIVERSIONS:
            steps = list(diversions.take(paths, own, diversions.standing()))
        else:
            steps = list(aside.take(paths, own, remembered.names))
        if not paths:
            wanted = remembered  # make install put all of them in place
    return Plan(way, steps, wanted, wanted)


def _need_same_real(before: str, own: Own, settings: Settings) -> None:
    """Raise ConfigurationError where mail without credentials would go another way than it did."""
    if settings.real_sendmail == "none":
        return
    found = realsendmail.find(settings, own.program)
    if found is None or os.path.realpath(found) != os.path.realpath(before):
        raise ConfigurationError(
            f"{SENDMAIL} is {before} now, but sesmail would hand mail without credentials to "
            f"{found or 'nobody'}; write real_sendmail = {before} in sesmail.conf, and try again"
        )


def php_activation(remembered: Memory, own: Own) -> Plan:
    """Plan it for PHP alone. Raises Unavailable, CannotCreate."""
    paths = [php.file_in(directory) for directory in php.directories()]
    wanted = dataclasses.replace(remembered, php=sorted({*remembered.php, *paths}))
    return Plan("php", list(php.take(paths, own)), wanted, wanted)


def deactivation(remembered: Memory, own: Own) -> Plan:
    """Plan the way back. Raises CannotCreate where something is in the way."""
    steps = [*_back(remembered, own), *php.give_back(remembered.php)]
    return Plan(remembered.way or "php", steps, remembered, Memory())


def _back(remembered: Memory, own: Own) -> Iterator[Step]:
    if remembered.way == DIVERSIONS:
        yield from diversions.give_back(remembered.names, own, diversions.standing())
    elif remembered.way == ALTERNATIVES:
        group = alternatives.load(remembered.group)
        yield from alternatives.give_back(group, own, remembered.chosen)
    elif remembered.way == ASIDE:
        yield from aside.give_back(remembered.names, own)


def carry_out(plan: Plan, say: step.Say) -> None:
    """Do it. What is remembered is written before the first change and after the last."""
    before = memory.load()
    if plan.begun != before:
        memory.save(plan.begun)
    try:
        step.run(plan.steps, say)
    except BaseException:
        memory.save(before)
        raise
    if plan.ended != plan.begun:
        memory.save(plan.ended)
