"""Who may do what on the way of events, as policy documents of IAM (version 2012-10-17).

SES may publish to the topic, for this account and from this configuration set alone; the topic may
send to the queue, and nobody else; the daemon's key may take from the queue.
"""

from __future__ import annotations

from typing import Any

from sesmail.control.events.names import Place

Policy = dict[str, Any]

_READ = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
_SUPPRESSION = (
    "GetSuppressedDestination",
    "ListSuppressedDestinations",
    "DeleteSuppressedDestination",
)
_SETS = (
    "CreateConfigurationSet",
    "GetConfigurationSet",
    "DeleteConfigurationSet",
    "CreateConfigurationSetEventDestination",
    "GetConfigurationSetEventDestinations",
    "UpdateConfigurationSetEventDestination",
    "DeleteConfigurationSetEventDestination",
)
_IDENTITIES = ("GetEmailIdentity", "PutEmailIdentityConfigurationSetAttributes")
_TOPICS = (
    "CreateTopic",
    "GetTopicAttributes",
    "SetTopicAttributes",
    "DeleteTopic",
    "Subscribe",
    "Unsubscribe",
    "ListSubscriptionsByTopic",
    "GetSubscriptionAttributes",
    "SetSubscriptionAttributes",
)
_QUEUES = ("CreateQueue", "GetQueueUrl", "GetQueueAttributes", "SetQueueAttributes", "DeleteQueue")


def topic(place: Place, name: str, configuration_set: str) -> Policy:
    """Return the policy of the topic."""
    return _document(
        {
            "Sid": "EventsOfSes",
            "Effect": "Allow",
            "Principal": {"Service": "ses.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": place.topic(name),
            "Condition": {
                "StringEquals": {
                    "AWS:SourceAccount": place.account,
                    "AWS:SourceArn": place.ses("configuration-set", configuration_set),
                }
            },
        }
    )


def queue(place: Place, name: str) -> Policy:
    """Return the policy of the queue."""
    return _document(
        {
            "Sid": "EventsOfTheTopic",
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": place.queue(name),
            "Condition": {"ArnEquals": {"aws:SourceArn": place.topic(name)}},
        }
    )


def daemon(queue_arn: str) -> Policy:
    """Return what the sending key needs besides sending: events, and SES's suppression list."""
    return _document(
        _allow("sqs", _READ, queue_arn),
        _allow("ses", _SUPPRESSION, "*"),  # the list is the account's and has no ARN
    )


def administrator(place: Place, name: str, identity: str, configuration_set: str) -> Policy:
    """Return what ``events setup`` and ``events remove`` need."""
    sets = sorted({name, configuration_set})
    return _document(
        _allow("ses", _SETS, *(place.ses("configuration-set", one) for one in sets)),
        _allow(
            "ses",
            _IDENTITIES,
            place.ses("identity", identity),
            *(place.ses("configuration-set", one) for one in sets),
        ),
        _allow("sns", _TOPICS, place.topic(name)),
        _allow("sqs", _QUEUES, place.queue(name)),
    )


def _document(*statements: Policy) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(service: str, actions: tuple[str, ...], *resources: str) -> Policy:
    return {
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions],
        "Resource": list(resources) if len(resources) > 1 else resources[0],
    }
