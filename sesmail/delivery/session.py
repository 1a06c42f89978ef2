"""A botocore client from a credentials file, closed to the environment of whoever calls.

Nothing but the file counts: no AWS_* variable, proxy, ~/.aws, ~/.boto or /etc/boto.cfg. The one
exception are the variables that carry a container's role (``ROLE_VARIABLES``), which submission
lets through where they may count; they are consulted only if the file names no keys of its own.
botocore itself, not boto3: it takes as long to import, and the parts that read elsewhere can be
replaced. Its retries are off: SES has no idempotency token, so each of them could be a second mail.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from typing import Any

import botocore
import botocore.loaders
import botocore.session
from botocore.config import Config

from sesmail import VERSION
from sesmail.delivery import secret, trust
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.credentials_file import DEFAULT
from sesmail.launch import ROLE_VARIABLES

_CLOSED_CONFIG: dict[str, Any] = {
    "retries": {"mode": "standard", "total_max_attempts": 1},
    "max_pool_connections": 64,  # urllib3 throws away what is beyond; the daemon has 32 threads
    "proxies": {},
    "parameter_validation": False,  # at each call; mypy sees the types, SES the values
    # botocore's own tells of the host, and takes an eighth of a call's time to put together.
    "user_agent": f"sesmail/{VERSION} botocore/{botocore.__version__}",
}
if "ignore_configured_endpoint_urls" in Config.OPTION_DEFAULTS:  # botocore 1.29 obeys no such URL
    _CLOSED_CONFIG["ignore_configured_endpoint_urls"] = True
_NO_FILE = os.devnull
# Providers that read outside the file; the last two only if the file names no source of keys.
_OUTSIDE = ("env", "ec2-credentials-file", "boto-config")
_ROLES = ("container-role", "iam-role")


def close_environment(environ: MutableMapping[str, str]) -> None:
    """Remove each variable that botocore, urllib3 or OpenSSL would obey.

    From the process itself, and for good: botocore asks again whenever a role's keys run out.
    """
    for name in list(environ):
        upper = name.upper()
        if name not in ROLE_VARIABLES and (
            upper.startswith(("AWS_", "BOTO", "_X_AMZN", "SSL")) or upper.endswith("_PROXY")
        ):
            del environ[name]


class Session:
    """The botocore session of one credentials file; makes clients for its SES."""

    def __init__(self, credentials: Credentials) -> None:
        close_environment(os.environ)
        self._credentials = credentials
        self._session = botocore.session.Session()
        self._profile_file: int | None = None
        self._found_secret = ""
        self._close_session()

    def client(
        self,
        service: str,
        connect_timeout: float,
        read_timeout: float,
        endpoint_url: str = "",
        region: str = "",
    ) -> Any:
        """Return a client for ``sesv2``, ``ses`` (v1) or ``sqs`` with these time-outs in seconds.

        ``endpoint_url`` and ``region``: of a service elsewhere than the credentials say.
        May ask for a role's keys over the network, or run ``credential_process``; whatever that
        raises comes through. Nothing has been sent to SES then.
        """
        credentials = self._credentials
        plain = bool(credentials.access_key_id) and not credentials.names_a_source()
        config = Config(
            connect_timeout=connect_timeout, read_timeout=read_timeout, **_CLOSED_CONFIG
        )
        # Also for the clients that botocore makes itself, to get a role's keys.
        self._session.set_default_client_config(config)
        if not plain:
            self._get_keys()
        return self._session.create_client(
            service,
            region_name=region or credentials.region,
            endpoint_url=endpoint_url or credentials.endpoint_url or None,
            verify=trust.bundle(credentials.ca_file),
            config=config,
            aws_access_key_id=credentials.access_key_id if plain else None,
            aws_secret_access_key=credentials.secret_access_key if plain else None,
            aws_session_token=credentials.session_token or None if plain else None,
        )

    def has_smtp_password(self) -> bool:
        """Tell whether the secret that was found is no API secret, but an SES SMTP password."""
        return secret.smtp_version(self._found_secret) is not None

    def _get_keys(self) -> None:
        """Get the keys now, not when the first request is signed: it would seem to have failed."""
        keys = self._session.get_credentials()
        if keys is not None:
            self._found_secret = keys.get_frozen_credentials().secret_key or ""

    def close(self) -> None:
        """Give up the file with the profile."""
        if self._profile_file is not None:
            os.close(self._profile_file)
            self._profile_file = None

    def _close_session(self) -> None:
        session = self._session
        loader = botocore.loaders.Loader(
            [botocore.loaders.Loader.BUILTIN_DATA_PATH], None, None, False
        )
        session.register_component("data_loader", loader)
        session.set_config_variable("region", self._credentials.region)
        session.set_config_variable("ca_bundle", trust.bundle())
        if "sts_regional_endpoints" not in self._credentials.profile.get(DEFAULT, {}):
            # Not yet the default in botocore 1.29.
            session.set_config_variable("sts_regional_endpoints", "regional")
        session.set_config_variable("credentials_file", _NO_FILE)
        session.set_config_variable("config_file", self._write_profile(self._credentials.profile))
        resolver = session.get_component("credential_provider")
        for method in _OUTSIDE + (_ROLES if self._credentials.names_a_source() else ()):
            resolver.remove(method)

    def _write_profile(self, profile: Mapping[str, Mapping[str, str]]) -> str:
        """Put the sections where botocore can open them and nobody else; return that path."""
        if not profile:
            return _NO_FILE
        text = "".join(
            f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in section.items())
            for name, section in profile.items()
        )
        self._profile_file = os.memfd_create("sesmail-profile", os.MFD_CLOEXEC)
        os.write(self._profile_file, text.encode())
        if self._credentials.names_a_source():
            # Chosen expressly, so that the web identity of the environment does not come first.
            self._session.set_config_variable("profile", "default")
        return f"/proc/self/fd/{self._profile_file}"
