"""Django's EmailMultiAlternatives with the e-mail backend that is the first argument."""

from __future__ import annotations

import sys

import django
import letter as letters
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

settings.configure(EMAIL_BACKEND=sys.argv[1], DEFAULT_CHARSET="utf-8")
django.setup()
letter = letters.read()
mail = EmailMultiAlternatives(
    subject=letter["subject"],
    body=letter["text"],
    from_email=letters.mailbox(letter["from"]),
    to=[letters.mailbox(letter["to"])],
    cc=[letter["cc"]],
    bcc=[letter["bcc"]],
)
if "html" in letter:
    mail.attach_alternative(letter["html"], "text/html")
letters.answer(lambda: mail.send() == 1)
