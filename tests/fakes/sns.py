"""SNS requests (Query, XML): the operations on topics and subscriptions."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from . import query
from .answers import Call, query_result
from .query import Parameters
from .refusals import UNKNOWN_OPERATION, Kind, Refusal
from .signatures import Request
from .state import ACCOUNT, State
from .topics import Subscription, Topic

NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
NAME = frozenset(string.ascii_letters + string.digits + "-_")
MAX_NAME = 256
TOPIC_ATTRIBUTES = frozenset(["Policy", "DisplayName", "KmsMasterKeyId", "DeliveryPolicy"])
SUBSCRIPTION_ATTRIBUTES = frozenset(["RawMessageDelivery", "FilterPolicy", "RedrivePolicy"])

NOT_FOUND = Kind((404, "NotFound"), (404, "NotFound"), (0, ""))
BAD_PARAMETER = Kind((400, "InvalidParameter"), (400, "InvalidParameter"), (0, ""))

Operation = Callable[[State, Parameters], str]


def read(state: State, request: Request) -> Call:
    """What the request asks for; Refusal if it cannot be read."""
    parameters = query.parameters(request)
    name = query.value(parameters, "Action") or ""
    if name not in OPERATIONS:
        raise Refusal(UNKNOWN_OPERATION, f"The action {name} is not valid for this web service.")
    return Call(
        action=f"sns:{name}",
        result=lambda: query_result(NAMESPACE, name, OPERATIONS[name](state, parameters)),
    )


# Topics.


def _create_topic(state: State, parameters: Parameters) -> str:
    name, attributes = query.value(parameters, "Name") or "", _entries(parameters)
    if not 0 < len(name) <= MAX_NAME or not NAME.issuperset(name):
        raise Refusal(BAD_PARAMETER, "Invalid parameter: Topic Name")
    _check(attributes, TOPIC_ATTRIBUTES)
    arn = f"arn:aws:sns:{state.region}:{ACCOUNT}:{name}"
    topic = state.topics.create(arn, attributes)
    if any(topic.attributes.get(key) != value for key, value in attributes.items()):
        raise Refusal(
            BAD_PARAMETER,
            "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
        )
    return f"<TopicArn>{escape(arn)}</TopicArn>"


def _list_topics(state: State, _: Parameters) -> str:
    members = "".join(
        f"<member><TopicArn>{escape(arn)}</TopicArn></member>" for arn in state.topics.arns()
    )
    return f"<Topics>{members}</Topics>"


def _get_topic_attributes(state: State, parameters: Parameters) -> str:
    topic = _topic(state, parameters)
    return _map(
        {
            "TopicArn": topic.arn,
            "Owner": ACCOUNT,
            "DisplayName": "",
            "SubscriptionsConfirmed": str(len(topic.subscriptions)),
            "SubscriptionsPending": "0",
            "SubscriptionsDeleted": "0",
            **topic.attributes,
        }
    )


def _set_topic_attributes(state: State, parameters: Parameters) -> str:
    topic, attributes = _topic(state, parameters), _one(parameters)
    _check(attributes, TOPIC_ATTRIBUTES)
    topic.attributes.update(attributes)
    return ""


def _delete_topic(state: State, parameters: Parameters) -> str:
    state.topics.delete(query.value(parameters, "TopicArn") or "")
    return ""


def _publish(state: State, parameters: Parameters) -> str:
    identifier = state.topics.publish(
        state.queues,
        _topic(state, parameters),
        query.value(parameters, "Message") or "",
        query.value(parameters, "Subject") or "",
    )
    return f"<MessageId>{identifier}</MessageId>"


# Subscriptions.


def _subscribe(state: State, parameters: Parameters) -> str:
    topic, attributes = _topic(state, parameters), _entries(parameters)
    protocol = query.value(parameters, "Protocol") or ""
    endpoint = query.value(parameters, "Endpoint") or ""
    if protocol != "sqs":
        raise Refusal(BAD_PARAMETER, "The stand-in has subscriptions of queues and no others.")
    if not endpoint.startswith("arn:aws:sqs:"):
        raise Refusal(BAD_PARAMETER, "Invalid parameter: SQS endpoint ARN")
    _check(attributes, SUBSCRIPTION_ATTRIBUTES)
    made = state.topics.subscribe(topic, protocol, endpoint, attributes)
    if made.attributes != attributes:
        raise Refusal(
            BAD_PARAMETER,
            "Invalid parameter: Attributes Reason: Subscription already exists with different "
            "attributes",
        )
    return f"<SubscriptionArn>{escape(made.arn)}</SubscriptionArn>"


def _list_subscriptions_by_topic(state: State, parameters: Parameters) -> str:
    topic = _topic(state, parameters)
    members = "".join(
        f"<member><TopicArn>{escape(topic.arn)}</TopicArn><Protocol>{one.protocol}</Protocol>"
        f"<SubscriptionArn>{escape(one.arn)}</SubscriptionArn><Owner>{ACCOUNT}</Owner>"
        f"<Endpoint>{escape(one.endpoint)}</Endpoint></member>"
        for one in topic.subscriptions.values()
    )
    return f"<Subscriptions>{members}</Subscriptions>"


def _get_subscription_attributes(state: State, parameters: Parameters) -> str:
    topic, one = _subscription(state, parameters)
    return _map(
        {
            "SubscriptionArn": one.arn,
            "TopicArn": topic.arn,
            "Owner": ACCOUNT,
            "Protocol": one.protocol,
            "Endpoint": one.endpoint,
            "PendingConfirmation": "false",
            "ConfirmationWasAuthenticated": "true",
            "RawMessageDelivery": "false",
            **one.attributes,
        }
    )


def _set_subscription_attributes(state: State, parameters: Parameters) -> str:
    _, one = _subscription(state, parameters)
    attributes = _one(parameters)
    _check(attributes, SUBSCRIPTION_ATTRIBUTES)
    one.attributes.update(attributes)
    return ""


def _unsubscribe(state: State, parameters: Parameters) -> str:
    topic, one = _subscription(state, parameters)
    topic.subscriptions.pop(one.arn, None)
    return ""


OPERATIONS: dict[str, Operation] = {
    "CreateTopic": _create_topic,
    "ListTopics": _list_topics,
    "GetTopicAttributes": _get_topic_attributes,
    "SetTopicAttributes": _set_topic_attributes,
    "DeleteTopic": _delete_topic,
    "Publish": _publish,
    "Subscribe": _subscribe,
    "ListSubscriptionsByTopic": _list_subscriptions_by_topic,
    "GetSubscriptionAttributes": _get_subscription_attributes,
    "SetSubscriptionAttributes": _set_subscription_attributes,
    "Unsubscribe": _unsubscribe,
}


def _topic(state: State, parameters: Parameters) -> Topic:
    topic = state.topics.find(query.value(parameters, "TopicArn") or "")
    if topic is None:
        raise Refusal(NOT_FOUND, "Topic does not exist")
    return topic


def _subscription(state: State, parameters: Parameters) -> tuple[Topic, Subscription]:
    found = state.topics.subscription(query.value(parameters, "SubscriptionArn") or "")
    if found is None:
        raise Refusal(NOT_FOUND, "Subscription does not exist")
    return found


def _one(parameters: Parameters) -> dict[str, str]:
    name = query.value(parameters, "AttributeName") or ""
    return {name: query.value(parameters, "AttributeValue") or ""}


def _entries(parameters: Parameters) -> dict[str, str]:
    found: dict[str, str] = {}
    prefix = "Attributes.entry.{}.{}"
    while (key := query.value(parameters, prefix.format(len(found) + 1, "key"))) is not None:
        found[key] = query.value(parameters, prefix.format(len(found) + 1, "value")) or ""
    return found


def _check(attributes: Mapping[str, str], known: frozenset[str]) -> None:
    for name, value in attributes.items():
        if name not in known:
            raise Refusal(BAD_PARAMETER, "Invalid parameter: AttributeName")
        if name == "Policy":
            try:
                json.loads(value)
            except ValueError:
                raise Refusal(
                    BAD_PARAMETER, "Invalid parameter: Policy Error: failed to parse policy"
                ) from None
        if name == "RawMessageDelivery" and value.lower() not in ("true", "false"):
            raise Refusal(BAD_PARAMETER, "Invalid parameter: Attributes Reason: RawMessageDelivery")


def _map(values: Mapping[str, str]) -> str:
    entries = "".join(
        f"<entry><key>{escape(key)}</key><value>{escape(value)}</value></entry>"
        for key, value in values.items()
    )
    return f"<Attributes>{entries}</Attributes>"
