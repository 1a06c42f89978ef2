"""Resource policies, as far as topics and queues need them: may a service do this to that?

IAM User Guide, "Policy evaluation logic": an explicit Deny wins, else one Allow is enough.  Names
of condition keys match in any case.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Mapping
from typing import Any


def allows(
    policy: str, service: str, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """May the service (`sns.amazonaws.com`) do the action (`sqs:SendMessage`) to the ARN?

    policy is its JSON, `` for none; context has the condition keys of the request.  ValueError for
    a condition that this does not know.
    """
    known = {name.lower(): value for name, value in context.items()}
    effects = {
        statement["Effect"]
        for statement in _statements(policy)
        if _is_for(statement.get("Principal"), service)
        and _matches(statement.get("Action"), action.lower(), fold=True)
        and _matches(statement.get("Resource"), resource)
        and _holds(statement.get("Condition") or {}, known)
    }
    return effects == {"Allow"}


def _statements(policy: str) -> list[Mapping[str, Any]]:
    return _several(json.loads(policy).get("Statement")) if policy else []


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _is_for(principal: Any, service: str) -> bool:
    if principal == "*":
        return True
    everyone = "*" in _several(principal.get("AWS"))
    return everyone or service in _several(principal.get("Service"))


def _matches(patterns: Any, value: str, fold: bool = False) -> bool:
    return any(
        fnmatch.fnmatchcase(value, pattern.lower() if fold else pattern)
        for pattern in _several(patterns)
    )


def _holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    for operator, wanted in conditions.items():
        if operator not in _OPERATORS:
            raise ValueError(f"the stand-in knows no condition {operator}")
        for key, values in wanted.items():
            value = context.get(key.lower())
            if value is None or not _OPERATORS[operator](values, value):
                return False
    return True


def _equal(values: Any, value: str) -> bool:
    return value in _several(values)


_OPERATORS: dict[str, Callable[[Any, str], bool]] = {
    "StringEquals": _equal,
    "StringLike": _matches,
    "ArnEquals": _matches,
    "ArnLike": _matches,
    "Bool": lambda values, value: value in [str(one).lower() for one in _several(values)],
}
