"""SESv2 operations on configuration sets and their event destinations."""

from __future__ import annotations

import re
from typing import Any

from .configuration_set import ConfigurationSet
from .operations import Document, Operation, page, required
from .refusals import (
    ALREADY_EXISTS,
    BAD_VALUE,
    LIMIT_EXCEEDED,
    NO_CONFIGURATION_SET,
    NOT_FOUND,
    Refusal,
)
from .state import State

MAX_DESTINATIONS = 10  # event destinations of a configuration set
TARGETS = (
    "KinesisFirehoseDestination",
    "CloudWatchDestination",
    "SnsDestination",
    "EventBridgeDestination",
    "PinpointDestination",
)
EVENT_TYPES = frozenset(
    "SEND REJECT BOUNCE COMPLAINT DELIVERY OPEN CLICK RENDERING_FAILURE DELIVERY_DELAY "
    "SUBSCRIPTION".split()
)
_OPTIONS = (
    "TrackingOptions",
    "DeliveryOptions",
    "ReputationOptions",
    "SendingOptions",
    "Tags",
    "SuppressionOptions",
)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PATH = "/v2/email/configuration-sets"
_ONE = _PATH + "/{ConfigurationSetName}"
_EVENTS = _ONE + "/event-destinations"
_EVENT = _EVENTS + "/{EventDestinationName}"
_PAGE = 1000


def _create(state: State, members: Document) -> Document:
    name = _checked_name(members, "ConfigurationSetName")
    if name in state.configuration_sets:
        raise Refusal(ALREADY_EXISTS, f"Configuration set <{name}> already exists.")
    if len(state.configuration_sets) >= state.max_configuration_sets:
        raise Refusal(LIMIT_EXCEEDED, "You have reached the limit of configuration sets.")
    options = {option: members[option] for option in _OPTIONS if option in members}
    state.configuration_sets.known[name] = ConfigurationSet(name, options)
    return {}


def _get(state: State, members: Document) -> Document:
    found = _known(state, members)
    defaults: Document = {
        "DeliveryOptions": {"TlsPolicy": "OPTIONAL"},
        "ReputationOptions": {"ReputationMetricsEnabled": False},
        "SendingOptions": {"SendingEnabled": True},
        "Tags": [],
    }
    return {"ConfigurationSetName": found.name, **defaults, **found.options}


def _delete(state: State, members: Document) -> Document:
    state.configuration_sets.discard(_known(state, members).name)
    return {}


def _list(state: State, members: Document) -> Document:
    names, more = page(sorted(state.configuration_sets), members, _PAGE)
    return {"ConfigurationSets": names, **more}


def _create_destination(state: State, members: Document) -> Document:
    owner = _known(state, members)
    name = _checked_name(members, "EventDestinationName")
    if name in owner.destinations:
        raise Refusal(
            ALREADY_EXISTS,
            f"An event destination with name <{name}> already exists for configuration set "
            f"<{owner.name}>.",
        )
    if len(owner.destinations) >= MAX_DESTINATIONS:
        raise Refusal(
            LIMIT_EXCEEDED, f"Configuration set <{owner.name}> has too many event destinations."
        )
    _put_destination(state, owner, name, members)
    return {}


def _get_destinations(state: State, members: Document) -> Document:
    found = _known(state, members).destinations
    return {"EventDestinations": [{"Name": name, **one} for name, one in found.items()]}


def _update_destination(state: State, members: Document) -> Document:
    owner, name = _known_destination(state, members)
    _put_destination(state, owner, name, members)
    return {}


def _delete_destination(state: State, members: Document) -> Document:
    owner, name = _known_destination(state, members)
    del owner.destinations[name]
    return {}


OPERATIONS = (
    Operation("CreateConfigurationSet", "POST", _PATH, _create),
    Operation("GetConfigurationSet", "GET", _ONE, _get),
    Operation("DeleteConfigurationSet", "DELETE", _ONE, _delete),
    Operation(
        "ListConfigurationSets",
        "POST",
        "/v2/email/list-configuration-sets",
        _list,
        older=("GET", _PATH),
    ),
    Operation("CreateConfigurationSetEventDestination", "POST", _EVENTS, _create_destination),
    Operation("GetConfigurationSetEventDestinations", "GET", _EVENTS, _get_destinations),
    Operation("UpdateConfigurationSetEventDestination", "PUT", _EVENT, _update_destination),
    Operation("DeleteConfigurationSetEventDestination", "DELETE", _EVENT, _delete_destination),
)


def _known(state: State, members: Document) -> ConfigurationSet:
    name = members["ConfigurationSetName"]
    if name not in state.configuration_sets:
        raise Refusal(NO_CONFIGURATION_SET, f"Configuration set <{name}> does not exist.")
    return state.configuration_sets.known[name]


def _known_destination(state: State, members: Document) -> tuple[ConfigurationSet, str]:
    owner, name = _known(state, members), members["EventDestinationName"]
    if name not in owner.destinations:
        raise Refusal(
            NOT_FOUND,
            f"An event destination with name <{name}> does not exist for configuration set "
            f"<{owner.name}>.",
        )
    return owner, name


def _checked_name(members: Document, member: str) -> str:
    name: str = required(members, member)
    if not _NAME.fullmatch(name):
        raise Refusal(
            BAD_VALUE,
            f"{member} <{name}>: only alphanumeric ASCII characters, '_', and '-' are allowed, "
            "64 characters at most.",
        )
    return name


def _put_destination(state: State, owner: ConfigurationSet, name: str, members: Document) -> None:
    owner.destinations[name] = _destination(state, members)
    for validate in state.validators:
        validate(owner.name, owner.destinations[name])


def _destination(state: State, members: Document) -> dict[str, Any]:
    """The EventDestination of a request; Refusal if SES would not take it.

    Of an SNS topic only the form of its ARN is looked at, as SES answers before it publishes.
    """
    found: dict[str, Any] = required(members, "EventDestination")
    types = required(found, "MatchingEventTypes")
    unknown = sorted(set(types) - EVENT_TYPES)
    if unknown:
        raise Refusal(BAD_VALUE, f"Unknown event types: {', '.join(unknown)}")
    if sum(target in found for target in TARGETS) != 1:
        raise Refusal(BAD_VALUE, "Please provide only one destination with each request.")
    topic = found.get("SnsDestination", {}).get("TopicArn")
    if topic is not None and not topic.startswith(f"arn:aws:sns:{state.region}:"):
        raise Refusal(BAD_VALUE, f"Invalid SNS topic <{topic}>.")
    return {"Enabled": False, **found}
