"""What SES is told about a message beside its envelope: the configuration set and the tags.

Every mail is tagged with its queue id. The API takes both as parameters; over SMTP they are the
fields X-SES-CONFIGURATION-SET and X-SES-MESSAGE-TAGS, of which SES reads the first and removes all.
Where the credentials file keeps the message's own X-SES fields, its tags are added to ours, for SES
does not merge them; ours win.
"""

from __future__ import annotations

from dataclasses import dataclass

from sesmail.delivery.credential_values import QUEUE_ID_TAG, TAG
from sesmail.delivery.credentials import Credentials
from sesmail.message import header

_TAGS = b"x-ses-message-tags"


@dataclass(frozen=True, slots=True)
class Marks:
    """The configuration set, "" for none, and the tags by name."""

    configuration_set: str
    tags: dict[str, str]

    def fields(self) -> bytes:
        """Return the marks as header fields, with CRLF."""
        pairs = ", ".join(f"{name}={value}" for name, value in self.tags.items())
        text = f"X-SES-MESSAGE-TAGS: {pairs}\r\n"
        if self.configuration_set:
            text = f"X-SES-CONFIGURATION-SET: {self.configuration_set}\r\n" + text
        return text.encode("ascii")


def collect(message: bytes, credentials: Credentials, queue_id: str) -> Marks:
    """Return the marks of a message (CRLF line ends) that is sent with these credentials."""
    own = _own_tags(message) if credentials.x_ses_headers == "keep" else {}
    tags = {**own, **dict(credentials.tags), QUEUE_ID_TAG: queue_id}
    return Marks(credentials.configuration_set, tags)


def _own_tags(message: bytes) -> dict[str, str]:
    section = message.partition(b"\r\n\r\n")[0].replace(b"\r\n", b"\n") + b"\n"
    field = header.first(header.split(section), _TAGS)
    if field is None:
        return {}
    pairs = (pair.partition("=") for pair in field.text().split(","))
    tags = {name.strip(): value.strip() for name, _, value in pairs}
    return {
        name: value for name, value in tags.items() if TAG.fullmatch(name) and TAG.fullmatch(value)
    }
