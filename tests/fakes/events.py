"""The events of SES: what it publishes to the topics of configuration sets, and when.

    url = ses.events.connect()       # as `sesmailctl events setup`: set, topic, queue and policies
    ...                              # each accepted message: SEND, then what becomes of it
    ses.events.automatic = False     # or the test says what happens:
    ses.events.publish("bounce", accepted, "bob@example.net", status="5.2.2")

That some come twice or in the wrong order is the queues' doing: `state.queues.habits`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from . import addresses, simulator
from .records import KINDS, Origin, record
from .state import ACCOUNT, Accepted, State
from .topics import Topic

SERVICE = "ses.amazonaws.com"
SUBJECT = "Amazon SES Email Event Notification"
VALIDATED = "Successfully validated SNS topic for Amazon SES event publishing."
DESTINATION = "sesmail"


class Events:
    """Publishes for one account.

    automatic: whatever is accepted gets its events by itself.  plain: they are the notifications of
    an identity, without tags.  delays has the seconds that a kind is on its way (default 0).
    published has (kind, message id, recipients) of everything, whether or not it got anywhere.
    """

    def __init__(self, state: State, api_url: str) -> None:
        self.automatic = True
        self.plain = False
        self.delays: dict[str, float] = {}
        self.published: list[tuple[str, str, tuple[str, ...]]] = []
        self._state = state
        self._api_url = api_url
        self._accepted_at: dict[str, float] = {}
        state.witnesses.append(self._witness)
        state.validators.append(self._validate)

    def connect(
        self,
        identity: str = "",
        name: str = "sesmail-events",
        kinds: Iterable[str] = KINDS,
        raw: bool = True,
    ) -> str:
        """Lead the events of these kinds into a queue; return its URL.

        A configuration set, topic and queue of that name are made.  The set becomes the default of
        the identity (`` for all that there are).  raw: without SNS's envelope.
        """
        state = self._state
        topic_arn = f"arn:aws:sns:{state.region}:{ACCOUNT}:{name}"
        queue_arn = f"arn:aws:sqs:{state.region}:{ACCOUNT}:{name}"
        topic = state.topics.create(
            topic_arn, {"Policy": _policy(SERVICE, "SNS:Publish", topic_arn)}
        )
        policy = _policy("sns.amazonaws.com", "SQS:SendMessage", queue_arn)
        if state.queues.find(name) is None:
            state.queues.create(queue_arn, {"Policy": policy})
        attributes = {"RawMessageDelivery": "true" if raw else "false"}
        state.topics.subscribe(topic, "sqs", queue_arn, attributes)
        state.configuration_sets.add(name)
        state.configuration_sets.known[name].destinations[DESTINATION] = {
            "Enabled": True,
            "MatchingEventTypes": [KINDS[kind].matching for kind in kinds],
            "SnsDestination": {"TopicArn": topic_arn},
        }
        for one in [identity] if identity else list(state.identities):
            state.identity(one).configuration_set = name
        return f"{self._api_url}/{ACCOUNT}/{name}"

    def publish(
        self,
        kind: str,
        accepted: Accepted,
        *recipients: str,
        at: float | None = None,
        delay: float | None = None,
        **details: Any,
    ) -> None:
        """Tell that something happened to the message at these recipients (none: all of them).

        at is when (None: now), delay how long the telling takes, details what differs from the
        usual: members of the record, as `bounceType`, `diagnosticCode`, `smtpResponse`.
        """
        told = recipients or tuple(accepted.destinations)
        self.published.append((kind, accepted.message_id, told))
        wait = self.delays.get(kind, 0.0) if delay is None else delay
        for name, topic in self._targets(accepted, KINDS[kind].matching):
            text = self._text(kind, accepted, name, told, at, details)
            self._put(name, topic, text, wait)

    def text(self, kind: str, accepted: Accepted, *recipients: str, **details: Any) -> str:
        """The record that `publish` would send, for a test that puts it into a queue itself."""
        told = recipients or tuple(accepted.destinations)
        return self._text(kind, accepted, self._set_of(accepted), told, None, details)

    def foreign(self, *recipients: str, configuration_set: str = "sesmail-events") -> Accepted:
        """A message of another host that sends for the same account: nobody here knows its id."""
        return Accepted(
            interface="v2",
            source="other@example.com",
            destinations=list(recipients),
            raw=b"From: other@example.com\r\nSubject: elsewhere\r\n\r\n",
            tags={"sesmail-id": uuid.uuid4().hex[:28]},
            configuration_set=configuration_set,
            message_id=f"0100{int(self._state.now() * 1000):012x}-{uuid.uuid4()}-000000",
            delivered=b"",
            key_id="AKIAOTHERHOSTEXAMPLE",
        )

    def _witness(self, accepted: Accepted) -> None:
        """A message was accepted; its answer may still get lost."""
        self._accepted_at[accepted.message_id] = self._state.now()
        if not self.automatic:
            return
        self.publish("send", accepted)
        if simulator.is_rejected(accepted):
            self.publish("reject", accepted)
            return
        for recipient in accepted.destinations:
            for fate in simulator.fates(self._state, accepted, recipient):
                self.publish(fate.kind, accepted, recipient, **fate.details)

    def _validate(self, configuration_set: str, destination: dict[str, Any]) -> None:
        """An event destination was made or changed: SES tries its topic, with a text of its own."""
        topic = self._topic(destination)
        if topic is not None:
            self._put(configuration_set, topic, VALIDATED, 0.0)

    def _set_of(self, accepted: Accepted) -> str:
        """The configuration set in force: the message's own, else the identity's default."""
        if accepted.configuration_set:
            return accepted.configuration_set
        identity = self._state.identities.of(addresses.bare(accepted.source))
        return identity.configuration_set if identity else ""

    def _targets(self, accepted: Accepted, matching: str) -> list[tuple[str, Topic]]:
        name = self._set_of(accepted)
        found = self._state.configuration_sets.known.get(name)
        if found is None:
            return []
        topics = [
            self._topic(destination)
            for destination in list(found.destinations.values())
            if destination.get("Enabled") and matching in destination["MatchingEventTypes"]
        ]
        return [(name, topic) for topic in topics if topic is not None]

    def _topic(self, destination: dict[str, Any]) -> Topic | None:
        arn = destination.get("SnsDestination", {}).get("TopicArn", "")
        return self._state.topics.find(arn)

    def _text(
        self,
        kind: str,
        accepted: Accepted,
        configuration_set: str,
        recipients: Sequence[str],
        at: float | None,
        details: dict[str, Any],
    ) -> str:
        now = self._state.now()
        identity = self._state.identities.of(addresses.bare(accepted.source))
        origin = Origin(
            self._accepted_at.get(accepted.message_id, now),
            self._state.region,
            "" if self.plain else configuration_set,
            identity.name if identity else accepted.source,
        )
        happened = now if at is None else at
        return json.dumps(record(kind, accepted, origin, recipients, happened, details))

    def _put(self, configuration_set: str, topic: Topic, text: str, delay: float) -> None:
        state = self._state
        owner = f"arn:aws:ses:{state.region}:{ACCOUNT}:configuration-set/{configuration_set}"
        context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": owner}
        if topic.allows(SERVICE, context):
            state.topics.publish(state.queues, topic, text, SUBJECT, delay)
        else:
            state.topics.refused.append(f"the policy of {topic.arn} does not let {owner} in")


def _policy(service: str, action: str, resource: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": action,
                    "Resource": resource,
                    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                }
            ],
        }
    )
