"""repoze.sendmail, Pyramid's: a delivery that goes out when the transaction commits."""

from __future__ import annotations

from email.mime.text import MIMEText

import letter as letters
import transaction
from repoze.sendmail.delivery import DirectMailDelivery
from repoze.sendmail.mailer import SendmailMailer

letter = letters.read()
message = MIMEText(letter["text"], "plain", "utf-8")
message["From"] = letters.mailbox(letter["from"])
message["To"] = letters.mailbox(letter["to"])
message["Cc"] = letter["cc"]
message["Subject"] = letter["subject"]  # the library encodes it
to = [letter["to"][1], letter["cc"], letter["bcc"]]


def send() -> None:
    """Send within a transaction."""
    DirectMailDelivery(SendmailMailer()).send(letter["from"][1], to, message)
    transaction.commit()


letters.answer(send)
