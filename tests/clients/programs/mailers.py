"""Mail programs at a shell's prompt: mutt, the three mail(1) of Debian, mpack, nmh, Emacs."""

from __future__ import annotations

from tests.clients.program import PLAIN, UTF8, Program

_THREE = ("bob@example.net", "carol@example.net", "dave@example.net")
_MUTTRC = {"/home/alice/.muttrc": 'set from="alice@DOMAIN" realname="Alice Example" copy=no\n'}
_MUTT_FIELDS = {"From": "Alice Example <alice@DOMAIN>", "To": "bob@example.net", "Subject": "Hello"}


def _mutt(name: str) -> dict[str, Program]:
    return {
        name: Program(
            f"{name} -s Hello bob@example.net <text",
            fields=_MUTT_FIELDS,
            files=_MUTTRC,
            failure="Error sending message",
        ),
        f"{name}-cc-bcc-attach": Program(
            f"{name} -s Grüße -c carol@example.net -b dave@example.net -a text -- bob@example.net"
            " <utf8",
            to=_THREE,
            fields={"Cc": "carol@example.net", "Subject": "Grüße"},
            body=UTF8,
            files=_MUTTRC,
            failure="Error sending message",
        ),
        f"{name}-8bit-dsn": Program(
            f"{name} -e 'set use_8bitmime dsn_notify=\"failure,delay\" dsn_return=hdrs'"
            " -e 'set use_envelope_from' -s Hello bob@example.net <utf8",
            sender="alice@DOMAIN",
            body=UTF8,
            files=_MUTTRC,
            failure="Error sending message",
        ),
    }


def _nmh(agent: str, sender: str | None) -> Program:
    return Program(
        "mkdir -p Mail; /usr/bin/mh/mhmail bob@example.net -cc carol@example.net"
        " -from alice@DOMAIN -subject Hello <text",
        to=("bob@example.net", "carol@example.net"),
        sender=sender,
        fields={"To": "bob@example.net", "Cc": "carol@example.net", "Subject": "Hello"},
        files={
            "/home/alice/.mh_profile": "Path: Mail\n",
            "/etc/nmh/mts.conf": f"mts: {agent}\nsendmail: /usr/sbin/sendmail\n",
        },
        failure="posting failed|exited (69|78)",
        fails_silently=True,
    )


# With message-interactive any output of sendmail is an error.
_EMACS = """\
(setq user-full-name "Alice" user-mail-address "alice@DOMAIN" message-interactive t
      mail-specify-envelope-from t send-mail-function 'sendmail-send-it
      message-send-mail-function 'message-send-mail-with-sendmail)
(message-mail "bob@example.net" "Hello" '((Bcc . "dave@example.net")))
(goto-char (point-max))
(insert-file-contents "/home/alice/utf8")
(message-send-mail)
"""

ROWS = {
    **_mutt("mutt"),
    **_mutt("neomutt"),
    "bsd-mailx": Program(
        "bsd-mailx -s Hello bob@example.net <text",
        author="alice@host.DOMAIN",
        fields={"To": "bob@example.net", "Subject": "Hello"},
    ),
    "bsd-mailx-cc-bcc": Program(
        "bsd-mailx -s Grüße -c carol@example.net -b dave@example.net bob@example.net <utf8",
        to=_THREE,
        author="alice@host.DOMAIN",
        fields={"Cc": "carol@example.net", "Subject": "Grüße"},
        body=UTF8,
    ),
    "bsd-mailx-r": Program(
        "bsd-mailx -r alice@DOMAIN -a 'X-Foo: bar' -s Hello bob@example.net <text",
        sender="alice@DOMAIN",
        fields={"X-Foo": "bar"},
    ),
    "s-nail": Program(
        "s-nail -s Hello bob@example.net <text",
        author="alice@host.DOMAIN",
        fields={"To": "bob@example.net", "Subject": "Hello"},
    ),
    "s-nail-cc-bcc": Program(
        "s-nail -s Grüße -c carol@example.net -b dave@example.net bob@example.net <utf8",
        to=_THREE,
        author="alice@host.DOMAIN",
        fields={"Cc": "carol@example.net", "Subject": "Grüße"},
        body=UTF8,
    ),
    "s-nail-r": Program(
        "s-nail -r 'Alice <alice@DOMAIN>' -a text -s Hello bob@example.net <plain",
        sender="alice@DOMAIN",
        fields={"From": "Alice <alice@DOMAIN>"},
        body=PLAIN,
    ),
    "s-nail-t": Program(
        "printf '%s\\n' 'From: alice@DOMAIN' 'To: bob@example.net' 'Bcc: dave@example.net'"
        " 'Subject: t' '' | cat - text | s-nail -t",
        to=("bob@example.net", "dave@example.net"),
        fields={"Subject": "t"},
    ),
    "s-nail-arguments": Program(
        "s-nail -S mta-arguments='-N never' -s Hello bob@example.net <text",
        author="alice@host.DOMAIN",
    ),
    # mail(1) of mailutils stops at a lone dot itself.
    "mailutils": Program(
        "mail.mailutils -s Hello bob@example.net <plain",
        author="alice@host.DOMAIN",
        sender="alice@host.DOMAIN",
        fields={"To": "bob@example.net", "Subject": "Hello"},
        body=PLAIN,
    ),
    "mailutils-cc-bcc": Program(
        "mail.mailutils -s Grüße -a 'Cc: carol@example.net' -a 'Bcc: dave@example.net'"
        " bob@example.net <plain",
        to=_THREE,
        author="alice@host.DOMAIN",
        sender="alice@host.DOMAIN",
        fields={"Cc": "carol@example.net", "Subject": "Grüße"},
        body=PLAIN,
    ),
    "mailutils-r": Program(
        "mail.mailutils -r alice@DOMAIN -s Hello bob@example.net <plain",
        sender="alice@DOMAIN",
        body=PLAIN,
    ),
    "mailutils-t": Program(
        "printf '%s\\n' 'From: alice@DOMAIN' 'To: bob@example.net' 'Bcc: dave@example.net'"
        " 'Subject: t' '' | cat - plain | mail.mailutils -t",
        to=("bob@example.net", "dave@example.net"),
        sender="alice@DOMAIN",
        fields={"Subject": "t"},
        body=PLAIN,
    ),
    "mailutils-attach": Program(
        "mail.mailutils -A text -s Hello bob@example.net <plain",
        author="alice@host.DOMAIN",
        sender="alice@host.DOMAIN",
        body=None,
        has=PLAIN,
    ),
    "mpack": Program(
        "mpack -s Hello -d text plain bob@example.net",
        author="alice@host.DOMAIN",
        fields={"Subject": "Hello"},
        failure=None,
    ),
    "nmh-pipe": _nmh("sendmail/pipe", None),
    "nmh-smtp": _nmh("sendmail/smtp", "alice@DOMAIN"),
    "emacs": Program(
        "emacs --batch -Q -l send.el",
        to=("bob@example.net", "dave@example.net"),
        sender="alice@DOMAIN",
        fields={"From": "Alice <alice@DOMAIN>", "To": "bob@example.net", "Subject": "Hello"},
        body=UTF8,
        files={"/home/alice/send.el": _EMACS},
        failure="Sending...failed|sendmail: ",
        prints=True,
    ),
}
