"""Configuration sets of the SES stand-in, and where their events go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.client import Caller, refusal
from tests.fakes.ses import SesServer

NEWS = {"ConfigurationSetName": "news"}
EVENTS = {**NEWS, "EventDestinationName": "events"}
TOPIC = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:events"}
WANTED: dict[str, Any] = {
    "Enabled": True,
    "MatchingEventTypes": ["BOUNCE", "DELIVERY"],
    "SnsDestination": TOPIC,
}


@pytest.fixture
def v2(caller: Caller) -> Any:
    """boto3's client."""
    return caller.v2()


@pytest.fixture
def news(ses: SesServer) -> None:
    """The configuration set `news`."""
    ses.state.configuration_sets.add("news")


def test_create_and_get(ses: SesServer, v2: Any) -> None:
    """Made with options, which are kept beside SES's own; a second of the name is refused."""
    v2.create_configuration_set(**NEWS, DeliveryOptions={"TlsPolicy": "REQUIRE"})
    found = v2.get_configuration_set(**NEWS)
    assert found["ConfigurationSetName"] == "news"
    assert found["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}
    assert found["SendingOptions"] == {"SendingEnabled": True}
    assert "news" in ses.state.configuration_sets
    refused = refusal(v2.create_configuration_set, **NEWS)
    assert (refused.status, refused.code) == (400, "AlreadyExistsException")


def test_limits(ses: SesServer, v2: Any, news: None) -> None:
    """There is an end to how many there may be, of sets and of event destinations."""
    ses.state.max_configuration_sets = 1
    refused = refusal(v2.create_configuration_set, ConfigurationSetName="other")
    assert (refused.status, refused.code) == (400, "LimitExceededException")
    create = v2.create_configuration_set_event_destination
    for number in range(10):
        create(**NEWS, EventDestinationName=f"d{number}", EventDestination=WANTED)
    refused = refusal(create, **NEWS, EventDestinationName="d10", EventDestination=WANTED)
    assert (refused.status, refused.code) == (400, "LimitExceededException")


@pytest.mark.parametrize("name", ["a b", "é", "x" * 65])
def test_wrong_names(v2: Any, name: str) -> None:
    """Letters, digits, `_` and `-` of ASCII, 64 at most."""
    refused = refusal(v2.create_configuration_set, ConfigurationSetName=name)
    assert (refused.status, refused.code) == (400, "BadRequestException")


def test_list_and_delete(ses: SesServer, v2: Any, news: None) -> None:
    """Listed by name, page by page; deleted, it is gone with its destinations."""
    ses.state.configuration_sets.add("other")
    first = v2.list_configuration_sets(PageSize=1)
    second = v2.list_configuration_sets(PageSize=1, NextToken=first["NextToken"])
    assert [*first["ConfigurationSets"], *second["ConfigurationSets"]] == ["news", "other"]
    v2.create_configuration_set_event_destination(**EVENTS, EventDestination=WANTED)
    v2.delete_configuration_set(**NEWS)
    assert list(ses.state.configuration_sets) == ["other"]
    v2.create_configuration_set(**NEWS)
    assert v2.get_configuration_set_event_destinations(**NEWS)["EventDestinations"] == []


@pytest.mark.parametrize(
    ("method", "members"),
    [
        ("get_configuration_set", NEWS),
        ("delete_configuration_set", NEWS),
        ("get_configuration_set_event_destinations", NEWS),
        ("create_configuration_set_event_destination", {**EVENTS, "EventDestination": WANTED}),
        ("update_configuration_set_event_destination", {**EVENTS, "EventDestination": WANTED}),
        ("delete_configuration_set_event_destination", EVENTS),
    ],
)
def test_not_found(v2: Any, method: str, members: dict[str, Any]) -> None:
    """Whatever is asked of a configuration set that is not there."""
    refused = refusal(getattr(v2, method), **members)
    assert (refused.status, refused.code) == (404, "NotFoundException")
    assert refused.text == "Configuration set <news> does not exist."


def test_event_destinations(ses: SesServer, v2: Any, news: None) -> None:
    """Made, seen, changed, deleted; each error has its own code."""
    v2.create_configuration_set_event_destination(**EVENTS, EventDestination=WANTED)
    [found] = v2.get_configuration_set_event_destinations(**NEWS)["EventDestinations"]
    assert found == {"Name": "events", **WANTED}
    refused = refusal(
        v2.create_configuration_set_event_destination, **EVENTS, EventDestination=WANTED
    )
    assert (refused.status, refused.code) == (400, "AlreadyExistsException")
    less = {"MatchingEventTypes": ["BOUNCE"], "SnsDestination": TOPIC}
    v2.update_configuration_set_event_destination(**EVENTS, EventDestination=less)
    [found] = v2.get_configuration_set_event_destinations(**NEWS)["EventDestinations"]
    assert found == {"Name": "events", "Enabled": False, **less}
    assert ses.state.configuration_sets.known["news"].destinations["events"] == {
        "Enabled": False,
        **less,
    }
    v2.delete_configuration_set_event_destination(**EVENTS)
    assert v2.get_configuration_set_event_destinations(**NEWS)["EventDestinations"] == []
    update = {"EventDestination": WANTED}
    for method, rest in (
        (v2.update_configuration_set_event_destination, update),
        (v2.delete_configuration_set_event_destination, {}),
    ):
        refused = refusal(method, **EVENTS, **rest)
        assert (refused.status, refused.code) == (404, "NotFoundException")
        assert "<events>" in refused.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"MatchingEventTypes": []},
        {"MatchingEventTypes": ["BOUNCED"]},
        {"SnsDestination": {"TopicArn": "events"}},
        {"SnsDestination": {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:events"}},
        {"CloudWatchDestination": {"DimensionConfigurations": []}},
    ],
    ids=["none", "unknown", "topic", "region", "two"],
)
def test_wrong_destinations(v2: Any, news: None, wrong: dict[str, Any]) -> None:
    """Events, one target, and a topic of the region: else it is refused."""
    refused = refusal(
        v2.create_configuration_set_event_destination, **EVENTS, EventDestination=WANTED | wrong
    )
    assert (refused.status, refused.code) == (400, "BadRequestException")
    assert v2.get_configuration_set_event_destinations(**NEWS)["EventDestinations"] == []
