"""sesmailctl events against ministack: what it makes there is what AWS's own client then sees.

ministack's identities have no default configuration set, so the credentials name one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ctl
from tests.clients import stand_ins
from tests.fakes.client import Caller
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.spool import IDENTITY, Spool

NAME = "sesmail-example-com"
SET = "newsletters"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Caller]:
    """A running ministack that knows the domain, and a client of it."""
    directory = tmp_path / "ministack"
    directory.mkdir()
    with (
        stand_ins.running("ministack", directory) as url,
        Caller({"api_url": url}) as caller,
    ):
        caller.v2().create_email_identity(EmailIdentity=IDENTITY)
        caller.v2().create_configuration_set(ConfigurationSetName=SET)
        yield caller


@pytest.fixture
def spool(other: Caller, ses: SesServer, tmp_path: Path) -> Iterator[Spool]:
    """A spool whose credentials are for ministack."""
    made = Spool(tmp_path, ses)
    made.identity(
        IDENTITY,
        f"aws_access_key_id = {KEY_ID}",
        f"aws_secret_access_key = {SECRET}",
        f"endpoint_url = {other.v2().meta.endpoint_url}",
        f"configuration_set = {SET}",
    )
    yield made
    made.close()


def done(spool: Spool, *words: str) -> dict[str, str]:
    """Run ``events`` and return what was done to each part."""
    result = ctl.run(spool, "events", *words, IDENTITY, "--json")
    assert result.exit_code == 0, result.stderr
    return {one["step"]: one["did"] for one in result.documents if "did" in one}


def test_made_found_and_removed(spool: Spool, other: Caller) -> None:
    """Once each, with the event types and raw delivery; then again; then nothing is left."""
    assert done(spool, "setup") == {
        "topic": "made",
        "queue": "made",
        "subscription": "made",
        "configuration set": "found",
        "event destination": "made",
        "identity's default": "kept",
        "credentials": "changed",
    }
    destinations = other.v2().get_configuration_set_event_destinations(ConfigurationSetName=SET)
    (destination,) = destinations["EventDestinations"]
    topic = destination["SnsDestination"]["TopicArn"]
    (subscribed,) = other.sns().list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    queue = other.sqs().get_queue_url(QueueName=NAME)["QueueUrl"]
    attributes = other.sqs().get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    assert subscribed["Endpoint"] == attributes["Attributes"]["QueueArn"]
    assert f"events_queue_url = {queue}\n" in (spool.credentials / IDENTITY).read_text()
    other.sns().publish(TopicArn=topic, Message="as it is")
    messages = other.sqs().receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    assert [one["Body"] for one in messages] == ["as it is"]
    assert set(done(spool, "setup").values()) == {"found", "kept"}
    parts = {"credentials", "event destination", "subscription", "topic", "queue"}
    assert done(spool, "remove", "--yes") == dict.fromkeys(parts, "removed")
    assert other.sns().list_topics()["Topics"] == []
    assert not other.sqs().list_queues().get("QueueUrls")
    left = other.v2().get_configuration_set_event_destinations(ConfigurationSetName=SET)
    assert not left.get("EventDestinations")
    assert "events_queue_url" not in (spool.credentials / IDENTITY).read_text()
