"""email-validator's opinion on a forward-path: syntax only, no DNS, special-use domains allowed.

Its "no" to a quoted local part, an underscore in a domain or two dots in a row is only a warning:
such mailboxes exist, and SES decides. Any other "no" fails that forward-path alone. Quoted local
parts and address literals are read here: the library knows them from version 2 on only.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from sesmail.delivery.libraries import ONE_AT_A_TIME
from sesmail.delivery.outcome import Outcome, Result
from sesmail.sysexits import EX_DATAERR, EX_NOHOST, EX_NOUSER

_DOMAIN = "example.com"
_DOTS = re.compile(r"\.{2,}")
_QUOTED = re.compile(r'"(?:[ !#-\[\]-~]|\\[ -~])*"')  # RFC 5321, 4.1.2
# Most addresses are of this form, against which the library, thirty times as slow, has nothing.
_PLAIN = re.compile(
    r"(?=.{6,254}\Z)(?=[^@]{1,64}@)(?!.*--)"
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of one forward-path; neither member set: nothing is wrong with it."""

    warning: str = ""
    refused: Result | None = None


def check(forward_path: str) -> Verdict:
    """Return the verdict on ``local-part@domain``.

    Texts are printable ASCII. They do not repeat the address: the log and the report bring it, and
    join those that suffer from the same.
    """
    if _PLAIN.fullmatch(forward_path):
        return Verdict()
    reason = _objection(forward_path)
    if not reason:
        return Verdict()
    local_part, _, domain = forward_path.rpartition("@")
    # Without what is only worth a warning:
    local_part, domain = _unquoted(_DOTS.sub(".", local_part)), domain.replace("_", "x")
    serious = _objection(f"{local_part}@{domain}")
    if not serious:
        return Verdict(warning=_printable(reason))
    return Verdict(refused=_refusal(serious, local_part, domain))


def _objection(path: str) -> str:
    """Return what the library has against ``path``, "" if nothing."""
    # Few addresses need it, and its version 1 brings all that dnspython can do: 10 MiB.
    with ONE_AT_A_TIME:
        import email_validator

    # The library's own way to allow these names (its README, "Special use domains"): SES, a
    # stand-in for it, or a smarthost on a private network may know them.
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    local_part, _, domain = path.rpartition("@")
    local_part = local_part[:64]  # RFC 5321's limit, which bounce addresses exceed
    try:
        email_validator.validate_email(
            f"{local_part}@{_DOMAIN if _is_literal(domain) else domain}",
            allow_smtputf8=False,
            check_deliverability=False,
        )
    except email_validator.EmailNotValidError as error:
        return str(error)
    return ""


def _unquoted(local_part: str) -> str:
    """Return a local part as long, without its quotes, if they are right."""
    return "x" * len(local_part) if _QUOTED.fullmatch(local_part) else local_part


def _is_literal(domain: str) -> bool:
    """Tell whether a domain is an address literal (RFC 5321, 4.1.3)."""
    if not (domain.startswith("[") and domain.endswith("]")):
        return False
    literal = domain[1:-1]
    try:
        if literal.lower().startswith("ipv6:"):
            ipaddress.IPv6Address(literal[5:])
        else:
            ipaddress.IPv4Address(literal)
    except ValueError:
        return False
    return True


def _refusal(reason: str, local_part: str, domain: str) -> Result:
    """Return the failure; which part is to blame shows when each is tried beside a good one."""
    exit_code, status = EX_DATAERR, "5.1.3"
    if _objection(f"{local_part}@{_DOMAIN}"):
        exit_code = EX_NOUSER
    elif _objection(f"a@{domain}"):
        exit_code, status = EX_NOHOST, "5.1.2"
    return Result(Outcome.FAILED, status, _printable(reason), exit_code=exit_code)


def _printable(text: str) -> str:
    return "".join(char if " " <= char <= "~" else "?" for char in text)
