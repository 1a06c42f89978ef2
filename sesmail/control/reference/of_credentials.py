"""The keys of a credentials file: those that most files need, other sources of keys, our own.

Other keys of a boto3 profile are passed on and not listed (``credential_rules.PROFILE``).
"""

from __future__ import annotations

from sesmail.control.reference import Key

KEYS = (
    Key(
        "aws_access_key_id",
        "<id>",
        "The access key id of an IAM user, or the SMTP user name that the SES console shows: 20 "
        "characters that begin with AKIA, or with ASIA for a temporary key.",
    ),
    Key(
        "aws_secret_access_key",
        "<secret>",
        "The secret access key (40 characters), or the SMTP password that the SES console shows "
        "(44 characters). Which of the two it is decides how the mail is sent, unless `transport` "
        "does.",
        synonyms=("aws_secret_key",),
    ),
    Key(
        "aws_session_token",
        "<token>",
        "Belongs to a temporary key, and only there.",
        synonyms=("aws_security_token",),
    ),
    Key(
        "region",
        "<region>",
        "The AWS region in which SES knows the identity, and for which an SMTP password was made.",
        default="us-east-1",
    ),
)

SOURCES = (
    Key(
        "role_arn",
        "<arn>",
        "A role to assume. The keys to assume it with come from a pair in the same file, from "
        "`source_profile`, or from `credential_source`.",
    ),
    Key(
        "credential_source",
        "Ec2InstanceMetadata | EcsContainer",
        "Where the keys are that assume `role_arn`. `Environment` is refused.",
    ),
    Key(
        "source_profile",
        "<name>",
        "The section of the same file whose keys assume `role_arn`.",
    ),
    Key(
        "credential_process",
        "<command>",
        "A program that prints keys. It runs as the user of sesmaild(8); in the foreground as the "
        "caller of sesmail(8).",
    ),
    Key(
        "web_identity_token_file",
        "<path>",
        "A token to assume `role_arn` with.",
    ),
    Key(
        "sso_session",
        "<name>",
        "The section of the same file that describes a session of IAM Identity Center, which its "
        "other keys belong to.",
    ),
    Key("sso_account_id", "<id>", "The account in IAM Identity Center."),
    Key(
        "sso_start_url",
        "<url>",
        "The portal of IAM Identity Center, where no `sso_session` says it.",
    ),
    Key("login_session", "<arn>", "A session of `aws login`."),
)

OWN = (
    Key(
        "author",
        "<address>",
        "Put this address into From of every message. The old one goes to Reply-To, unless there "
        "is one or nobody could reply to it. With this the file `default` can serve cron, whose "
        "author is root at whatever the host is called.",
    ),
    Key(
        "ca_file",
        "<path>",
        "Certificate authorities, in PEM, to check the server's certificate by. Default: those "
        "that come with botocore.",
        synonyms=("ca_bundle",),
    ),
    Key("configuration_set", "<name>", "The configuration set in SES."),
    Key(
        "directory",
        "<path>",
        "For `transport = capture`: a Maildir that gets the mail. The user of sesmaild(8) must be "
        "able to write it; the systemd unit lets it write in the spool alone, unless "
        "`ReadWritePaths` adds the directory.",
    ),
    Key(
        "endpoint_url",
        "<url>",
        "Another address of the API. https, or http for this machine only.",
    ),
    Key(
        "events_queue_url",
        "<url>",
        "The SQS queue to which SES tells what became of the mail after it was accepted, by way of "
        "an SNS topic. `sesmailctl events setup` makes it and writes this. sesmaild(8) reads the "
        "queue with the keys of this file, which cannot be an SMTP password. Then bounces come "
        "back to the sender, complaints to `postmaster`, and a message whose reply was lost is not "
        "sent twice.",
    ),
    Key(
        "feedback_address",
        "<address>",
        "Where SES sends bounces and complaints, if not to the reverse-path of the message. SES "
        "must know its domain. Default: the author.",
    ),
    Key(
        "max_send_rate",
        "<number>",
        "The most recipients per second. In the foreground it spaces the batches of one message, "
        "and messages know nothing of each other.",
    ),
    Key(
        "smtp_host",
        "<name>",
        "Another SMTP server than that of SES in the region.",
    ),
    Key(
        "smtp_port",
        "<number>",
        "Default: 465, and if that cannot be reached 587; with `smtp_tls` the usual port of that.",
    ),
    Key(
        "smtp_tls",
        "wrapper | starttls | none",
        "TLS from the start, by STARTTLS, or none, the last only if `smtp_host` is this machine. "
        "Default: `wrapper` for the ports 465 and 2465, `starttls` for others. The certificate is "
        "always checked.",
    ),
    Key(
        "submitters",
        "<user> | @<group> ...",
        "Who may send as this identity. sesmaild(8) goes by the owner of the file that the message "
        "came in. Default: everybody.",
    ),
    Key(
        "suppression",
        "on | off",
        "Whether mail to an address that bounced for good, or from which somebody complained, "
        "fails at once. SES would accept it, count it and drop it. Known are the addresses of "
        "which an event told, and, where `events_queue_url` is given and the key may "
        "`ses:GetSuppressedDestination`, those on the list of the account in SES. `sesmailctl "
        "suppression remove` takes an address off.",
        default="on",
    ),
    Key(
        "tags",
        "<name>=<value>, ...",
        "Message tags in SES. The tag `sesmail-id` is always there and holds the queue id.",
    ),
    Key(
        "transport",
        "api | smtp | capture",
        "How the mail leaves.",
        choices=(
            ("api", "Needs a secret access key or a role."),
            ("smtp", "Needs an SMTP password or a secret access key."),
            (
                "capture",
                "Puts it into `directory` instead of sending it, for development machines.",
            ),
        ),
        more="Default: as the shape of the secret says.",
    ),
    Key(
        "x_ses_headers",
        "strip | keep",
        "Whether callers may use `X-SES-` fields, with which they choose configuration sets and "
        "tags.",
        default="strip",
    ),
)
