"""STS (Query, XML): GetCallerIdentity, which says whose the access key is."""

from __future__ import annotations

from . import query, signatures
from .answers import Call, query_result
from .refusals import UNKNOWN_OPERATION, Refusal
from .signatures import Request
from .state import ACCOUNT, State, user_arn

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ACTION = "GetCallerIdentity"


def read(state: State, request: Request) -> Call:
    """What the request asks for; Refusal if it is nothing that STS does here."""
    action = query.value(query.parameters(request), "Action")
    if action != ACTION:
        raise Refusal(UNKNOWN_OPERATION, f"Could not find operation {action}")
    return Call(action=f"sts:{ACTION}", result=lambda: _identity(signatures.claimed_key(request)))


def _identity(key_id: str) -> bytes:
    result = (
        f"<Arn>{user_arn(key_id)}</Arn><UserId>AIDA{key_id[4:]}</UserId>"
        f"<Account>{ACCOUNT}</Account>"
    )
    return query_result(NAMESPACE, ACTION, result)
