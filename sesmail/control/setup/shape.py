"""What is wrong with a value that somebody typed or pasted, seen from its shape alone.

The usual slips: the two values swapped, the name of the IAM user for the key id, a secret cut off
in copying. No text repeats a value.
"""

from __future__ import annotations

from sesmail.delivery import secret
from sesmail.delivery.credential_values import PARSERS

_IAM_USER = "ses-smtp-user"
_OTHER_IDS = ("AIDA", "AROA", "AGPA", "AIPA", "ANPA", "ANVA", "APKA", "ASCA")  # IAM identifiers


def of_key_id(text: str) -> str:
    """Return what is wrong with an access key id; "" if nothing."""
    if secret.is_temporary(text) and secret.is_key_id(text):
        return "that is a temporary key, gone in hours: take one that begins with AKIA, or a role"
    if secret.is_key_id(text):
        return ""
    wanted = "an access key id, or SMTP user name, has 20 characters and begins with AKIA"
    if secret.is_api_secret(text) or secret.smtp_version(text):
        return f"that is the secret: {wanted}"
    if text.lower().startswith(_IAM_USER):
        return f"that is the name of the IAM user: {wanted}"
    if text.startswith("arn:") or text.startswith(_OTHER_IDS):
        return f"that is an id of a user or role: {wanted}"
    return f"that has {len(text)} characters: {wanted}"


def of_secret(text: str) -> str:
    """Return what is wrong with a secret access key or SMTP password; "" if nothing."""
    if secret.is_api_secret(text) or secret.smtp_version(text):
        return ""
    wanted = "a secret access key has 40 characters, an SMTP password 44"
    if secret.is_key_id(text):
        return f"that is an access key id once more: {wanted}"
    if len(text) == 40:
        return "that has a character that no secret access key has: copy it again"
    if len(text) == 44:
        return "that has 44 characters, but is no SMTP password of SES: copy it again"
    return f"that has {len(text)} characters: {wanted}; copy it again"


def of_region(text: str) -> str:
    """Return what is wrong with the name of a region; "" if nothing."""
    try:
        PARSERS["region"](text)
    except ValueError as error:
        return str(error)
    return ""


def kind(text: str) -> str:
    """Return what a well-formed secret is, in words."""
    version = secret.smtp_version(text)
    if version is None:
        return "a secret access key: mail goes by the API, and SES can be asked"
    age = " of before 2019, which SES slows" if version == 2 else ""
    return f"an SMTP password{age}: mail goes by SMTP, and SES cannot be asked anything"
