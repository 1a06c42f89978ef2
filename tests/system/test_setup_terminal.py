"""`sesmailctl setup` at a terminal: what a person is asked, sees, and must never see."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.sysexits import EX_CONFIG, EX_UNAVAILABLE
from tests.fakes.dns import DnsServer
from tests.fakes.state import KEY_ID, SECRET
from tests.setups import ADMIN_ID, ADMIN_SECRET, World
from tests.spool import IDENTITY, Spool
from tests.terminal import Person

PAIR = "Access key id, or SMTP user name"
SECRET_OF_PAIR = "Secret access key, or SMTP password (not shown): "
ADMIN = "Access key id of an administrator"


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    """A DNS without records."""
    with DnsServer() as server:
        yield server


@pytest.fixture
def world(spool: Spool, dns: DnsServer, tmp_path: Path) -> World:
    """Nothing is set up."""
    return World(spool, dns, tmp_path)


def type_secret(person: Person, secret: str, question: str = SECRET_OF_PAIR) -> None:
    """Type a secret when it is asked for, and the terminal does not show it."""
    person.expect(question)
    assert not person.is_echoing()
    person.type(secret)


def type_credentials(person: Person, secret: str = SECRET) -> None:
    """Answer the questions for the credentials."""
    person.expect(PAIR)
    person.expect(": ")
    assert person.is_echoing()
    person.type(KEY_ID)
    type_secret(person, secret)
    person.expect("AWS region [us-east-1]: ")
    person.type("")


def test_as_a_person_types(world: World) -> None:
    """Every question answered, the records entered during the wait, and all is done."""
    with world.person("--no-test") as person:
        type_credentials(person)
        person.expect("they work")
        person.expect(
            f"Custom MAIL FROM domain, for SPF and DMARC (none: without) [bounce.{IDENTITY}]"
        )
        person.type("")
        person.expect("As lines of a zone file:")
        person.expect("Waiting (Ctrl-C leaves)")
        world.publish()
        assert person.ended() == 0
        assert f"{IDENTITY} is set up." in person.screen
        assert KEY_ID in person.screen  # that one is echoed
        assert SECRET not in person.screen
    assert SECRET in world.file.read_text()


@pytest.mark.parametrize("columns", [80, 200])
def test_names_and_values_can_be_copied_whole(world: World, columns: int) -> None:
    """None is broken: they stand in a table where it has room, else each in a line of its own."""
    flags = [*world.flags(), "--mail-from", f"bounce.{IDENTITY}", "--no-wait", "--no-test"]
    with world.person(*flags, columns=columns) as person:
        assert person.ended() == EX_UNAVAILABLE
        lines = person.screen.partition("As lines of a zone file:")[0].splitlines()
    (token, *_) = world.state.identity(IDENTITY).tokens
    name, value = f"{token}._domainkey.{IDENTITY}", f"{token}.dkim.amazonses.com"
    fields = [f"Name   {name}", "Type   CNAME", f"Value  {value}", "DNS    missing", ""]
    row = [name, "CNAME", value, "missing"]
    if columns == 80:
        place = lines.index(fields[0])
        assert lines[place : place + len(fields)] == fields
        assert max(map(len, lines[place:])) < columns
    else:
        assert row in [line.split() for line in lines]


def test_a_wrong_shape_is_asked_again(world: World) -> None:
    """At once, for each value, with what it seems to be; and it is not shown."""
    with world.person("--no-wait", "--no-test") as person:
        person.expect(PAIR)
        person.type("ses-smtp-user.1")
        person.expect("That is the name of the IAM user")
        person.expect(PAIR)
        person.type(KEY_ID)
        type_secret(person, SECRET[:-3])
        person.expect("That has 37 characters")
        type_secret(person, KEY_ID)
        person.expect("That is an access key id once more")
        type_secret(person, SECRET)
        person.expect("AWS region")
        person.type("Ireland")
        person.expect("such as eu-west-1 is needed")
        person.expect("AWS region")
        person.type("us-east-1")
        person.expect("Custom MAIL FROM")
        person.type("bounce.elsewhere.example")
        person.expect("a subdomain of")
        person.expect("Custom MAIL FROM")
        person.type("none")
        assert person.ended() == EX_UNAVAILABLE
        assert SECRET[:-3] not in person.screen
    assert world.state.identity(IDENTITY).mail_from == ""


def test_keys_that_are_refused_are_asked_again(world: World) -> None:
    """They reach no file; the next ones do."""
    wrong = SECRET[:-1] + "Z"
    with world.person("--no-wait", "--no-test", "--mail-from", "none") as person:
        type_credentials(person, wrong)
        person.expect("These do not work")
        assert not world.file.exists()
        type_credentials(person)
        person.ended()
        assert wrong not in person.screen
    assert SECRET in world.file.read_text()


def test_left_waiting_and_resumed(world: World) -> None:
    """Ctrl-C ends the wait and says how to go on; the same command does."""
    with world.person(*world.flags(), "--no-test", "--mail-from", "none") as person:
        person.expect("Waiting (Ctrl-C leaves)")
        person.interrupt()
        assert person.ended() == EX_UNAVAILABLE
        assert "Left waiting" in person.screen
        assert f"run the same command again: sesmailctl setup {IDENTITY}" in person.screen
    world.publish()
    with world.person("--no-test", "--mail-from", "none") as person:
        assert person.ended() == 0


def test_left_at_a_question(world: World) -> None:
    """Ctrl-C there ends it as a shell expects, and the terminal shows again what is typed."""
    with world.person() as person:
        person.expect(PAIR)
        person.type(KEY_ID)
        person.expect(SECRET_OF_PAIR)
        person.interrupt()
        assert person.ended() == -signal.SIGINT
        assert person.is_echoing()
    assert not world.file.exists()


def test_an_administrator_is_asked_for_where_the_key_may_not(world: World) -> None:
    """The secret is not shown, and is stored nowhere."""
    world.only_sends()
    with world.person(*world.flags(), "--no-wait", "--no-test", "--mail-from", "none") as person:
        person.expect(ADMIN)
        person.type("admin")
        person.expect("has 20 characters")
        person.expect(ADMIN)
        person.type(ADMIN_ID)
        type_secret(person, SECRET, "Secret access key (not shown): ")
        person.expect("do not match")
        person.expect(ADMIN)
        person.type(ADMIN_ID)
        type_secret(person, ADMIN_SECRET, "Secret access key (not shown): ")
        assert person.ended() == EX_UNAVAILABLE
        assert ADMIN_SECRET not in person.screen
    assert IDENTITY in world.state.identities.known
    assert ADMIN_ID not in world.file.read_text()


def test_nobody_with_rights_is_there(world: World) -> None:
    """An empty answer: the console's steps."""
    world.only_sends()
    with world.person(*world.flags(), "--no-test") as person:
        person.expect(ADMIN)
        person.type("")
        person.expect("In the console:")
        assert person.ended() == 0
    assert world.state.identities.known == {}


def test_another_secret_needs_a_yes(world: World) -> None:
    """No is the default."""
    world.run(*world.flags(), "--no-wait", "--no-test")
    before = world.file.read_bytes()
    world.state.keys["AKIAIOSFODNN7ANOTHER"] = ADMIN_SECRET
    other = ["--key-id", "AKIAIOSFODNN7ANOTHER", "--secret-file", world.secret_file(ADMIN_SECRET)]
    for answer, is_changed in (("", False), ("y", True)):
        with world.person(*other, "--no-wait", "--no-test") as person:
            person.expect("Change it? (y/N)")
            person.type(answer)
            person.ended()
        assert (world.file.read_bytes() != before) is is_changed


def test_new_dkim_records_need_a_yes(world: World) -> None:
    """SES has given up on those that are there."""
    world.run(*world.flags(), "--no-wait", "--no-test")
    world.publish()
    identity = world.state.identity(IDENTITY)
    identity.fail()
    old = identity.tokens
    with world.person("--no-wait", "--no-test") as person:
        person.expect("Get new ones? (Y/n)")
        person.type("n")
        assert person.ended() == EX_UNAVAILABLE
    assert world.state.identity(IDENTITY).tokens == old
    with world.person("--no-wait", "--no-test") as person:
        person.expect("Get new ones? (Y/n)")
        person.type("")
        person.expect("which replace the old ones")
        person.ended()
    assert world.state.identity(IDENTITY).tokens != old


def test_production_access_is_asked_about(world: World) -> None:
    """Only with the flag; each answer reaches AWS."""
    world.state.sandbox = True
    words = ["--no-wait", "--no-test", "--mail-from", "none", "--request-production"]
    with world.person(*world.flags(), *words) as person:
        person.expect("transactional or marketing mail [transactional]: ")
        person.type("m")
        person.expect("Website: ")
        person.type("https://example.com")
        person.expect("wants none: ")
        person.type("News for those who asked for it.")
        person.expect("Address that AWS may write to: ")
        person.type("admin@example.com")
        person.expect("Production access is requested")
        person.ended()
    assert world.state.details["MailType"] == "MARKETING"
    assert world.state.details["AdditionalContactEmailAddresses"] == ["admin@example.com"]


def test_a_role_is_an_empty_answer(world: World) -> None:
    """The file then has the region and no keys. Nobody gives this host any, so it is refused."""
    with world.person() as person:
        person.expect(PAIR)
        person.type("")
        person.expect("AWS region")
        person.type("eu-west-1")
        person.ended()
        assert "give a key pair in the credentials file, or this host a role" in person.screen
    assert not world.file.exists()


def test_a_file_of_no_use_needs_a_yes(world: World) -> None:
    """No leaves it as it is, and ends there."""
    world.spool.identity(IDENTITY, "rubbish")
    with world.person(*world.flags(), "--no-wait", "--no-test") as person:
        person.expect("Write it anew? (y/N)")
        person.type("")
        assert person.ended() == EX_CONFIG
    assert world.file.read_text() == "rubbish\n"
    with world.person(*world.flags(), "--no-wait", "--no-test", "--mail-from", "none") as person:
        person.expect("Write it anew? (y/N)")
        person.type("y")
        assert person.ended() == EX_UNAVAILABLE
    assert SECRET in world.file.read_text()
