"""``sesmailctl events remove``: takes away what ``events setup`` made, and nothing else.

Ours is what has the name. The credentials come first, so that sesmaild stops asking, then from SES
to the queue, so that nothing publishes into what is gone. What is not there is passed over.
"""

from __future__ import annotations

from sesmail.control import credentials_writer
from sesmail.control.events.setup import Plan, destination, subscription
from sesmail.control.events.steps import REMOVED, Caller, Step, Steps
from sesmail.settings import Settings


def waiting(caller: Caller, plan: Plan) -> int:
    """Return about how many events are in the queue, which go with it."""
    found = caller.find("sqs", "get_queue_url", QueueName=plan.name)
    if found is None:
        return 0
    answer = caller.call(
        "sqs",
        "get_queue_attributes",
        QueueUrl=found["QueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    return int(answer.get("Attributes", {}).get("ApproximateNumberOfMessages", 0))


def run(caller: Caller, plan: Plan, settings: Settings) -> Steps:
    """Take away; yield what was there. Raises AwsError, NotPermitted and others."""
    yield from _credentials(plan, settings)
    yield from _default(caller, plan)
    yield from _sets(caller, plan)
    yield from _topic(caller, plan)
    yield from _queue(caller, plan)


def _credentials(plan: Plan, settings: Settings) -> Steps:
    gone = []
    if plan.credentials.events_queue_url.endswith(f"/{plan.name}"):
        gone.append("events_queue_url")
    if plan.credentials.configuration_set == plan.name:
        gone.append("configuration_set")
    if gone:
        path = credentials_writer.set_keys(settings, plan.identity, dict.fromkeys(gone))
        yield Step("credentials", path, REMOVED, ", ".join(gone))


def _default(caller: Caller, plan: Plan) -> Steps:
    if plan.default_set == plan.name:
        caller.call(
            "sesv2",
            "put_email_identity_configuration_set_attributes",
            EmailIdentity=plan.identity,
        )
        yield Step("identity's default", plan.name, REMOVED)


def _sets(caller: Caller, plan: Plan) -> Steps:
    for name in sorted({plan.configuration_set, plan.default_set, plan.name} - {""}):
        if destination(caller, name, plan.name) is not None:
            caller.call(
                "sesv2",
                "delete_configuration_set_event_destination",
                ConfigurationSetName=name,
                EventDestinationName=plan.name,
            )
            yield Step("event destination", f"{plan.name} of {name}", REMOVED)
    if caller.find("sesv2", "get_configuration_set", ConfigurationSetName=plan.name) is not None:
        caller.call("sesv2", "delete_configuration_set", ConfigurationSetName=plan.name)
        yield Step("configuration set", plan.name, REMOVED)


def _topic(caller: Caller, plan: Plan) -> Steps:
    topic, queue = plan.place.topic(plan.name), plan.place.queue(plan.name)
    if caller.find("sns", "get_topic_attributes", TopicArn=topic) is None:
        return
    known = subscription(caller, topic, queue)
    if known is not None:
        caller.call("sns", "unsubscribe", SubscriptionArn=known)
        yield Step("subscription", known, REMOVED)
    caller.call("sns", "delete_topic", TopicArn=topic)
    yield Step("topic", topic, REMOVED)


def _queue(caller: Caller, plan: Plan) -> Steps:
    found = caller.find("sqs", "get_queue_url", QueueName=plan.name)
    if found is not None:
        caller.call("sqs", "delete_queue", QueueUrl=found["QueueUrl"])
        yield Step("queue", plan.place.queue(plan.name), REMOVED)
