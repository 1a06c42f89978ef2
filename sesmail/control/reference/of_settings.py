"""The keys of sesmail.conf, in the order of the alphabet."""

from __future__ import annotations

from sesmail.control.reference import Key
from sesmail.settings import Settings

_DEFAULTS = Settings()


def _in_units(value: int, units: dict[str, int]) -> str:
    """Return a number in the largest unit that divides it: 432000 s is 5d."""
    unit = max((unit for unit in units if value % units[unit] == 0), key=lambda unit: units[unit])
    return f"{value // units[unit]}{unit}"


def _duration(seconds: int) -> str:
    return _in_units(seconds, {"s": 1, "m": 60, "h": 3600, "d": 86400})


def _size(octets: int) -> str:
    return _in_units(octets, {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30})


SETTINGS = (
    Key(
        "aliases",
        "<path>",
        "The aliases file, see aliases(5).",
        default=_DEFAULTS.aliases,
    ),
    Key(
        "credentials_directory",
        "<path>",
        "Where the credentials files are.",
        default=_DEFAULTS.credentials_directory,
    ),
    Key(
        "delivery_mode",
        "auto | background | foreground | queue",
        "Who sends a message, and when. The flags `-od` of sesmail(8) come before it.",
        default=_DEFAULTS.delivery_mode,
        choices=(
            (
                "auto",
                (
                    "sesmaild(8) if it runs; else the caller itself if it can read the "
                    "credentials; else the message waits for sesmaild(8)."
                ),
            ),
            (
                "background",
                "The message waits for sesmaild(8), also where the caller could send it.",
            ),
            (
                "foreground",
                "The caller itself if it can read the credentials, also while sesmaild(8) runs.",
            ),
            (
                "queue",
                (
                    "As `background`, but sesmaild(8) is not told: it finds the message within a "
                    "minute."
                ),
            ),
        ),
        more="What the caller could not send for now is left to sesmaild(8).",
    ),
    Key(
        "history",
        "<duration>",
        "For how long the queue remembers a message that is done with, and keeps the text of one "
        "that failed.",
        default=_duration(_DEFAULTS.history),
    ),
    Key(
        "identity_lookup",
        "parents | exact",
        "Whether the credentials of `example.com` also serve authors in its subdomains, as SES "
        "does.",
        default=_DEFAULTS.identity_lookup,
    ),
    Key(
        "local_domains",
        "<domain> [<domain> ...]",
        "Domains whose recipients are local to this host. Default: none.",
        example="host.example.com",
    ),
    Key(
        "maximal_backoff",
        "<duration>",
        "The longest time between two attempts.",
        default=_duration(_DEFAULTS.maximal_backoff),
    ),
    Key(
        "message_size_limit",
        "<size>",
        "The largest message for SES. Mail for the real sendmail has no limit here.",
        default=_size(_DEFAULTS.message_size_limit),
    ),
    Key(
        "minimal_backoff",
        "<duration>",
        "The time between the first attempt and the second; it doubles from attempt to attempt up "
        "to `maximal_backoff`. What only needs seconds is tried again sooner.",
        default=_duration(_DEFAULTS.minimal_backoff),
    ),
    Key(
        "minimum_free",
        "<size>",
        "With less room than this on the file system of the spool no message is taken: exit "
        "status 73.",
        default=_size(_DEFAULTS.minimum_free),
    ),
    Key(
        "on_ambiguous",
        "resend | hold",
        "What becomes of a message that SES may have taken, because its answer was lost or the "
        "machine stopped.",
        default=_DEFAULTS.on_ambiguous,
        choices=(
            ("resend", "After 10 minutes it is sent again, perhaps for the second time."),
            (
                "hold",
                (
                    "It stays in the queue, and the log says so once an hour. In the foreground "
                    "it is then not queued: exit status 69."
                ),
            ),
        ),
        more="With `events_queue_url` in the credentials file an event that tells that SES has it "
        "ends either.",
    ),
    Key(
        "origin",
        "<domain>",
        "The domain for addresses without one. Default: the first line of `/etc/mailname`, else "
        "the host name.",
        example="example.com",
    ),
    Key(
        "postmaster",
        "<address>",
        "Who is told what failed where the sender cannot be, who complained, and, once an hour, "
        "what was refused. It must be an address whose domain has credentials here for the latter "
        "two to be sent, or there must be a file `default`. Default: nobody.",
        example="you@example.org",
    ),
    Key(
        "queue_lifetime",
        "<duration>",
        "A message that an attempt past this age still did not deliver has failed. Time in which "
        "it was held does not count, up to as much again.",
        default=_duration(_DEFAULTS.queue_lifetime),
    ),
    Key(
        "real_sendmail",
        "<path> | none",
        "The program that gets all mail without credentials. Default: the first that exists of "
        "those listed in sesmail(8), FILES.",
        example="/usr/sbin/sendmail.distrib",
    ),
    Key(
        "spool_directory",
        "<path>",
        "Where messages wait for sesmaild(8); `sesmailctl init` makes it. Its parent directories "
        "must be root's.",
        default=_DEFAULTS.spool_directory,
    ),
    Key(
        "syslog_facility",
        "mail | daemon | user | local0 ... local7",
        "The facility of the mail log.",
        default=_DEFAULTS.syslog_facility,
    ),
    Key(
        "user",
        "<name>",
        "The user that sesmaild(8) runs as. The systemd unit names it too.",
        default=_DEFAULTS.user,
    ),
)
