"""What handles mail that came: procmail, formail, maildrop, vacation, getmail, Dovecot's Sieve."""

from __future__ import annotations

from tests.clients.program import Program

_MAIL = """\
Return-Path: <carol@example.org>
Received: from a (a [192.0.2.9]) by host.example.com; Tue, 24 Nov 2026 02:00:00 +0000
From: Carol <carol@DOMAIN>
To: alice@host.DOMAIN
Subject: forwarded
Message-ID: <1@example.com>
Date: Tue, 24 Nov 2026 02:00:00 +0000

hello
.
end
"""
_BODY = "hello\n.\nend\n"
_MBOX_LINE = "From carol@example.org Tue Nov 24 02:00:00 2026\n"
_INCOMING = {"/home/alice/mail": _MAIL, "/home/alice/mbox": f"{_MBOX_LINE}{_MAIL}"}
_AUTHOR = "carol@DOMAIN"
_SAME = {"Message-ID": "<1@example.com>", "Subject": "forwarded"}
_DOVECOT = """\
mail_location = maildir:~/Maildir
postmaster_address = Postmaster <postmaster@DOMAIN>
hostname = host.DOMAIN
log_path = /dev/stderr
ssl = no
protocol lda {
  mail_plugins = sieve
}
plugin {
  sieve = file:~/filter.sieve
}
"""
_LDA = "rm -rf Maildir .dovecot.*; /usr/lib/dovecot/dovecot-lda -c /home/alice/dovecot.conf"

_POP3 = """\
import os, socket
server = socket.create_server(("127.0.0.1", 0))
open("new", "w").write(str(server.getsockname()[1]))
os.rename("new", "port")
stream = server.accept()[0].makefile("rwb")
mail = open("/home/alice/mail", "rb").read().replace(b"\\n.", b"\\n..").replace(b"\\n", b"\\r\\n")
answers = {b"CAPA": b"UIDL\\r\\n.\\r\\n", b"RETR": mail + b".\\r\\n"}
answers[b"LIST"] = b"1 %d\\r\\n.\\r\\n" % len(mail)
answers[b"UIDL"] = b"1 one\\r\\n.\\r\\n"
stream.write(b"+OK\\r\\n")
stream.flush()
for line in stream:
    verb = line.split()[0].upper()
    text = b"1 %d" % len(mail) if verb == b"STAT" else b""
    stream.write(b"+OK " + text + b"\\r\\n" + (answers.get(verb) or b""))
    stream.flush()
    if verb == b"QUIT":
        break
"""
_GETMAIL = """\
[retriever]
type = SimplePOP3Retriever
server = 127.0.0.1
port = PORT
username = alice
password = x
[destination]
type = MDA_external
path = /usr/sbin/sendmail
arguments = ("-i", "-bm", "bob@example.net")
[options]
delivered_to = false
received = false
"""


def _sieve(script: str) -> dict[str, str]:
    return {
        **_INCOMING,
        "/home/alice/dovecot.conf": _DOVECOT,
        "/home/alice/filter.sieve": script,
    }


ROWS = {
    "procmail-forward": Program(
        "procmail -m /home/alice/rc <mail",
        to=("bob@example.net", "jane@example.net"),
        author=_AUTHOR,
        fields=_SAME,
        body=f"{_BODY}\n",
        files={**_INCOMING, "/home/alice/rc": ":0\n! bob@example.net jane@example.net\n"},
        failure="sendmail: ",
        fails_silently=True,
    ),
    "formail-reply": Program(
        "{ formail -r -A 'X-Loop: alice@DOMAIN' <mail; cat plain; } | sendmail -t -oi",
        to=("carol@example.org",),
        author="alice@host.DOMAIN",
        fields={"X-Loop": "alice@DOMAIN", "Subject": "Re: forwarded"},
        body="Hello Bob\nend\n",
        files=_INCOMING,
        failure="sendmail: ",
    ),
    "formail-split": Program(
        "formail -s sendmail -oi bob@example.net <mbox",
        author=_AUTHOR,
        fields=_SAME,
        body=f"{_BODY}\n",
        files=_INCOMING,
        failure="sendmail: ",
    ),
    "maildrop": Program(
        "install -m 600 filter own; maildrop own <mbox",
        author=_AUTHOR,
        relayed_from="",
        fields=_SAME,
        body=_BODY,
        files={**_INCOMING, "/home/alice/filter": 'to "!bob@example.net"\n'},
        failure="sendmail: |Unable",
    ),
    "vacation": Program(
        "rm -f .vacation.db; vacation -i && vacation alice <mbox",
        to=("carol@example.org",),
        sender="alice@host.DOMAIN",
        author="alice@host.DOMAIN",
        fields={"Subject": "away"},
        body="I am away.\n",
        files={**_INCOMING, "/home/alice/.vacation.msg": "Subject: away\n\nI am away.\n"},
        failure=None,
    ),
    "getmail": Program(
        "rm -rf .getmail; mkdir -m 700 .getmail; cp getmailrc .getmail\n"
        "rm -f port; python3 pop3.py &\n"
        "until [ -s port ]; do sleep 0.1; done\n"
        'sed -i "s/PORT/$(cat port)/" .getmail/getmailrc; getmail -q --delete',
        author=_AUTHOR,
        fields=_SAME,
        body=_BODY,
        files={**_INCOMING, "/home/alice/pop3.py": _POP3, "/home/alice/getmailrc": _GETMAIL},
        failure="sendmail: ",
    ),
    "sieve-redirect": Program(
        f"{_LDA} -f carol@example.org <mail",
        author=_AUTHOR,
        relayed_from="carol@example.org",
        fields=_SAME,
        body=_BODY,
        files=_sieve('redirect "bob@example.net";\n'),
        failure="sendmail",
        prints=True,
    ),
    "sieve-vacation": Program(
        f"{_LDA} -f carol@example.org <mail",
        to=("carol@example.org",),
        author="alice@DOMAIN",
        relayed_from="",
        fields={"Auto-Submitted": "auto-replied (vacation)"},
        body="I am away ä\n",
        files=_sieve(
            'require "vacation";\nvacation :from "Alice <alice@DOMAIN>"'
            ' :addresses "alice@host.DOMAIN" "I am away ä";\n'
        ),
        failure="failed to send vacation response",
        fails_silently=True,
        prints=True,
    ),
    "sieve-reject": Program(
        f"{_LDA} -f carol@example.org <mail",
        to=("carol@example.org",),
        author="postmaster@DOMAIN",
        relayed_from="",
        fields={"Subject": "Rejected: forwarded"},
        body=None,
        has="no thanks",
        files=_sieve('require "reject";\nreject "no thanks";\n'),
        failure="Temporarily failed to send rejection",
        fails_silently=True,
        prints=True,
    ),
}
