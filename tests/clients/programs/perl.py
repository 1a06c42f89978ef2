"""Perl's mail modules, and the pipe of perlfaq9."""

from __future__ import annotations

from tests.clients.program import PLAIN, TEXT, Program

_BOTH = ("bob@example.net", "carol@example.net")
_THREE = (*_BOTH, "dave@example.net")


def _perl(code: str) -> str:
    """A script of which the text is in $text."""
    read = "local $/; open my $file, '<', 'FILE'; my $text = <$file>;"
    return f"perl -Mstrict -w - <<'END'\n{read}\n{code}\nEND"


def _dotted(code: str) -> str:
    return _perl(code).replace("FILE", "text")


def _plain(code: str) -> str:
    return _perl(code).replace("FILE", "plain")


_EMAIL_SENDER = """
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::Sendmail;
use Email::Simple;
my $mail = Email::Simple->create(header => [From => 'Alice <alice@DOMAIN>',
  To => 'Bob <bob@example.net>', Cc => 'carol@example.net', Subject => 'Hello'], body => $text);
sendmail($mail, {transport => Email::Sender::Transport::Sendmail->new ENVELOPE});
"""
_MIME_LITE = """
use MIME::Lite;
my $mail = MIME::Lite->new(From => 'Alice <alice@DOMAIN>', To => 'Bob <bob@example.net>',
  Cc => 'carol@example.net', Bcc => 'dave@example.net', Subject => 'Hello', Data => $text);
$mail->send(ARGUMENTS) or die "not sent";
"""
_MAIL_BOX = """
use Mail::Message; use Mail::Message::Body::Lines; use Mail::Transport::Sendmail;
my $mail = Mail::Message->build(From => 'alice@DOMAIN', To => 'bob@example.net',
  Cc => 'carol@example.net', Bcc => 'dave@example.net', Subject => 'Hello', data => $text);
Mail::Transport::Sendmail->new->send($mail) or die "not sent";
"""
_PERLFAQ9 = """
open(SENDMAIL, "|/usr/lib/sendmail -oi -t -odq") or die "Can't fork for sendmail: $!\\n";
print SENDMAIL <<"EOF";
From: Alice <alice\\@DOMAIN>
To: Bob <bob\\@example.net>
Subject: Hello

$text
EOF
close(SENDMAIL) or die "sendmail didn't close nicely";
"""
_FIELDS = {"To": "Bob <bob@example.net>", "Cc": "carol@example.net", "Subject": "Hello"}

ROWS = {
    "email-sender": Program(
        _dotted(_EMAIL_SENDER.replace("ENVELOPE", "")),
        to=_BOTH,
        sender="alice@DOMAIN",
        fields=_FIELDS,
        failure="unable to|error when closing",
    ),
    "email-sender-envelope": Program(
        _dotted(
            _EMAIL_SENDER.replace(
                "ENVELOPE",
                ", from => 'bounce@DOMAIN', to => [qw(bob@example.net dave@example.net)]",
            )
        ),
        to=("bob@example.net", "dave@example.net"),
        sender="bounce@DOMAIN",
        fields=_FIELDS,
        failure="unable to|error when closing",
    ),
    "mime-lite": Program(
        _dotted(_MIME_LITE.replace("ARGUMENTS", "")),
        to=_THREE,
        sender="alice@DOMAIN",
        fields=_FIELDS,
        failure="error closing|not sent",
    ),
    "mime-lite-command": Program(
        _dotted(_MIME_LITE.replace("ARGUMENTS", "'sendmail', '/usr/lib/sendmail -t -oi -oem'")),
        to=_THREE,
        fields=_FIELDS,
        failure="error closing|not sent",
    ),
    "mime-lite-arguments": Program(
        _dotted(_MIME_LITE.replace("ARGUMENTS", "'sendmail', FromSender => 'bounce@DOMAIN'")),
        to=_THREE,
        sender="bounce@DOMAIN",
        fields=_FIELDS,
        failure="error closing|not sent",
    ),
    "mail-mailer": Program(
        _plain(
            "use Mail::Mailer; my $mail = Mail::Mailer->new('sendmail');\n"
            "$mail->open({From => 'alice@DOMAIN', To => ['bob@example.net', 'carol@example.net'],"
            " Bcc => 'dave@example.net', Subject => 'Hello'});\n"
            "print $mail $text; $mail->close or die 'not sent';"
        ),
        to=_THREE,
        fields={"Subject": "Hello"},
        body=PLAIN,
        failure="not sent",
    ),
    "mail-send": Program(
        _plain(
            "use Mail::Send; my $mail = Mail::Send->new(Subject => 'Hello',"
            " To => 'bob@example.net');\n$mail->set('From', 'alice@DOMAIN');"
            " my $out = $mail->open('sendmail');\nprint $out $text; $out->close or die 'not sent';"
        ),
        fields={"Subject": "Hello"},
        body=PLAIN,
        failure="not sent",
    ),
    "mail-internet": Program(
        _plain(
            "use Mail::Internet; my $mail = Mail::Internet->new([\n"
            '  "From: alice\\@DOMAIN\\n", "To: bob\\@example.net\\n", "Subject: Hello\\n",'
            ' "\\n", map {"$_\\n"} split /\\n/, $text]);\n'
            "$mail->send('sendmail') or die 'not sent';"
        ),
        fields={"Subject": "Hello"},
        body=PLAIN,
        failure=None,
    ),
    "mail-box": Program(
        _dotted(_MAIL_BOX),
        to=_THREE,
        fields={"To": "bob@example.net", "Cc": "carol@example.net", "Subject": "Hello"},
        failure="not sent",
    ),
    "perlfaq9": Program(
        _dotted(_PERLFAQ9),
        fields={"To": "Bob <bob@example.net>", "Subject": "Hello"},
        body=TEXT + "\n",
        failure="didn't close nicely",
        queued=True,
    ),
}
