"""SESv2 operations other than sends: a table of methods and paths, and what they have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from .refusals import BAD_VALUE, INVALID_TOKEN, UNREADABLE_REQUEST, Refusal
from .signatures import Request
from .state import State

Document = dict[str, Any]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Operation:
    """One operation: its name in the API, and how it is asked for.

    older is the method and path in older models of the API, which SES takes as well.  run acts on
    the state and gives the output.  Its second argument has the input's members by their names: of
    the body as they come, of the path as text, of the query as lists of text.
    """

    name: str
    method: str
    path: str
    run: Callable[[State, Document], Document]
    older: tuple[str, str] | None = None

    def matches(self, request: Request) -> Document | None:
        """The members that the path carries; None if the request is not for this operation."""
        for method, path in ((self.method, self.path), self.older or ("", "")):
            if request.method == method:
                members = _carried(path, urlsplit(request.target).path)
                if members is not None:
                    return members
        return None


def _carried(pattern: str, path: str) -> Document | None:
    """What stands in the path where the pattern has `{Member}`; None if it is another path."""
    wanted, found = pattern.split("/"), path.split("/")
    if len(wanted) != len(found):
        return None
    members: Document = {}
    for name, value in zip(wanted, found, strict=True):
        if name.startswith("{"):
            members[name.strip("{}")] = unquote(value)
        elif name != value:
            return None
    return members


def document(body: bytes) -> Document:
    """The JSON object of a body; an empty body is an empty one."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise Refusal(UNREADABLE_REQUEST, "The request body is no JSON.") from None
    if not isinstance(found, dict):
        raise Refusal(UNREADABLE_REQUEST, "The request body is no JSON object.")
    return found


def asked(request: Request, members: Document) -> Document:
    """All members of the input: of the path, the query and the body."""
    query = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
    return {**query, **document(request.body), **members}


def required(members: Document, name: str) -> Any:
    """The member; Refusal if it is missing or empty."""
    value = members.get(name)
    if value in (None, "", []):
        raise Refusal(BAD_VALUE, f"1 validation error detected: {name} must not be null or empty")
    return value


def one_of(members: Document, name: str, choices: Sequence[str], default: str) -> str:
    """The member, one of these words; Refusal if it is another."""
    value = members.get(name) or default
    if value not in choices:
        raise Refusal(
            BAD_VALUE,
            f"1 validation error detected: Value at '{name}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(choices)}]",
        )
    return str(value)


def page(items: list[Item], members: Document, most: int) -> tuple[list[Item], Document]:
    """One page of a list, and the NextToken of the answer if there are more."""
    try:
        start = int(_scalar(members.get("NextToken")) or 0)
    except ValueError:
        raise Refusal(INVALID_TOKEN, "The specified NextToken is not valid.") from None
    size = int(_scalar(members.get("PageSize")) or most)
    if not 0 < size <= most:
        raise Refusal(BAD_VALUE, f"PageSize must be between 1 and {most}.")
    end = start + size
    return items[start:end], {"NextToken": str(end)} if end < len(items) else {}


def _scalar(value: Any) -> Any:
    """A member of the query, which comes as a list of one, or of the body."""
    return value[0] if isinstance(value, list) else value
