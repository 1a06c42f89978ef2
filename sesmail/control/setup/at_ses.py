"""An identity at SES: found or made, its MAIL FROM domain, its DKIM keys, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sesmail.control.aws import Aws, AwsError

Answer = Mapping[str, Any]
"""What GetEmailIdentity says."""

SUCCESS, PENDING, FAILED, NOT_STARTED = "SUCCESS", "PENDING", "FAILED", "NOT_STARTED"
_NOT_FOUND = "NotFoundException"
_EXISTS = "AlreadyExistsException"
# VerificationInfo.ErrorType: what SES met at its last look at the DNS.
_ERRORS = {
    "HOST_NOT_FOUND": "SES has not found the names yet",
    "TYPE_NOT_FOUND": "SES has found the names, but no CNAME there",
    "INVALID_VALUE": "SES has found a record with another value",
    "DNS_SERVER_ERROR": "the domain's name servers did not answer SES",
    "SERVICE_ERROR": "SES could not look for a reason of its own",
}


def find(aws: Aws, name: str) -> Answer | None:
    """Return what SES knows of the identity, None if nothing. Raises AwsError."""
    try:
        return aws.call("sesv2", "get_email_identity", EmailIdentity=name)
    except AwsError as error:
        if error.code == _NOT_FOUND:
            return None
        raise


def create(aws: Aws, name: str) -> None:
    """Make the identity known to SES, which sends a mail to an address. Raises AwsError."""
    request: dict[str, Any] = {"EmailIdentity": name}
    if "@" not in name:
        request["DkimSigningAttributes"] = {"NextSigningKeyLength": "RSA_2048_BIT"}
    try:
        aws.call("sesv2", "create_email_identity", **request)
    except AwsError as error:
        if error.code != _EXISTS:  # somebody was faster
            raise


def set_mail_from(aws: Aws, name: str, domain: str) -> None:
    """Give it a MAIL FROM domain; mail still goes while its MX is missing. Raises AwsError."""
    aws.call(
        "sesv2",
        "put_email_identity_mail_from_attributes",
        EmailIdentity=name,
        MailFromDomain=domain,
        BehaviorOnMxFailure="USE_DEFAULT_VALUE",
    )


def renew_dkim(aws: Aws, name: str) -> None:
    """Let SES make new DKIM keys, and look for their records again. Raises AwsError."""
    aws.call(
        "sesv2",
        "put_email_identity_dkim_signing_attributes",
        EmailIdentity=name,
        SigningAttributesOrigin="AWS_SES",
    )


def is_verified(identity: Answer) -> bool:
    """Tell whether it may send."""
    return bool(identity.get("VerifiedForSendingStatus"))


def status(identity: Answer) -> str:
    """Return how far the verification is: PENDING, SUCCESS, FAILED, TEMPORARY_FAILURE."""
    if is_verified(identity):
        return SUCCESS
    told = identity.get("VerificationStatus") or dkim_status(identity)
    return str(told) if told not in ("", NOT_STARTED) else PENDING


def dkim_status(identity: Answer) -> str:
    """Return the status of DKIM; "" where SES does not tell."""
    return str((identity.get("DkimAttributes") or {}).get("Status") or "")


def has_dkim(identity: Answer) -> bool:
    """Tell whether the domain has DKIM keys: SES's, or its owner's own."""
    attributes = identity.get("DkimAttributes") or {}
    is_own = str(attributes.get("SigningAttributesOrigin") or "") == "EXTERNAL"
    return is_own or bool(attributes.get("Tokens"))


def mail_from(identity: Answer) -> tuple[str, str]:
    """Return the MAIL FROM domain, "" for SES's own, and its status."""
    attributes = identity.get("MailFromAttributes") or {}
    domain = str(attributes.get("MailFromDomain") or "")
    return domain, str(attributes.get("MailFromDomainStatus") or "") if domain else ""


def last_error(identity: Answer) -> str:
    """Return what SES met when it looked last, in words; "" if nothing is told."""
    error = str((identity.get("VerificationInfo") or {}).get("ErrorType") or "")
    return _ERRORS.get(error, error)


def is_settled(identity: Answer) -> bool:
    """Tell whether there is nothing to wait for: verified, and MAIL FROM too if there is one."""
    domain, state = mail_from(identity)
    return is_verified(identity) and (not domain or state != PENDING)
