"""Fedora, and wherever /usr/sbin/sendmail is a link into /etc/alternatives: one choice of a group.

The file of a group's state has one form with Debian's update-alternatives and with Fedora's
alternatives, but for what may stand around a priority; their ways to print it differ.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sesmail.control.activate import tools
from sesmail.control.activate.own import Own
from sesmail.control.activate.step import Action, Step
from sesmail.sysexits import CannotCreate, DataError

LINKS = "/etc/alternatives/"
_STATES = ("/var/lib/alternatives", "/var/lib/dpkg/alternatives")  # Fedora's, Debian's
_OURS = ("sendmail", "mailq", "newaliases")
_PAGES = {"sendmail": "sesmail.8", "mailq": "mailq.1", "newaliases": "newaliases.1"}
_PRIORITY = 200  # Fedora's sendmail has 90, Postfix 60
_CHOICE = re.compile(r"(@[^@]+@)?(?P<priority>-?\d+)\s*(?P<service>\S*)")


@dataclass(slots=True)
class Choice:
    """A program of a group; ``service``: the unit that Fedora enables and disables with it."""

    path: str
    priority: int
    service: str
    followers: dict[str, str]  # the file for each follower, by its name; "" for none


@dataclass(slots=True)
class Group:
    """A group: its link in /usr, and those that follow, by name."""

    name: str
    link: str
    followers: dict[str, str] = field(default_factory=dict)
    is_manual: bool = False
    choices: list[Choice] = field(default_factory=list)

    def choice(self, path: str) -> Choice | None:
        """Return the choice of a program."""
        return next((one for one in self.choices if one.path == path), None)


# What Fedora's packages call the links, for a group in which nobody is yet.
_FIRST = {
    "mta-mailq": "/usr/bin/mailq",
    "mta-newaliases": "/usr/bin/newaliases",
    "mta-sendmail": "/usr/lib/sendmail",
}


def has_state() -> bool:
    """Tell whether alternatives are in use by a package manager other than dpkg."""
    return os.path.isdir(_STATES[0]) and _tool() != ""


def group_of(path: str) -> str:
    """Return the name of the group that a link belongs to, "" if to none."""
    try:
        target = os.readlink(path)
    except OSError:
        return ""
    return target.removeprefix(LINKS) if target.startswith(LINKS) else ""


def load(name: str) -> Group:
    """Return a group; an empty one is made for a name without state. Raises DataError."""
    for directory in _STATES:
        path = os.path.join(directory, name)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return parse(name, file.read())
        except FileNotFoundError:
            continue
        except (ValueError, StopIteration):
            raise DataError(f"cannot read {path}; look at it with {_tool()} --display") from None
    return Group(name, "/usr/sbin/sendmail", dict(_FIRST))


def parse(name: str, text: str) -> Group:
    """Read the state of a group. Raises ValueError, StopIteration."""
    lines = iter(text.splitlines())
    status = next(lines)
    group = Group(name, next(lines), is_manual=status == "manual")
    while follower := next(lines):
        group.followers[follower] = next(lines)
    for path in lines:
        if not path:
            break
        match = _CHOICE.fullmatch(next(lines))
        if match is None:
            raise ValueError(path)
        files = {follower: next(lines) for follower in group.followers}
        group.choices.append(Choice(path, int(match["priority"]), match["service"], files))
    return group


def current(group: Group) -> str:
    """Return the program that is chosen, "" if none is."""
    try:
        return os.readlink(LINKS + group.name)
    except OSError:
        return ""


def services(group: Group) -> list[str]:
    """Return the units of the group that are enabled."""
    names = sorted({choice.service for choice in group.choices if choice.service})
    off = disabled(names)
    return [name for name in names if name not in off] if tools.find("systemctl") else []


def disabled(names: list[str]) -> list[str]:
    """Return which of these units are not enabled; none where there is no systemd."""
    systemctl = tools.find("systemctl")
    return [
        name
        for name in names
        if systemctl and not tools.succeeds(systemctl, "-q", "is-enabled", name)
    ]


def take(group: Group, own: Own, enabled: list[str]) -> Iterator[Step]:
    """Yield the steps by which the group leads to us; ``enabled``: units that are to stay so."""
    before = current(group)
    if before != own.program or not all(own.is_behind(path) for path in links(group)):
        words = installation(group, own, before)
        yield Step(
            "install",
            f"{own.program} as the first of the alternatives of {group.name}",
            lambda: _choose(group, own, words),
            lambda: _leave(group, own.program, before if group.is_manual else ""),
        )
    if own.earlier != own.program and group.choice(own.earlier):
        yield Step(
            "remove",
            f"{own.earlier} from the alternatives of {group.name}",
            lambda: _leave(group, own.earlier, ""),
            lambda: None,
        )
    for name in enabled:
        yield Step("enable", f"{name}.service, as it was", _enabler(name), lambda: None)


def installation(group: Group, own: Own, before: str) -> list[str]:
    """Return the words that make us a choice.

    What of the followers is not ours, such as a file of PAM, stays what it is with the choice
    ``before``: else its link would go.
    """
    others = [choice for choice in group.choices if choice.path != own.program]
    priority = max([_PRIORITY, *(choice.priority + 10 for choice in others)])
    words = ["--install", group.link, group.name, own.program, str(priority)]
    model = group.choice(before) or next(iter(others), None)
    for name, link in group.followers.items():
        file = own.program if _is_ours(link) else _page(link, own)
        file = file or (model.followers.get(name, "") if model else "")
        if file:
            words += ["--slave", link, name, file]
    return words


def links(group: Group) -> list[str]:
    """Return the links that are to lead to us."""
    return [group.link, *(link for link in group.followers.values() if _is_ours(link))]


def give_back(group: Group, own: Own, chosen: str) -> Iterator[Step]:
    """Yield the step by which the group is without us; ``chosen``: by hand, before us."""
    program = own.earlier or own.program
    if group.choice(program) is None:
        return
    words = installation(group, own, chosen)
    yield Step(
        "remove",
        f"{program} from the alternatives of {group.name}",
        lambda: _leave(group, program, chosen),
        lambda: _choose(group, own, words),
    )


def _choose(group: Group, own: Own, words: list[str]) -> None:
    """Install, and look whether that has helped: the tools also end with 0 if it has not."""
    tools.run(_tool(), *words)
    if group.is_manual:
        tools.run(_tool(), "--set", group.name, own.program)
    for path in links(group):
        if not own.is_behind(path):
            raise CannotCreate(
                f"{_tool()} left {path} as it was, for it is no link of its own; look whose it is, "
                "move it away, and try again"
            )


def _leave(group: Group, program: str, chosen: str) -> None:
    tools.run(_tool(), "--remove", group.name, program)
    if chosen != program and group.choice(chosen):
        tools.run(_tool(), "--set", group.name, chosen)


def _enabler(service: str) -> Action:
    """Return what enables a unit: alternatives(8) disables those of all that is not chosen."""
    return lambda: _ran(tools.find("systemctl"), "-q", "enable", f"{service}.service")


def _ran(*words: str) -> None:
    tools.run(*words)


def _tool() -> str:
    return tools.find("update-alternatives", "alternatives")


def _is_ours(link: str) -> bool:
    return os.path.basename(link) in _OURS


def _page(link: str, own: Own) -> str:
    """Return our page of the manual for a link of the manual, "" for none that is packed alike."""
    directory, name = os.path.split(link)
    stem, _, rest = name.partition(".")
    if os.path.basename(directory) not in ("man1", "man8") or stem not in _PAGES:
        return ""
    page = _PAGES[stem]
    packed = os.path.splitext(rest)[1]
    path = os.path.join(own.prefix, "share", "man", f"man{page[-1]}", page + packed)
    return path if os.path.exists(path) else ""
