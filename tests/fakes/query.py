"""The Query protocol: parameters of a form-encoded body."""

from __future__ import annotations

from urllib.parse import parse_qs

from .refusals import UNREADABLE_REQUEST, Refusal
from .signatures import Request

Parameters = dict[str, list[str]]


def parameters(request: Request) -> Parameters:
    """The parameters of the body; Refusal if it cannot be read."""
    try:
        return parse_qs(request.body.decode("ascii"), keep_blank_values=True)
    except ValueError:
        raise Refusal(UNREADABLE_REQUEST, "The query string is malformed.") from None


def value(found: Parameters, name: str) -> str | None:
    """The parameter, None if it is not there."""
    return next(iter(found.get(name, ())), None)


def members(found: Parameters, name: str, suffix: str = "") -> list[str]:
    """The list `name.member.1`, `name.member.2` and so on, each with the suffix."""
    values: list[str] = []
    while (one := value(found, f"{name}.member.{len(values) + 1}{suffix}")) is not None:
        values.append(one)
    return values
