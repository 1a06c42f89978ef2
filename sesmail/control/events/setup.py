"""``sesmailctl events setup``: SES -> SNS topic -> SQS queue, and the queue into the credentials.

    topic              ours; its policy lets SES publish, for this configuration set alone
    queue              ours; its policy lets the topic send, and nobody else
    subscription       of the queue to the topic, with the events as SES writes them
    configuration set  the one that the mail has already, else ours
    event destination  in that set, to the topic
    identity           our set becomes its default: raw mail needs no field for it
    credentials        ``events_queue_url``, and ``configuration_set`` where nothing else says it

Each step looks first, so that the whole can be repeated, and goes on where it was interrupted. The
order is that of the policies: SES tries the topic when the destination is made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sesmail.control import credentials_writer
from sesmail.control.events import policies
from sesmail.control.events.names import Place
from sesmail.control.events.steps import CHANGED, FOUND, KEPT, MADE, Caller, Step, Steps
from sesmail.delivery.credentials import Credentials
from sesmail.settings import Settings
from sesmail.sysexits import DataError, NotPermitted

EVENT_TYPES = [
    "SEND",
    "REJECT",
    "BOUNCE",
    "COMPLAINT",
    "DELIVERY",
    "DELIVERY_DELAY",
    "RENDERING_FAILURE",
]
_ATTRIBUTES = {
    "MessageRetentionPeriod": str(14 * 86400),  # seconds; the most there is: a host may be away
    "VisibilityTimeout": "60",  # seconds until an event whose reader died comes again
    "ReceiveMessageWaitTimeSeconds": "20",
    "SqsManagedSseEnabled": "true",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be set up: for which identity, by which name, and what there is already.

    ``default_set`` is the identity's default configuration set at SES, "" for none.
    """

    identity: str
    name: str
    place: Place
    credentials: Credentials
    default_set: str

    @property
    def configuration_set(self) -> str:
        """The set whose events are wanted: that of each mail, of the identity, else ours."""
        return self.credentials.configuration_set or self.default_set or self.name


def plan(caller: Caller, identity: str, name: str, credentials: Credentials) -> Plan:
    """Return what is to be set up. Raises DataError for an identity that SES does not know."""
    answer = caller.find("sesv2", "get_email_identity", EmailIdentity=identity)
    if answer is None:
        raise DataError(
            f"SES does not know {identity} in {caller.aws.region}; sesmailctl setup "
            f"{identity} makes it known"
        )
    partition = caller.aws.arn().split(":")[1]
    place = Place(partition, caller.aws.region, caller.aws.account_id())
    return Plan(identity, name, place, credentials, str(answer.get("ConfigurationSetName") or ""))


def run(caller: Caller, plan: Plan, settings: Settings) -> Steps:
    """Do what is not done yet; yield each step. Raises AwsError, NotPermitted and others."""
    yield _topic(caller, plan)
    url, step = _queue(caller, plan)
    yield step
    yield _subscription(caller, plan)
    yield _configuration_set(caller, plan)
    yield _destination(caller, plan)
    keys = {"events_queue_url": url}
    step = _default(caller, plan)
    yield step
    if step.did == KEPT and not plan.credentials.configuration_set:
        keys["configuration_set"] = plan.configuration_set
    yield _write(plan, settings, keys)


def _topic(caller: Caller, plan: Plan) -> Step:
    arn = plan.place.topic(plan.name)
    wanted = policies.topic(plan.place, plan.name, plan.configuration_set)
    found = caller.find("sns", "get_topic_attributes", TopicArn=arn)
    if found is None:
        caller.call("sns", "create_topic", Name=plan.name)
    elif _is_policy(found["Attributes"], wanted):
        return Step("topic", arn, FOUND)
    caller.call(
        "sns",
        "set_topic_attributes",
        TopicArn=arn,
        AttributeName="Policy",
        AttributeValue=json.dumps(wanted),
    )
    return Step("topic", arn, MADE if found is None else CHANGED)


def _queue(caller: Caller, plan: Plan) -> tuple[str, Step]:
    """Return the queue's URL, too."""
    arn = plan.place.queue(plan.name)
    policy = policies.queue(plan.place, plan.name)
    wanted = {**_ATTRIBUTES, "Policy": json.dumps(policy)}
    found = caller.find("sqs", "get_queue_url", QueueName=plan.name)
    if found is None:
        made = caller.call("sqs", "create_queue", QueueName=plan.name, Attributes=wanted)
        return made["QueueUrl"], Step("queue", arn, MADE)
    url = found["QueueUrl"]
    answer = caller.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    there = answer.get("Attributes", {})
    if _is_policy(there, policy) and all(there.get(key) == _ATTRIBUTES[key] for key in _ATTRIBUTES):
        return url, Step("queue", arn, FOUND)
    caller.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes=wanted)
    return url, Step("queue", arn, CHANGED)


def _subscription(caller: Caller, plan: Plan) -> Step:
    topic, queue = plan.place.topic(plan.name), plan.place.queue(plan.name)
    known = subscription(caller, topic, queue)
    if known is None:
        made = caller.call(
            "sns",
            "subscribe",
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=queue,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )
        return Step("subscription", made["SubscriptionArn"], MADE)
    answer = caller.call("sns", "get_subscription_attributes", SubscriptionArn=known)
    if answer["Attributes"].get("RawMessageDelivery") == "true":
        return Step("subscription", known, FOUND)
    caller.call(
        "sns",
        "set_subscription_attributes",
        SubscriptionArn=known,
        AttributeName="RawMessageDelivery",
        AttributeValue="true",
    )
    return Step("subscription", known, CHANGED)


def subscription(caller: Caller, topic: str, queue: str) -> str | None:
    """Return the ARN of a queue's subscription to a topic (both ARNs), None for none."""
    page: dict[str, str] = {}
    while True:
        answer = caller.call("sns", "list_subscriptions_by_topic", TopicArn=topic, **page)
        for one in answer.get("Subscriptions", ()):
            if one["Protocol"] == "sqs" and one["Endpoint"] == queue:
                return str(one["SubscriptionArn"])
        if not answer.get("NextToken"):
            return None
        page = {"NextToken": answer["NextToken"]}


def _configuration_set(caller: Caller, plan: Plan) -> Step:
    name = plan.configuration_set
    if caller.find("sesv2", "get_configuration_set", ConfigurationSetName=name) is not None:
        why = "" if name == plan.name else "the one that this identity's mail has already"
        return Step("configuration set", name, FOUND, why)
    if name != plan.name:
        raise DataError(
            f"SES has no configuration set {name}, which {plan.credentials.path} names; make it, "
            "or take the key out"
        )
    caller.call("sesv2", "create_configuration_set", ConfigurationSetName=name)
    return Step("configuration set", name, MADE)


def _destination(caller: Caller, plan: Plan) -> Step:
    wanted: dict[str, Any] = {
        "Enabled": True,
        "MatchingEventTypes": EVENT_TYPES,
        "SnsDestination": {"TopicArn": plan.place.topic(plan.name)},
    }
    known = destination(caller, plan.configuration_set, plan.name)
    request = {
        "ConfigurationSetName": plan.configuration_set,
        "EventDestinationName": plan.name,
        "EventDestination": wanted,
    }
    if known is None:
        caller.call("sesv2", "create_configuration_set_event_destination", **request)
        return Step("event destination", plan.name, MADE)
    if _is_destination(known, wanted):
        return Step("event destination", plan.name, FOUND)
    caller.call("sesv2", "update_configuration_set_event_destination", **request)
    return Step("event destination", plan.name, CHANGED)


def destination(caller: Caller, configuration_set: str, name: str) -> dict[str, Any] | None:
    """Return an event destination of a configuration set; None if either is not there."""
    answer = caller.find(
        "sesv2",
        "get_configuration_set_event_destinations",
        ConfigurationSetName=configuration_set,
    )
    for one in (answer or {}).get("EventDestinations", ()):
        if one["Name"] == name:
            return dict(one)
    return None


def _default(caller: Caller, plan: Plan) -> Step:
    name = plan.configuration_set
    if plan.default_set == name:
        return Step("identity's default", name, FOUND)
    if plan.credentials.configuration_set:
        return Step(
            "identity's default", plan.default_set or "none", KEPT, f"each mail names {name}"
        )
    try:
        caller.call(
            "sesv2",
            "put_email_identity_configuration_set_attributes",
            EmailIdentity=plan.identity,
            ConfigurationSetName=name,
        )
    except NotPermitted:
        why = "this key may not change it; the credentials file will name the set for each mail"
        return Step("identity's default", "none", KEPT, why)
    return Step("identity's default", name, MADE)


def _write(plan: Plan, settings: Settings, keys: dict[str, str]) -> Step:
    there = {key: getattr(plan.credentials, key) for key in keys}
    if there == keys:
        return Step("credentials", plan.credentials.path, FOUND)
    path = credentials_writer.set_keys(settings, plan.identity, keys)
    return Step("credentials", path, CHANGED, ", ".join(f"{key} = {keys[key]}" for key in keys))


def _is_policy(attributes: dict[str, str], wanted: policies.Policy) -> bool:
    try:
        return bool(json.loads(attributes.get("Policy", "")) == wanted)
    except ValueError:
        return False


def _is_destination(known: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return (
        known.get("Enabled") is True
        and set(wanted["MatchingEventTypes"]) <= set(known.get("MatchingEventTypes", ()))
        and known.get("SnsDestination") == wanted["SnsDestination"]
    )
