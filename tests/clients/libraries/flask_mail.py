"""Flask-Sendmail-ng; Mail.send() drops the exit code, so this takes the connection's."""

from __future__ import annotations

import letter as letters
from flask import Flask
from flask_sendmail import Mail, Message

letter = letters.read()
mail = Mail(Flask(__name__))
message = Message(
    letter["subject"],
    sender=letter["from"][1],  # of a name with umlauts it makes one encoded word, address and all
    recipients=[letters.mailbox(letter["to"])],
    cc=[letter["cc"]],
    bcc=[letter["bcc"]],
    body=letter["text"],
)
letters.answer(lambda: mail.connect().send(message) == 0)
