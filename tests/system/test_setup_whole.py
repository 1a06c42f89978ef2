"""`sesmailctl setup` from nothing to a delivered mail in one command, and where its secrets go."""

from __future__ import annotations

import secrets
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.dns import DnsServer
from tests.fakes.state import KEY_ID
from tests.setups import ADMIN_ID, World
from tests.spool import IDENTITY, Spool
from tests.watching import Watch

SIMULATOR = "success@simulator.amazonses.com"


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    """A DNS without records."""
    with DnsServer() as server:
        yield server


@pytest.fixture
def world(spool: Spool, dns: DnsServer, tmp_path: Path) -> World:
    """Nothing is set up, but the daemon runs: it waits for credentials."""
    made = World(spool, dns, tmp_path)
    spool.start()
    return made


def publish_when_known(world: World) -> threading.Thread:
    """Enter the records as soon as SES knows the domain, as a person would."""

    def publish() -> None:
        world.spool.wait(lambda: _has_mail_from(world), "an identity with a MAIL FROM domain")
        world.publish()

    thread = threading.Thread(target=publish)
    thread.start()
    return thread


def _has_mail_from(world: World) -> bool:
    identity = world.state.identities.known.get(IDENTITY)
    return identity is not None and bool(identity.mail_from)


def test_without_a_question(world: World) -> None:
    """Flags say all; the mail has come, and all is in the one document."""
    entering = publish_when_known(world)
    result = world.run(*world.flags(), *world.admin_flags(), "--json")
    entering.join()
    (found,) = result.documents
    assert (result.exit_code, found["verified"], found["test_exit"]) == (0, True, 0)
    assert found["test"][0]["to"] == SIMULATOR
    (message,) = world.state.wait_for_messages(1)
    assert (message.destinations, message.key_id) == ([SIMULATOR], KEY_ID)


def test_as_a_person_types(world: World) -> None:
    """From the first question to the mail at an address of one's own; no secret is anywhere."""
    world.only_sends()
    own, admins = world.state.keys[KEY_ID], world.state.keys[ADMIN_ID] = fresh(), fresh()
    with (
        Watch(world.directory, [own, admins], "sesmail") as watch,
        world.person("--test-to", "bob@example.org") as person,
    ):
        person.expect("Access key id, or SMTP user name")
        person.type(KEY_ID)
        person.expect("Secret access key, or SMTP password (not shown): ")
        person.type(own)
        person.expect("AWS region [us-east-1]: ")
        person.type("")
        person.expect("Access key id of an administrator")
        person.type(ADMIN_ID)
        person.expect("Secret access key (not shown): ")
        person.type(admins)
        person.expect(f"[bounce.{IDENTITY}]: ")
        person.type("")
        person.expect("Waiting (Ctrl-C leaves)")
        world.publish()
        assert person.ended() == 0
        assert f"{IDENTITY} is set up." in person.screen
    (message,) = world.state.wait_for_messages(1)
    assert (message.destinations, message.key_id) == (["bob@example.org"], KEY_ID)
    assert watch.looked
    assert watch.found == set()
    log = "\n".join(world.spool.log)
    assert not any(secret in person.screen + log for secret in (own, admins))
    assert [path for path in world.directory.rglob("*") if holds(path, own)] == [world.file]
    assert not any(holds(path, admins) for path in world.directory.rglob("*"))


def fresh() -> str:
    """Return a secret of the right shape that no other test has."""
    return secrets.token_hex(20)


def holds(path: Path, secret: str) -> bool:
    """Tell whether a secret is in a file."""
    return path.is_file() and not path.is_fifo() and secret.encode() in path.read_bytes()


def echoing(command: list[str], environ: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start cat; return once it has answered, for right after the exec /proc shows nothing yet."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"here\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"here\n"
    return process


def test_the_watch_sees_a_secret(tmp_path: Path) -> None:
    """In a command line, an environment and a file that others can read; not in a narrow one."""
    secret = fresh()
    (tmp_path / "wide").write_text(secret)
    (tmp_path / "wide").chmod(0o644)
    (tmp_path / "narrow").write_text(secret)
    (tmp_path / "narrow").chmod(0o640)
    with Watch(tmp_path, [secret], "never") as watch:
        argv = echoing(["cat", "-", secret])
        environ = echoing(["cat"], {"SECRET": secret})
        try:
            watch.look()
        finally:
            for process in (argv, environ):
                process.communicate()
    seen = {f"/proc/{argv.pid}/cmdline", f"/proc/{environ.pid}/environ", str(tmp_path / "wide")}
    assert seen <= watch.found
    assert str(tmp_path / "narrow") not in watch.found
