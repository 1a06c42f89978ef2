"""Who /usr/sbin/sendmail is, which real sendmail is behind it, and whether that leads back."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

import sesmail
from sesmail.control.activate import alternatives, memory, own, ways
from sesmail.control.check.finding import Finding, broken, of_failure, ok, warning
from sesmail.settings import Settings
from sesmail.submission import realsendmail
from sesmail.sysexits import ConfigurationError, DataError, Unavailable

SENDMAIL = "/usr/sbin/sendmail"
_OTHER_SENDMAILS = ("/usr/lib/sendmail", "/usr/bin/sendmail")  # older programs look there
_QUEUE_COMMANDS = ("mailq", "newaliases")
_POSTDROP = "/usr/sbin/postdrop"
_SET_ID = stat.S_ISUID | stat.S_ISGID
_LONGEST_SCRIPT = 65536
_REMEDY = "sesmailctl activate"
_MEANS = {
    memory.DIVERSIONS: "; what packages bring is diverted to .distrib",
    memory.ALTERNATIVES: "; it is the chosen alternative",
    memory.ASIDE: "; what was there is moved aside to .real",
}


def own_command() -> str:
    """Return the path of the sendmail command that was installed with this sesmailctl."""
    try:
        return own.find().sendmail
    except Unavailable:  # a checkout
        library = os.path.dirname(os.path.dirname(os.path.realpath(sesmail.__file__)))
        return os.path.join(library, "bin", "sesmail")


def is_ours(path: str) -> bool:
    """Tell whether a program is sesmail, this installation or another."""
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        return False
    named = Settings()
    named.real_sendmail = path
    try:
        realsendmail.find(named, own_command())
    except ConfigurationError:  # so it is not the real one
        return True
    return False


def real(settings: Settings) -> str | None:
    """Return the path of the real sendmail, None if there is none. Raises ConfigurationError."""
    return realsendmail.find(settings, own_command())


def needs_set_id(path: str) -> str:
    """Return the program by whose set-id rights ``path`` takes mail, "" if it needs none."""
    if _has_set_id(path):
        return path
    if _has_set_id(_POSTDROP) and b"postdrop" in _content(path):
        return _POSTDROP  # Postfix's helper, whose name stands in its sendmail
    return ""


def standing(settings: Settings) -> Iterator[Finding]:
    """Say who /usr/sbin/sendmail and its other names are, and by what means."""
    try:
        activated = memory.load()
    except DataError as failure:
        activated = memory.Memory()
        yield of_failure(warning, "sendmail", failure)
    if is_ours(SENDMAIL):
        text = f"{SENDMAIL} is sesmail{_leads_to(SENDMAIL)}{_MEANS.get(activated.way, '')}"
        yield ok("sendmail", text)
    elif settings.real_sendmail == SENDMAIL:
        yield ok("sendmail", f"{SENDMAIL} is the real sendmail, as real_sendmail says")
    elif activated.php and not activated.way:
        yield ok("sendmail", f"{SENDMAIL} is {_named(SENDMAIL)}; sesmail is activated for PHP only")
    elif os.path.lexists(SENDMAIL):
        again = " any more" if activated.way else ""
        text = f"{SENDMAIL} is {_named(SENDMAIL)}, not sesmail{again}"
        yield broken("sendmail", text, _REMEDY)
    else:
        text = f"there is no {SENDMAIL}: programs that call it cannot send"
        yield warning("sendmail", text, _REMEDY)
    yield from _other_names()
    yield from _services(activated)


def _other_names() -> Iterator[Finding]:
    if not is_ours(SENDMAIL):
        return
    for path in _OTHER_SENDMAILS:
        if os.path.lexists(path) and not is_ours(path):
            yield warning(
                "sendmail",
                f"{path} is {_named(path)}: programs that call it pass sesmail by",
                _REMEDY if path in ways.NAMES else f"ln -sf {SENDMAIL} {path}",
            )
    for name in _QUEUE_COMMANDS:
        path = f"/usr/bin/{name}"
        if os.path.lexists(path) and not is_ours(path):
            text = f"{path} is {_named(path)}: it knows nothing of ours"
            yield warning("sendmail", text, _REMEDY)


def _services(activated: memory.Memory) -> Iterator[Finding]:
    """Yield which services alternatives(8) has disabled, as at each update of theirs."""
    for name in alternatives.disabled(activated.services):
        text = f"{name} was enabled, and is not any more, so it will not start at boot"
        yield warning("real sendmail", text, f"{_REMEDY}, or systemctl enable {name}")


def behind(settings: Settings) -> Iterator[Finding]:
    """Say which real sendmail takes the mail that has no credentials."""
    try:
        path = real(settings)
    except ConfigurationError as failure:
        yield broken(
            "real sendmail", f"a loop, or nothing there: {failure}", "correct real_sendmail"
        )
        return
    if path is None:
        yield from _none(settings)
        return
    if leads_back(path):
        yield broken(
            "real sendmail",
            f"{path} is a script that calls {SENDMAIL}, which is sesmail: a loop",
            "name the real sendmail itself with real_sendmail in sesmail.conf, or none",
        )
        return
    helper = needs_set_id(path)
    added = f"; it needs the set-id rights of {helper}" if helper else ""
    yield ok("real sendmail", f"{path}{_leads_to(path)}{added}")


def _none(settings: Settings) -> Iterator[Finding]:
    meaning = "mail of authors without credentials, and mail to local users, is refused"
    if settings.real_sendmail == "none":
        yield ok("real sendmail", f"none, as sesmail.conf says: {meaning}")
    else:
        yield warning(
            "real sendmail",
            f"there is none: {meaning}",
            "install a mail program (msmtp-mta, Postfix) and name it with real_sendmail in "
            "sesmail.conf; or write real_sendmail = none there",
        )


def leads_back(path: str) -> bool:
    """Tell whether a program is a script that mentions /usr/sbin/sendmail while that is us."""
    content = _content(path, _LONGEST_SCRIPT)
    return content.startswith(b"#!") and SENDMAIL.encode() in content and is_ours(SENDMAIL)


def _named(path: str) -> str:
    """Say what a program is, as far as its links tell."""
    target = os.path.realpath(path)
    if not os.path.exists(target):
        return f"a link to {target}, which is not there"
    return target if target != path else "another program"


def _leads_to(path: str) -> str:
    target = os.path.realpath(path)
    return f", by a link to {target}" if target != path else ""


def _has_set_id(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & _SET_ID)
    except OSError:
        return False


def _content(path: str, most: int = -1) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except OSError:
        return b""
