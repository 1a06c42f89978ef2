"""The one way into SES: what is checked, in order, before a message is accepted.

The three interfaces bring a Submission; `send` raises the Refusal or records the Accepted.
"""

from __future__ import annotations

import email.utils
import string
import uuid
from dataclasses import dataclass, field, replace

from . import addresses, message
from .identity import REJECT, SUCCESS
from .message import Message
from .refusals import (
    BAD_VALUE,
    DENIED,
    MAIL_FROM,
    NO_CONFIGURATION_SET,
    PAUSED,
    REJECTED,
    SHUT_DOWN_TEXT,
    THROTTLED,
    TOO_LONG,
    Refusal,
)
from .state import ACCOUNT, SHUTDOWN, Accepted, State, user_arn

MAX_RECIPIENTS = 50
MAX_LENGTH = {"v2": 40 * 1024 * 1024, "v1": 10 * 1024 * 1024, "smtp": 40 * 1024 * 1024}
SIMULATOR = "@simulator.amazonses.com"
ACTIONS = {
    "v2": ("ses:SendEmail", "ses:SendRawEmail"),
    "v1": ("ses:SendRawEmail",),
    "smtp": ("ses:SendRawEmail",),
}
TAG_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-")
MAX_TAG = 256
LISTS = ("From", "Sender", "Reply-To", "Return-Path", "To", "Cc", "Bcc")


@dataclass(frozen=True)
class Submission:
    """A message as an interface got it.

    source is v1's Source, v2's FeedbackForwardingEmailAddress or the reverse-path, None if not
    given; destinations None means that the message's own To, Cc and Bcc count.
    """

    interface: str
    key_id: str
    raw: bytes
    source: str | None = None
    destinations: list[str] | None = None
    configuration_set: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


def send(state: State, submission: Submission) -> Accepted:
    """Check everything, then record and return what was accepted; Refusal if SES says no."""
    check_permission(state, submission)
    check_length(submission)
    parsed = message.parse(submission.raw)
    message.check_fields(parsed)
    settled = _settled(submission, parsed)
    _check_addresses(settled, parsed)
    _check_account(state)
    _check_identities(state, settled, parsed)
    settled = _with_default(state, settled, parsed)
    _check_settings(state, settled)
    _check_quota(state, len(settled.destinations or ()))
    accepted = _accepted(state, settled, parsed)
    state.record(accepted)
    return accepted


def check_permission(state: State, submission: Submission) -> None:
    """Refusal if the key's policy lacks an action that the interface asks for."""
    for action in ACTIONS[submission.interface]:
        if not state.allowed(submission.key_id, action):
            raise Refusal(DENIED, denied_text(state, submission.key_id, action))


def check_call(state: State, key_id: str, action: str) -> None:
    """Refusal of a call that sends nothing: the policy lacks the action, or the state refuses."""
    if not state.allowed(key_id, action):
        raise Refusal(
            DENIED,
            f"User: {user_arn(key_id)} is not authorized to perform: {action} because no "
            f"identity-based policy allows the {action} action",
        )
    if action in state.refusing:
        raise state.refusing[action]


def denied_text(state: State, key_id: str, action: str) -> str:
    """What IAM says of a send, naming user, action and resource."""
    return (
        f"User `{user_arn(key_id)}' is not authorized to perform "
        f"`{action}' on resource `arn:aws:ses:{state.region}:{ACCOUNT}:identity/example.com'"
    )


def check_length(submission: Submission) -> None:
    """Refusal if the message is longer than the interface takes."""
    limit, length = MAX_LENGTH[submission.interface], len(submission.raw)
    if length > limit:
        raise Refusal(TOO_LONG, f"Message length is more than {limit} bytes long: '{length}'")


def verified(state: State, address: str) -> bool:
    """Is there an identity for the address?

    Domains match in any case and with every subdomain; addresses match exactly.
    """
    return state.identities.of(address) is not None


def context(state: State, submission: Submission) -> dict[str, str]:
    """What the text of a scripted fault may name."""
    try:
        author = message.parse(submission.raw).first("From") or ""
    except Refusal:
        author = ""
    return {
        "source": submission.source or "",
        "recipient": (submission.destinations or [""])[0],
        "author": author,
        "region": state.region.upper(),
    }


def _settled(submission: Submission, parsed: Message) -> Submission:
    """The submission with what it left to the header section; parameters win over fields."""
    return replace(
        submission,
        destinations=_destinations(submission, parsed),
        configuration_set=submission.configuration_set or parsed.first("X-SES-CONFIGURATION-SET"),
        tags=submission.tags or _header_tags(parsed.first("X-SES-MESSAGE-TAGS")),
    )


def _destinations(submission: Submission, parsed: Message) -> list[str]:
    destinations = submission.destinations
    if not destinations:
        if parsed.first("To") is None:
            raise Refusal(BAD_VALUE, "Missing required header 'To'.")
        destinations = [
            one
            for name in ("To", "Cc", "Bcc")
            for value in parsed.values(name)
            for one in addresses.split_list(value)
        ]
    if len(destinations) > MAX_RECIPIENTS:
        raise Refusal(BAD_VALUE, f"Recipient count exceeds {MAX_RECIPIENTS}")
    if any(not one.strip() for one in destinations):
        raise Refusal(BAD_VALUE, "Invalid email address .")
    return [addresses.bare(one) for one in destinations]


def _check_addresses(submission: Submission, parsed: Message) -> None:
    if not addresses.split_list(parsed.first("From") or ""):
        raise Refusal(BAD_VALUE, "Empty required header 'From'.")
    for name in LISTS:
        for value in parsed.values(name):
            for one in addresses.split_list(value):
                if not (name == "Return-Path" and one == "<>"):
                    addresses.check(addresses.bare(one))
    if submission.source:
        addresses.check(addresses.bare(submission.source))
    for destination in submission.destinations or ():
        addresses.check(destination)


def _check_account(state: State) -> None:
    if state.enforcement == SHUTDOWN:
        raise Refusal(REJECTED, SHUT_DOWN_TEXT)
    if not state.sending_enabled:
        raise Refusal(PAUSED, "Email sending for the account is paused.")


def _with_default(state: State, submission: Submission, parsed: Message) -> Submission:
    """With the configuration set of the author's identity if it has none of its own.

    Refusal if that identity insists on a MAIL FROM domain that is not in order.
    """
    author = addresses.bare(addresses.split_list(parsed.first("From") or "")[0])
    identity = state.identities.of(author)
    if identity is None:
        return submission
    insists = identity.mail_from and identity.on_mx_failure == REJECT
    if insists and identity.mail_from_status != SUCCESS:
        raise Refusal(MAIL_FROM, f"The MAIL FROM domain {identity.mail_from} isn't verified.")
    chosen = submission.configuration_set or identity.configuration_set or None
    return replace(submission, configuration_set=chosen)


def _check_identities(state: State, submission: Submission, parsed: Message) -> None:
    senders = [
        one
        for name in ("From", "Sender", "Return-Path")
        for value in parsed.values(name)
        for one in addresses.split_list(value)
        if one != "<>"
    ]
    if submission.source:
        senders.append(submission.source)
    failed = [one for one in senders if not verified(state, addresses.bare(one))]
    if state.sandbox:
        failed += [one for one in submission.destinations or () if not _reachable(state, one)]
    if failed:
        names = ", ".join(dict.fromkeys(failed))
        raise Refusal(
            REJECTED,
            "Email address is not verified. The following identities failed the check in region "
            f"{state.region.upper()}: {names}",
        )


def _reachable(state: State, address: str) -> bool:
    return (
        address in state.verified_recipients
        or verified(state, address)
        or address.lower().endswith(SIMULATOR)
    )


def _check_settings(state: State, submission: Submission) -> None:
    wanted = submission.configuration_set
    if wanted and wanted not in state.configuration_sets:
        raise Refusal(NO_CONFIGURATION_SET, f"Configuration set <{wanted}> does not exist.")
    _check_tags(submission.tags)


def _check_tags(tags: dict[str, str]) -> None:
    for kind, texts in (("name", tags), ("value", tags.values())):
        for text in texts:
            if not text or not TAG_CHARACTERS.issuperset(text):
                raise Refusal(
                    BAD_VALUE,
                    f"Invalid tag {kind} <{text}>: only alphanumeric ASCII characters, '_', and "
                    "'-' are allowed.",
                )
            if len(text) > MAX_TAG:
                raise Refusal(BAD_VALUE, f"Tag {kind} is longer than {MAX_TAG} characters.")


def _check_quota(state: State, recipients: int) -> None:
    limit = state.max_24_hour_send
    if limit >= 0 and state.sent_last_24_hours() + recipients > limit:
        raise Refusal(THROTTLED, "Daily message quota exceeded")
    if not state.may_send_now():
        raise Refusal(THROTTLED, "Maximum sending rate exceeded.")


def _accepted(state: State, submission: Submission, parsed: Message) -> Accepted:
    now = state.now()
    message_id = f"0100{int(now * 1000):012x}-{uuid.uuid4()}-000000"
    source = submission.source or parsed.first("Return-Path") or parsed.first("From") or ""
    return Accepted(
        interface=submission.interface,
        source=addresses.bare(addresses.split_list(source)[0]),
        destinations=submission.destinations or [],
        raw=submission.raw,
        tags=submission.tags,
        configuration_set=submission.configuration_set,
        message_id=message_id,
        delivered=message.delivered(
            parsed, message_id, state.region, email.utils.formatdate(now, localtime=False)
        ),
        key_id=submission.key_id,
    )


def _header_tags(value: str | None) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in (value or "").split(",") if "=" in pair)
    return {name.strip(): tag.strip() for name, _, tag in pairs}
