"""Which keys of a credentials file go together: key id and secret, sources of keys, transport.

Each check raises ConfigurationError with the line to blame and what to put there.
"""

from __future__ import annotations

from sesmail.delivery import secret
from sesmail.delivery.credentials_file import DEFAULT, File

API = "api"
SMTP = "smtp"
CAPTURE = "capture"

PAIR = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
# Where a boto3 profile may get its keys from instead.
SOURCES = frozenset(
    """
    credential_process login_session role_arn sso_account_id sso_session sso_start_url
    web_identity_token_file
    """.split()
)
PROFILE = SOURCES.union(
    """
    aws_account_id cli_auto_prompt cli_binary_format cli_pager credential_source defaults_mode
    duration_seconds ec2_metadata_service_endpoint ec2_metadata_service_endpoint_mode
    ec2_metadata_v1_disabled external_id imds_use_ipv6 max_attempts metadata_service_num_attempts
    metadata_service_timeout mfa_serial output retry_mode role_session_name source_profile
    sso_registration_scopes sso_region sso_role_name sts_regional_endpoints tcp_keepalive
    use_dualstack_endpoint use_fips_endpoint
    """.split()
)


def check_pair(file: File) -> None:
    """Check key id, secret and session token against each other and their shapes."""
    key_id, key, token = (file.get(name) for name in PAIR)
    if not key_id and not key and not any(name in file.default for name in PAIR):
        return
    for name, value in zip(PAIR, (key_id, key), strict=False):
        if not value:
            raise file.error(name, f"{name} is missing")
    if not secret.is_key_id(key_id):
        raise file.error("aws_access_key_id", _wrong_key_id(key_id, key))
    if not secret.is_api_secret(key) and not secret.smtp_version(key):
        raise file.error("aws_secret_access_key", _wrong_secret(key))
    if secret.is_temporary(key_id):
        if secret.smtp_version(key):
            raise file.error("aws_access_key_id", "a temporary (ASIA) key cannot be used with SMTP")
        if not token:
            raise file.error("aws_access_key_id", "a temporary (ASIA) key needs aws_session_token")
    elif token:
        raise file.error("aws_session_token", "a long-term (AKIA) key has no session token")


def _wrong_key_id(key_id: str, key: str) -> str:
    if secret.is_key_id(key):
        return (
            "the two values are swapped: aws_access_key_id is the one that begins with A, 20 long"
        )
    return (
        f"aws_access_key_id has {len(key_id)} characters, but is no key id: that has 20 and begins "
        "with AKIA or ASIA (SES console: SMTP user name, not IAM user name)"
    )


def _wrong_secret(key: str) -> str:
    if len(key) == 44:
        return "44 characters, but no SES SMTP password: its first byte is neither version 4 nor 2"
    return (
        f"aws_secret_access_key has {len(key)} characters; an API secret has 40, an SES SMTP "
        "password 44: copy it again"
    )


def check_profile(file: File) -> None:
    """Check that there is one source of keys, and one that can be used without a person."""
    sources = sorted(SOURCES & file.default.keys())
    others = [name for name in file.sections if name != DEFAULT]
    if others and not {"source_profile", "sso_session"} & file.default.keys():
        raise file.error("", f"[{others[0]}] is not used; what counts is [default]")
    if "mfa_serial" in file.default:
        raise file.error("mfa_serial", "mfa_serial: nobody is there to type a code")
    if file.get("credential_source").lower() == "environment":
        raise file.error("credential_source", "credential_source: the environment never counts")
    if file.get("aws_secret_access_key"):
        clash = [key for key in sources if key != "role_arn"]
        if clash:
            raise file.error(clash[0], f"{clash[0]} and a key pair: one of them must go")
        if "credential_source" in file.default:
            raise file.error("credential_source", "credential_source and a key pair: one must go")
        if sources and not secret.is_api_secret(file.get("aws_secret_access_key")):
            raise file.error("role_arn", "role_arn: an SMTP password cannot assume a role")


def check_transport(file: File, transport: str) -> None:
    """Check that the keys open this transport."""
    key_id, key = file.get("aws_access_key_id"), file.get("aws_secret_access_key")
    if transport == API and secret.smtp_version(key):
        raise file.error(
            "transport",
            "transport: api, but aws_secret_access_key is an SES SMTP password (44 characters); "
            "the API needs the IAM secret access key (40 characters)",
        )
    if transport == SMTP and (not key or "role_arn" in file.default):
        raise file.error("transport", "transport: smtp needs a key pair; roles are for the API")
    if transport == SMTP and secret.is_temporary(key_id):
        raise file.error("transport", "transport: a temporary (ASIA) key cannot be used with SMTP")
    if (transport == CAPTURE) != bool(file.get("directory")):
        raise file.error("directory", "transport = capture and directory belong together")


def check_events(file: File) -> None:
    """Check that the keys open the queue of events: SQS takes no SMTP password."""
    if file.get("events_queue_url") and secret.smtp_version(file.get("aws_secret_access_key")):
        raise file.error(
            "events_queue_url",
            "events_queue_url: the queue needs an IAM secret access key (40 characters) or a "
            "role; aws_secret_access_key is an SES SMTP password (44 characters)",
        )
