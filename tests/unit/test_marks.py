"""The configuration set and the tags that go along with a message."""

from __future__ import annotations

from sesmail.delivery.credentials import Credentials
from sesmail.delivery.transport import marks

QUEUE_ID = "0193A5F0C0FFEE00112233445566"
MESSAGE = (
    b"From: a@example.com\r\n"
    b"X-SES-Message-Tags: own=1,\r\n two=2, sesmail-id=forged, bad=a b, =x\r\n"
    b"\r\nX-SES-Message-Tags: body=1\r\n"
)


def of(**members: object) -> Credentials:
    """Return credentials with these members."""
    return Credentials("FILE", "example.com", "api", "us-east-1", **members)  # type: ignore[arg-type]


def test_the_queue_id_is_always_a_tag() -> None:
    """Without anything else there is the queue id, and no configuration set."""
    found = marks.collect(MESSAGE, of(), QUEUE_ID)
    assert (found.configuration_set, found.tags) == ("", {"sesmail-id": QUEUE_ID})
    assert found.fields() == f"X-SES-MESSAGE-TAGS: sesmail-id={QUEUE_ID}\r\n".encode()


def test_fields() -> None:
    """The fields name the configuration set and all tags."""
    found = marks.collect(MESSAGE, of(configuration_set="news", tags=(("a", "b"),)), QUEUE_ID)
    assert found.fields() == (
        b"X-SES-CONFIGURATION-SET: news\r\n"
        b"X-SES-MESSAGE-TAGS: a=b, sesmail-id=" + QUEUE_ID.encode() + b"\r\n"
    )


def test_tags_of_the_message() -> None:
    """Where they are kept they are added, folds and all; what is no tag is left out."""
    kept = of(x_ses_headers="keep", tags=(("own", "ours"),))
    assert marks.collect(MESSAGE, kept, QUEUE_ID).tags == {
        "own": "ours",
        "two": "2",
        "sesmail-id": QUEUE_ID,
    }
    assert marks.collect(b"Subject: x\r\n\r\n", kept, QUEUE_ID).tags == {
        "own": "ours",
        "sesmail-id": QUEUE_ID,
    }
