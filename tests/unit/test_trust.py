"""By which authorities a server's certificate is checked."""

from __future__ import annotations

import ssl

import pytest

from sesmail.delivery import trust


def test_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """ca_file, or the authorities that come with botocore; the environment has no say."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    assert trust.bundle("/etc/ca.pem") == "/etc/ca.pem"
    authorities = ssl.create_default_context(cafile=trust.bundle()).get_ca_certs()
    names = [str(authority["subject"]) for authority in authorities]
    assert any("Amazon Root CA 1" in name for name in names)
