"""sesmailctl events: what it makes at AWS, again and after an interruption, and takes away."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any

import pytest

from tests import ctl
from tests.fakes.client import Caller
from tests.fakes.configuration_set import ConfigurationSet
from tests.fakes.ses import KEY_ID
from tests.fakes.state import State
from tests.spool import IDENTITY, Spool
from tests.terminal import Person

NAME = "sesmail-example-com"
URL = f"/123456789012/{NAME}"
PARTS = (
    "topic",
    "queue",
    "subscription",
    "configuration set",
    "event destination",
    "identity's default",
    "credentials",
)
ACTIONS = [  # in the order in which setup needs them
    "ses:GetEmailIdentity",
    "sns:GetTopicAttributes",
    "sns:CreateTopic",
    "sns:SetTopicAttributes",
    "sqs:GetQueueUrl",
    "sqs:CreateQueue",
    "sns:ListSubscriptionsByTopic",
    "sns:Subscribe",
    "ses:GetConfigurationSet",
    "ses:CreateConfigurationSet",
    "ses:GetConfigurationSetEventDestinations",
    "ses:CreateConfigurationSetEventDestination",
]


class AllBut(Container[str]):
    """What a key lacks that has only these rights."""

    def __init__(self, *rights: str) -> None:
        self._rights = rights

    def __contains__(self, action: object) -> bool:
        return action not in self._rights


def setup(spool: Spool, *flags: str) -> ctl.Result:
    """Run ``events setup`` with the stored keys as the administrator's."""
    return ctl.run(spool, "events", "setup", IDENTITY, *flags)


def done(result: ctl.Result) -> dict[str, str]:
    """Return what was done to each part."""
    assert result.exit_code == 0, result.stderr
    return {one["step"]: one["did"] for one in result.documents if "step" in one}


def credentials(spool: Spool) -> dict[str, str]:
    """Return the keys of the credentials file."""
    lines = (spool.credentials / IDENTITY).read_text().splitlines()
    return dict(line.split(" = ", 1) for line in lines)


def rights(policy: dict[str, Any]) -> list[str]:
    """Return the actions that a policy allows."""
    return [action for one in policy["Statement"] for action in one["Action"]]


def is_empty(state: State) -> bool:
    """Tell whether nothing of ours is at AWS."""
    return not (list(state.configuration_sets) or state.topics.arns() or state.queues.names())


def test_setup_leads_events_here(spool: Spool) -> None:
    """A mail's events come through the policies, as SES writes them, into the queue."""
    result = setup(spool, "--json")
    assert done(result) == {
        **dict.fromkeys(PARTS, "made"),
        "credentials": "changed",
    }
    url = spool.ses.api_url + URL
    assert result.documents[-1] == {"events_queue_url": url}
    assert credentials(spool)["events_queue_url"] == url
    assert "configuration_set" not in credentials(spool)
    assert "the stored key can receive from the queue" in result.stderr
    with Caller(spool.ses) as caller:
        caller.send("v2", b"From: wiki@example.com\r\nTo: bob@example.org\r\n\r\nText.\r\n")
    assert spool.ses.state.topics.refused == []
    kinds = [json.loads(body)["eventType"] for body in bodies(spool.ses.state)]
    assert kinds == ["Send", "Delivery"]
    queue = spool.ses.state.queues.find(NAME)
    assert queue is not None
    assert queue.attributes["MessageRetentionPeriod"] == "1209600"
    assert queue.attributes["SqsManagedSseEnabled"] == "true"


def bodies(state: State) -> list[str]:
    """Return the events in the queue, without SES's own trial of the topic."""
    queue = state.queues.find(NAME)
    assert queue is not None
    found: list[str] = []
    while receipts := queue.receive(10, 60, 0, lambda: False):
        found += [one.message.body for one in receipts]
    return [body for body in found if body.startswith("{")]


def test_again_nothing_is_left_to_do(spool: Spool) -> None:
    """Each part is found, and the credentials file stays the same file."""
    setup(spool)
    before = (spool.credentials / IDENTITY).stat().st_ino
    assert done(setup(spool, "--json")) == dict.fromkeys(PARTS, "found")
    assert (spool.credentials / IDENTITY).stat().st_ino == before


def test_it_goes_on_after_each_interruption(spool: Spool) -> None:
    """A refusal names the right that lacks, and with it the next run goes on from there."""
    for action in ACTIONS:
        spool.ses.state.denied[KEY_ID] = {action}
        refused = setup(spool)
        assert refused.exit_code == 77
        assert f"lacks the right {action};" in refused.stderr
        assert "events policy example.com --admin" in refused.stderr
        assert "events_queue_url" not in credentials(spool)
    spool.ses.state.denied.clear()
    assert setup(spool).exit_code == 0
    assert done(setup(spool, "--json")) == dict.fromkeys(PARTS, "found")


def test_what_was_changed_is_mended(spool: Spool) -> None:
    """Policies, attributes, raw delivery and event types are brought back."""
    setup(spool)
    state = spool.ses.state
    (arn,) = state.topics.arns()
    topic, queue = state.topics.find(arn), state.queues.find(NAME)
    assert topic is not None
    assert queue is not None
    topic.attributes["Policy"] = "no policy"
    queue.attributes["MessageRetentionPeriod"] = "60"
    for one in topic.subscriptions.values():
        one.attributes["RawMessageDelivery"] = "false"
    state.configuration_sets.known[NAME].destinations[NAME]["MatchingEventTypes"] = ["SEND"]
    state.identity(IDENTITY).configuration_set = ""
    assert done(setup(spool, "--json")) == {
        "topic": "changed",
        "queue": "changed",
        "subscription": "changed",
        "configuration set": "found",
        "event destination": "changed",
        "identity's default": "made",
        "credentials": "found",
    }
    assert done(setup(spool, "--json")) == dict.fromkeys(PARTS, "found")


@pytest.mark.parametrize("where", ["identity", "credentials"])
def test_a_set_that_the_mail_has_already_is_kept(spool: Spool, where: str) -> None:
    """The destination is added to it; removing takes the destination alone."""
    state = spool.ses.state
    state.configuration_sets.add("newsletters")
    if where == "identity":
        state.identity(IDENTITY).configuration_set = "newsletters"
    else:
        spool.use_api("configuration_set = newsletters")
    result = setup(spool, "--json")
    assert done(result)["configuration set"] == "found"
    assert done(result)["identity's default"] == ("found" if where == "identity" else "kept")
    assert list(state.configuration_sets) == ["newsletters"]
    assert list(known(state, "newsletters").destinations) == [NAME]
    assert ctl.run(spool, "events", "remove", IDENTITY, "--yes").exit_code == 0
    assert list(state.configuration_sets) == ["newsletters"]
    assert known(state, "newsletters").destinations == {}
    assert state.topics.arns() == []
    if where == "identity":
        assert state.identity(IDENTITY).configuration_set == "newsletters"
    else:
        assert credentials(spool)["configuration_set"] == "newsletters"


def known(state: State, name: str) -> ConfigurationSet:
    """Return a configuration set."""
    return state.configuration_sets.known[name]


def test_a_set_that_is_missing_is_said(spool: Spool) -> None:
    """Mail would be refused with it, so it is not made in silence."""
    spool.use_api("configuration_set = newsletters")
    result = setup(spool)
    assert result.exit_code == 65
    assert "SES has no configuration set newsletters" in result.stderr


def test_without_the_right_to_the_default(spool: Spool) -> None:
    """The credentials file names the set for each mail instead, and remove takes that out."""
    spool.ses.state.denied[KEY_ID] = {"ses:PutEmailIdentityConfigurationSetAttributes"}
    assert done(setup(spool, "--json"))["identity's default"] == "kept"
    assert credentials(spool)["configuration_set"] == NAME
    assert done(setup(spool, "--json"))["credentials"] == "found"
    assert ctl.run(spool, "events", "remove", IDENTITY, "--yes").exit_code == 0
    assert not {"configuration_set", "events_queue_url"} & credentials(spool).keys()
    assert is_empty(spool.ses.state)


def test_remove_leaves_nothing(spool: Spool) -> None:
    """At AWS and in the file; and a second time there is nothing."""
    before = credentials(spool)
    setup(spool)
    assert not is_empty(spool.ses.state)
    result = ctl.run(spool, "events", "remove", IDENTITY, "--yes", "--json")
    assert done(result) == dict.fromkeys(PARTS, "removed")
    assert is_empty(spool.ses.state)
    assert spool.ses.state.identity(IDENTITY).configuration_set == ""
    assert credentials(spool) == before
    again = ctl.run(spool, "events", "remove", IDENTITY, "--yes")
    assert again.exit_code == 0
    assert "nothing named sesmail-example-com is there" in again.stdout


def test_remove_asks(spool: Spool) -> None:
    """Without a terminal it names the flag, and nothing is gone."""
    setup(spool)
    result = ctl.run(spool, "events", "remove", IDENTITY)
    assert result.exit_code == 64
    assert "--yes" in result.stderr
    assert spool.ses.state.queues.find(NAME) is not None


def test_remove_listens_to_the_answer(spool: Spool) -> None:
    """It says how much goes with the queue; no and nothing leave all, yes removes it."""
    setup(spool)
    for answer, is_there in (("", True), ("n", True), ("y", False)):
        environ = {"SESMAIL_CONFIG": str(spool.configuration), "LANG": "C.UTF-8"}
        with Person([*ctl.COMMAND, "events", "remove", IDENTITY], environ) as person:
            shown = person.expect("use them? (y/N): ")
            person.type(answer)
            assert person.ended() == 0
        assert " with 1 event, " in shown  # SES's trial of the topic
        assert (spool.ses.state.queues.find(NAME) is not None) == is_there


def test_what_others_made_stays(spool: Spool) -> None:
    """Another prefix is another way of events, and its destination no concern of ours."""
    setup(spool, "--name", "other")
    state = spool.ses.state
    assert state.identity(IDENTITY).configuration_set == "other-example-com"
    ctl.run(spool, "events", "remove", IDENTITY, "--yes")
    assert list(state.configuration_sets) == ["other-example-com"]
    assert state.identity(IDENTITY).configuration_set == "other-example-com"
    assert credentials(spool)["events_queue_url"].endswith("/other-example-com")


def test_the_policies_are_enough_and_no_more_than_that(spool: Spool) -> None:
    """Setup and remove need each right of the administrator's policy, but for mending."""
    admin = json.loads(ctl.run(spool, "events", "policy", IDENTITY, "--admin").stdout)
    daemon = json.loads(ctl.run(spool, "events", "policy", IDENTITY).stdout)
    assert daemon["Statement"][0]["Resource"] == f"arn:aws:sqs:us-east-1:*:{NAME}"
    allowed = [*rights(admin), *rights(daemon), "sts:GetCallerIdentity"]
    spool.ses.state.denied[KEY_ID] = AllBut(*allowed)  # type: ignore[assignment]
    result = setup(spool)
    assert result.exit_code == 0, result.stderr
    assert "the stored key can receive from the queue" in result.stdout
    now = ctl.run(spool, "events", "policy", IDENTITY, "--admin", "--json").documents
    assert "*" not in json.dumps(now)  # the account is known once there is a queue
    assert setup(spool).exit_code == 0
    assert ctl.run(spool, "events", "remove", IDENTITY, "--yes").exit_code == 0
    assert is_empty(spool.ses.state)
    assert {*rights(admin)} >= {*ACTIONS}


def test_a_key_that_only_sends_is_told(spool: Spool) -> None:
    """Setting up by an administrator's key does not mean that the stored one may read."""
    spool.ses.state.denied[KEY_ID] = AllBut("ses:SendEmail", "ses:SendRawEmail")  # type: ignore[assignment]
    spool.ses.state.keys["AKIAADMINISTRATOR123"] = secret = "A" * 40
    flags = ("--admin-key-id", "AKIAADMINISTRATOR123", "--admin-secret-file", "-")
    result = ctl.run(spool, "events", "setup", IDENTITY, *flags, stdin=secret + "\n")
    assert result.exit_code == 0, result.stderr
    assert "the stored key cannot receive from the queue: it lacks the right" in result.stdout
    assert "sqs:ReceiveMessage, sqs:DeleteMessage" in result.stdout


def test_an_smtp_password_cannot_read_a_queue(spool: Spool) -> None:
    """Said before anything is made."""
    spool.use_smtp()
    spool.ses.state.keys["AKIAADMINISTRATOR123"] = secret = "A" * 40
    flags = ("--admin-key-id", "AKIAADMINISTRATOR123", "--admin-secret-file", "-")
    url = ("--endpoint-url", spool.ses.api_url)
    result = ctl.run(spool, "events", "setup", IDENTITY, *flags, *url, stdin=secret + "\n")
    assert result.exit_code == 78
    assert "SMTP password" in result.stderr
    assert is_empty(spool.ses.state)


def test_an_identity_that_ses_does_not_know(spool: Spool) -> None:
    """The remedy is to set it up first."""
    spool.use_api(identity="example.net")
    result = ctl.run(spool, "events", "setup", "example.net")
    assert result.exit_code == 65
    assert "SES does not know example.net in us-east-1" in result.stderr


def test_the_daemon_takes_events_from_what_was_set_up(spool: Spool) -> None:
    """Set up, sent, and told: the mail log says that it was delivered."""
    setup(spool)
    spool.start()
    queue_id = spool.drop("bob@example.org")
    (line,) = spool.wait_for_log("status=delivered")
    assert queue_id in line
    spool.stop()
