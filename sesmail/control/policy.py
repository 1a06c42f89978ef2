"""``sesmailctl policy``: the least that a key must be allowed, as a policy document of IAM.

For sending: mail with an author of the identity, and GetAccount, by which sesmaild keeps to the
account's rate. That one allows no condition, so it has a statement of its own. With ``--admin``:
what ``setup`` and ``remove`` do. What ``events`` needs, ``sesmailctl events policy`` prints.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from sesmail.control import identity_name, verb
from sesmail.control.events import names
from sesmail.control.verb import Context, Verbs

Statement = dict[str, Any]

_IDENTITY_ACTIONS = (
    "CreateEmailIdentity",
    "DeleteEmailIdentity",
    "GetEmailIdentity",
    "PutEmailIdentityDkimSigningAttributes",
    "PutEmailIdentityMailFromAttributes",
)
_ANY = "*"


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verb.add(verbs, "policy", "print the IAM policy that a key needs", _run)
    parser.add_argument("identity", metavar="DOMAIN|ADDRESS", help="who shall send")
    parser.add_argument(
        "--admin", action="store_true", help="for the key of setup and remove, not for sending"
    )
    parser.add_argument("--region", metavar="REGION", default=_ANY, help="only in this region")


def _run(context: Context, arguments: argparse.Namespace) -> None:
    name = identity_name.read(arguments.identity)
    statements = setting_up(name, arguments.region) if arguments.admin else sending(name)
    document = {"Version": "2012-10-17", "Statement": statements}
    if context.terminal.is_json:
        context.terminal.result(document)
        return
    # As it is, in every terminal: it will be copied, or read by a program.
    print(json.dumps(document, indent=2))
    if not arguments.admin:
        context.terminal.note(
            "ses:GetAccount allows no condition. Without it mail goes all the same, but sesmaild "
            "does not know the account's rate and quota."
        )


def sending(identity: str) -> list[Statement]:
    """Return what the stored key needs. IAM compares the address letter by letter."""
    from_address = [identity] if "@" in identity else [f"*@{identity}", f"*@*.{identity}"]
    return [
        {
            "Sid": "Send",
            "Effect": "Allow",
            "Action": ["ses:SendEmail", "ses:SendRawEmail"],
            "Resource": _ANY,
            "Condition": {"StringLike": {"ses:FromAddress": from_address}},
        },
        _account("GetAccount"),
    ]


def setting_up(identity: str, region: str = _ANY) -> list[Statement]:
    """Return what an administrator's key needs for this identity, and no other."""
    # Of an address the domain is looked at, too: if that is verified, all is done.
    wanted = dict.fromkeys([identity, identity_name.domain(identity)])
    arn = f"arn:{names.partition(region)}:ses:{region}:*:identity/"
    return [
        {
            "Sid": "SetUp",
            "Effect": "Allow",
            "Action": [f"ses:{action}" for action in _IDENTITY_ACTIONS],
            "Resource": [arn + name for name in wanted],
        },
        _account("GetAccount", "PutAccountDetails"),
    ]


def _account(*actions: str) -> Statement:
    return {
        "Sid": "Account",
        "Effect": "Allow",
        "Action": [f"ses:{action}" for action in actions],
        "Resource": _ANY,
    }
