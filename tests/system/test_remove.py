"""`sesmailctl remove`: what goes, what stays, and who is told."""

from __future__ import annotations

import pytest

from sesmail.sysexits import EX_CONFIG, EX_DATAERR, EX_USAGE
from tests import ctl
from tests.fakes.state import KEY_ID, SECRET
from tests.setups import ADMIN_ID, ADMIN_SECRET
from tests.spool import IDENTITY, Spool
from tests.terminal import Person


def test_the_file_goes_and_the_rest_is_told(spool: Spool) -> None:
    """The key, the identity, the records; and who serves the authors now."""
    result = ctl.run(spool, "remove", IDENTITY, "--yes")
    assert result.exit_code == 0
    assert not (spool.credentials / IDENTITY).exists()
    assert f"The key {KEY_ID} still works" in result.stdout
    assert "the real sendmail" in result.stdout
    assert SECRET not in result.stdout + result.stderr
    assert IDENTITY in spool.ses.state.identities
    assert ctl.run(spool, "remove", IDENTITY, "--yes").exit_code == EX_DATAERR


def test_the_next_in_line_is_named(spool: Spool) -> None:
    """A parent's credentials take over."""
    spool.use_api(identity=f"sub.{IDENTITY}")
    result = ctl.run(spool, "remove", f"sub.{IDENTITY}", "--yes")
    assert f"goes by the credentials of {IDENTITY}" in result.stdout


def test_nothing_goes_without_a_yes(spool: Spool) -> None:
    """Without a terminal --yes is needed; at one, no is the default."""
    result = ctl.run(spool, "remove", IDENTITY)
    assert result.exit_code == EX_USAGE
    assert "--yes" in result.stderr
    environ = {"SESMAIL_CONFIG": str(spool.configuration), "PATH": "/usr/bin:/bin"}
    with Person([*ctl.COMMAND, "remove", IDENTITY], environ) as person:
        person.expect("(y/N): ")
        person.type("")
        assert person.ended() == EX_USAGE
    assert (spool.credentials / IDENTITY).exists()
    with Person([*ctl.COMMAND, "remove", IDENTITY], environ) as person:
        person.expect("(y/N): ")
        person.type("y")
        assert person.ended() == 0
    assert not (spool.credentials / IDENTITY).exists()


@pytest.mark.parametrize("is_running", [True, False])
def test_mail_that_waits_is_told(spool: Spool, is_running: bool) -> None:
    """Two messages, whether a daemon runs or not."""
    spool.ses.state.identities.clear()  # so that it is held
    spool.start()
    for _ in range(2):
        spool.drop()
    spool.wait(lambda: len(spool.waiting()) == 2, "messages in the queue")
    if not is_running:
        spool.stop()
    result = ctl.run(spool, "remove", IDENTITY, "--yes", "--json")
    (document,) = result.documents
    assert (result.exit_code, document["waiting"]) == (0, 2)
    assert f"2 messages of {IDENTITY} waiting" in result.stderr


def test_the_identity_at_ses_goes_too(spool: Spool) -> None:
    """Only with the flag, and an administrator's key."""
    spool.ses.state.keys[ADMIN_ID] = ADMIN_SECRET
    assert ctl.run(spool, "remove", IDENTITY, "--yes", "--identity").exit_code == EX_USAGE
    assert IDENTITY in spool.ses.state.identities.known
    flags = ["--identity", "--admin-key-id", ADMIN_ID, "--admin-secret-file", "-"]
    result = ctl.run(spool, "remove", IDENTITY, "--yes", *flags, stdin=f"{SECRET}\n")
    assert result.exit_code == EX_CONFIG  # a wrong secret: nothing is removed
    assert (spool.credentials / IDENTITY).exists()
    result = ctl.run(spool, "remove", IDENTITY, "--yes", *flags, stdin=f"{ADMIN_SECRET}\n")
    assert result.exit_code == 0
    assert IDENTITY not in spool.ses.state.identities.known
    assert not (spool.credentials / IDENTITY).exists()


def test_a_file_that_cannot_be_used_goes_as_well(spool: Spool) -> None:
    """A broken one, and default."""
    for name in (IDENTITY, "default"):
        spool.identity(name, "rubbish")
        assert ctl.run(spool, "remove", name, "--yes").exit_code == 0
        assert not (spool.credentials / name).exists()


@pytest.mark.parametrize("name", ["../sesmail.conf", "*", "sesmail.conf/", "."])
def test_a_path_is_no_identity(spool: Spool, name: str) -> None:
    """Nothing outside of the directory can be named."""
    assert ctl.run(spool, "remove", name, "--yes").exit_code == EX_USAGE
    assert spool.configuration.exists()
