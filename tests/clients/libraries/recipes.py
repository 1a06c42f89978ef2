"""The two recipes of Python's documentation: email examples (`email`) and library FAQ (`faq`)."""

from __future__ import annotations

import os
import sys
from subprocess import PIPE, Popen

import letter as letters

SENDMAIL = "/usr/sbin/sendmail"


def by_email_examples(letter: dict[str, object]) -> bool:
    """Popen and communicate, with an EmailMessage."""
    with Popen([SENDMAIL, "-t", "-oi"], stdin=PIPE) as process:
        process.communicate(letters.as_message(letter).as_bytes())
    return process.returncode == 0


def by_faq(letter: dict[str, object]) -> bool:
    """os.popen with text; a status other than None is an error."""
    with os.popen(f"{SENDMAIL} -t -i", "w") as pipe:
        pipe.write(f"From: {letters.mailbox(letter['from'])}\n")
        pipe.write(f"To: {letters.mailbox(letter['to'])}\n")
        pipe.write(f"Cc: {letter['cc']}\nBcc: {letter['bcc']}\n")
        pipe.write(f"Subject: {letter['subject']}\n\n")
        pipe.write(letter["text"])
        status = pipe.close()
        if status is not None:
            print("Sendmail exit status", status, file=sys.stderr)
        return status is None


letter = letters.read()
recipe = by_faq if sys.argv[1] == "faq" else by_email_examples
letters.answer(lambda: recipe(letter))
