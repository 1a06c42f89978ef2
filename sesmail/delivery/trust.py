"""The certificates by which both ways into SES are checked: ``ca_file``, or those of botocore.

Never the system's default: OpenSSL looks it up in the environment (SSL_CERT_FILE, SSL_CERT_DIR).
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from sesmail.sysexits import Unavailable


def bundle(ca_file: str = "") -> str:
    """Return the path of the PEM file with the authorities to trust."""
    if ca_file:
        return ca_file
    # Found, not imported: the SMTP transport has no need of botocore's 100 ms.
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("botocore is not installed: the installation is damaged")
    return os.path.join(spec.submodule_search_locations[0], "cacert.pem")
