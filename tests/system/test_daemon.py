"""sesmaild as a process, between a private spool and the SES stand-in."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from sesmail.control import ask, reread
from sesmail.queue import listing, schema, upkeep
from sesmail.sysexits import EX_CANTCREAT, EX_CONFIG, EX_IOERR, EX_USAGE
from tests.fakes import faults
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.scale import queues
from tests.spool import IDENTITY, Spool

SEVERAL = 20
OTHER_KEY_ID = "AKIAI44QH8DHBEXAMPLE"


def due_in(spool: Spool) -> list[float]:
    """Return in how many seconds each waiting forward-path is due."""
    connection = sqlite3.connect(spool.queue_directory / "queue.db")
    rows = connection.execute("SELECT due FROM path WHERE state = 0").fetchall()
    connection.close()
    return [due / 1000 - time.time() for (due,) in rows]


def change(spool: Spool, statement: str) -> None:
    """Change the queue while no daemon runs."""
    connection = sqlite3.connect(spool.queue_directory / "queue.db")
    with connection:
        connection.execute(statement)
    connection.close()


def recipients(ses: SesServer) -> list[str]:
    """Return the forward-paths of everything that was accepted, in order."""
    return sorted(path for one in ses.state.messages for path in one.destinations)


@pytest.mark.parametrize("way", ["api", "smtp"])
def test_delivered(spool: Spool, way: str) -> None:
    """What is dropped is delivered, once, under its queue id; drop and queue are empty after it."""
    if way == "smtp":
        spool.use_smtp()
    spool.start()
    queue_ids = [spool.drop(f"r{number}@example.org") for number in range(SEVERAL)]
    spool.ses.state.wait_for_messages(SEVERAL)
    spool.wait_until_empty()
    accepted = spool.ses.state.messages
    assert sorted(one.tags["sesmail-id"] for one in accepted) == sorted(queue_ids)
    assert len(spool.wait_for_log("status=sent", times=SEVERAL)) == SEVERAL
    assert len(spool.wait_for_log(": removed", times=SEVERAL)) == SEVERAL
    assert spool.stop() == 0


def test_more_than_fifty_forward_paths(spool: Spool) -> None:
    """Over 50 go out in several requests; everybody gets the message once."""
    paths = [f"r{number:03}@example.org" for number in range(120)]
    spool.drop(*paths)
    assert spool.once() == 0
    assert recipients(spool.ses) == paths
    assert max(len(one.destinations) for one in spool.ses.state.messages) <= 50


def test_a_drop_from_before_the_start(spool: Spool) -> None:
    """What nobody told the daemon of is found when it starts, or a minute later."""
    spool.drop(ring=False)
    spool.start()
    spool.ses.state.wait_for_messages(1)


def test_garbage_in_the_fifo_means_a_scan(spool: Spool) -> None:
    """Whatever is written there, the drop is looked through soon."""
    spool.start()
    spool.drop(ring=False)
    with open(spool.directory / "wake", "wb", buffering=0) as fifo:
        fifo.write(b"../../etc/passwd\n\xff" * 30)
    spool.ses.state.wait_for_messages(1)


def test_once(spool: Spool) -> None:
    """One pass picks up everything and tries everything once; what SES defers stays."""
    spool.ses.script("service-unavailable", 1, "bad@example.org")
    for name in ("bad", "good", "well"):
        spool.drop(f"{name}@example.org")
    assert spool.once() == 0
    assert recipients(spool.ses) == ["good@example.org", "well@example.org"]
    assert [entry.waiting[0][0] for entry in spool.waiting()] == ["bad@example.org"]
    assert spool.ses.state.requests == 3


def test_a_second_daemon(spool: Spool) -> None:
    """It ends with 73 and names the first, also with --once; the first goes on."""
    spool.start()
    assert spool.process is not None
    for arguments in ([], ["--once"]):
        second = spool.spawn(*arguments)
        _, lines = second.communicate(timeout=20)
        assert second.returncode == EX_CANTCREAT
        assert f"process {spool.process.pid}" in lines
    spool.drop()
    spool.ses.state.wait_for_messages(1)


def test_no_spool(spool: Spool) -> None:
    """Without the FIFO or the drop: 73, and the remedy."""
    (spool.directory / "wake").unlink()
    process = spool.spawn()
    _, lines = process.communicate(timeout=20)
    assert process.returncode == EX_CANTCREAT
    assert "sesmailctl init" in lines


def test_an_unknown_option(spool: Spool) -> None:
    """Options are few; others are a usage error."""
    process = spool.spawn("--foreground")
    process.communicate(timeout=20)
    assert process.returncode == EX_USAGE


def test_throttled(spool: Spool) -> None:
    """Throttled messages are tried again in seconds, and nothing is delivered twice."""
    spool.ses.script("rate", 5)
    spool.start()
    for number in range(SEVERAL):
        spool.drop(f"r{number:02}@example.org")
    spool.wait_until_empty()
    assert recipients(spool.ses) == [f"r{number:02}@example.org" for number in range(SEVERAL)]
    assert spool.ses.state.requests == SEVERAL + 5


def test_the_rate_of_the_account(spool: Spool) -> None:
    """At nine tenths of what GetAccount says SES has nothing to throttle."""
    spool.ses.state.max_send_rate = 20.0
    for number in range(30):
        spool.drop(f"r{number:02}@example.org")
    spool.start()
    spool.wait_until_empty()
    assert len(spool.ses.state.messages) == 30
    assert spool.ses.state.requests == 30


@pytest.mark.parametrize("fault", ["service-unavailable", "refuse"])
def test_an_outage(spool: Spool, fault: str) -> None:
    """While SES is away all waits; when it is back all is delivered, once."""
    spool.ses.script(fault)
    spool.start()
    for number in range(SEVERAL):
        spool.drop(f"r{number:02}@example.org")
    spool.wait_for_log("status=deferred", times=5)
    assert spool.ses.state.messages == []
    spool.ses.script(None)
    spool.wait_until_empty(60)
    assert recipients(spool.ses) == [f"r{number:02}@example.org" for number in range(SEVERAL)]


@pytest.mark.parametrize("fault", ["internal-failure", "accept-then-drop"])
def test_ambiguous(spool: Spool, fault: str) -> None:
    """SES may have it: the next attempt is ten minutes later, not before."""
    spool.ses.script(fault, 1)
    spool.drop()
    assert spool.once() == 0
    (due,) = due_in(spool)
    assert 500 < due <= 600
    assert spool.once() == 0
    assert spool.ses.state.requests == 1
    change(spool, "UPDATE path SET due = 0")
    assert spool.once() == 0
    assert spool.waiting() == []
    assert spool.ses.state.requests == 2


def test_ambiguous_and_held(spool: Spool) -> None:
    """With on_ambiguous = hold it waits until somebody decides, and the log says so."""
    spool.settings(on_ambiguous="hold")
    spool.ses.script("internal-failure", 1)
    queue_id = spool.drop()
    assert spool.once() == 0
    (entry,) = spool.waiting()
    assert entry.is_held
    assert any("held" in line and queue_id in line for line in spool.log)
    spool.start()
    request: dict[str, object] = {"request": "requeue", "id": queue_id}
    assert list(ask.ask(spool.load(), request)) == [{"paths": 1}]
    spool.wait_until_empty()
    assert spool.stop() == 0
    assert spool.ses.state.requests == 2


def test_damage_in_the_middle_of_the_queue(spool: Spool) -> None:
    """It ends the daemon once; the next start moves the queue aside, and new mail goes out."""
    queues.fill(spool.queue_directory, 300, int(time.time() * 1000))
    path = spool.queue_directory / "queue.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 4 // 8192 * 8192)
        file.write(b"\xff" * (size // 2))
    assert spool.once() == EX_IOERR
    spool.drop("new@example.org")
    assert spool.once() == 0
    assert "new@example.org" in recipients(spool.ses)
    assert len(schema.moved_aside(str(spool.queue_directory))) == 1


def test_an_interrupted_attempt(spool: Spool) -> None:
    """An attempt that a crash interrupted counts as one that SES may have served."""
    spool.ses.script("slow")
    spool.start()
    spool.drop()
    spool.ses.state.wait_for_messages(1)
    spool.kill()
    spool.ses.script(None)
    begin = len(spool.log)
    spool.start()
    spool.wait_for_log("interrupted attempt; may be delivered twice", begin)
    assert spool.stop() == 0
    (due,) = due_in(spool)
    assert 500 < due <= 600
    assert spool.ses.state.requests == 1


def test_a_wrong_key(spool: Spool) -> None:
    """One attempt holds the identity, aloud; the right key in the file releases it at once."""
    spool.use_api(secret="A" * 40)
    spool.start()
    spool.drop()
    (line,) = spool.wait_for_log("error: held: all mail of the identity example.com")
    assert "copy both again" in line
    requests = spool.ses.state.requests
    for number in range(SEVERAL):
        spool.drop(f"r{number}@example.org")
    spool.wait(lambda: not spool.dropped(), "pickup")
    assert spool.ses.state.requests == requests == 1
    spool.use_api()
    spool.ses.state.wait_for_messages(1 + SEVERAL, 30)
    spool.wait_until_empty()
    assert spool.lines("no longer held: example.com")


def test_credentials_of_which_the_daemon_is_told(spool: Spool) -> None:
    """The very next message goes with the new key; what the old one held goes at once."""
    lines = spool.use_api().read_text().splitlines()
    key_ids = {False: KEY_ID, True: OTHER_KEY_ID}
    spool.ses.state.keys[OTHER_KEY_ID] = SECRET

    def write(old: str, new: str) -> None:
        spool.identity(IDENTITY, *(line.replace(old, new) for line in lines))
        reread.tell(spool.load(), IDENTITY)

    write(KEY_ID, KEY_ID)  # nobody is there to be told
    spool.start()
    expected = []
    for number in range(1, SEVERAL + 1):
        expected.append(key_ids[number % 2 == 1])
        write(KEY_ID, expected[-1])
        spool.drop()
        spool.ses.state.wait_for_messages(number)
    assert [one.key_id for one in spool.ses.state.messages] == expected
    write(SECRET, "A" * len(SECRET))
    spool.drop("late@example.org")
    spool.wait_for_log("error: held: all mail of the identity example.com")
    write(SECRET, SECRET)
    with closing(listing.connect(str(spool.queue_directory))) as connection:
        assert upkeep.holds(connection) == []
    spool.wait_until_empty()


def test_a_broken_credentials_file(spool: Spool) -> None:
    """A file that cannot be understood holds its identity, names the line, and no other waits."""
    spool.identity("broken.example", "aws_acess_key_id = x")
    spool.start()
    spool.drop("late@example.org", author="a@broken.example", identity="broken.example")
    spool.drop("early@example.org")
    spool.ses.state.wait_for_messages(1)
    spool.wait_for_log("error: held: all mail of the identity broken.example")
    assert recipients(spool.ses) == ["early@example.org"]
    spool.ses.state.identities.add("broken.example")
    spool.use_api(identity="broken.example")
    spool.ses.state.wait_for_messages(2, 30)


def test_an_unverified_author(spool: Spool) -> None:
    """Under `default`, one author of a hundred that SES does not know keeps nobody else waiting."""
    domains = [f"d{number:02}.example" for number in range(100)]
    spool.ses.state.identities.update(domains[1:])
    spool.use_api(identity="default")
    spool.start()
    for domain in domains:
        spool.drop("bob@example.org", author=f"wiki@{domain}", identity="default")
    spool.ses.state.wait_for_messages(99, 60)
    spool.wait_for_log("error: held: mail of the author <wiki@d00.example>")
    spool.wait(lambda: len(spool.waiting()) == 1, "end of the others")
    assert spool.waiting()[0].is_held
    requests = spool.ses.state.requests
    spool.drop("eve@example.org", author="wiki@d00.example", identity="default")
    spool.drop("eve@example.org", author="wiki@d01.example", identity="default")
    spool.ses.state.wait_for_messages(100)
    spool.wait(lambda: len(spool.waiting()) == 2, "second held entry")
    assert spool.ses.state.requests == requests + 1


def test_a_sandboxed_recipient(spool: Spool) -> None:
    """The sandbox holds the forward-paths that it does not allow, and no other."""
    spool.ses.state.sandbox = True
    spool.ses.state.verified_recipients.add("known@example.org")
    spool.drop("known@example.org", "stranger@example.org")
    spool.drop("known@example.org")
    assert spool.once() == 0
    assert recipients(spool.ses) == ["known@example.org"] * 2
    (entry,) = spool.waiting()
    assert entry.is_held
    assert [address for address, _ in entry.waiting] == ["stranger@example.org"]


def test_expired(spool: Spool) -> None:
    """An attempt that ends after queue_lifetime without success is the last: bounced, 4.4.7."""
    spool.settings(queue_lifetime="1d")
    spool.ses.script("service-unavailable", 1)
    spool.drop()
    assert spool.once() == 0
    change(spool, "UPDATE entry SET arrived = arrived - 86400000")
    change(spool, "UPDATE path SET due = 0")
    spool.ses.script("service-unavailable", 1)
    assert spool.once() == 0
    (line,) = spool.lines("status=bounced")
    assert "dsn=4.4.7" in line
    assert "to=<bob@example.org>" in line


def test_old_and_deliverable(spool: Spool) -> None:
    """However old an entry is, it gets its attempt before it expires."""
    spool.settings(queue_lifetime="1d")
    spool.ses.script("service-unavailable", 1)
    spool.drop()
    assert spool.once() == 0
    change(spool, "UPDATE entry SET arrived = 0")
    change(spool, "UPDATE path SET due = 0")
    assert spool.once() == 0
    assert len(spool.ses.state.messages) == 1


def test_a_due_time_absurdly_far_ahead(spool: Spool) -> None:
    """What a wrong clock put off for a year is due at the start."""
    spool.ses.script("service-unavailable", 1)
    spool.drop()
    assert spool.once() == 0
    change(spool, "UPDATE path SET due = due + 31536000000")
    assert spool.once() == 0
    assert len(spool.ses.state.messages) == 1


def test_sigterm_waits_for_the_answer(spool: Spool) -> None:
    """SIGTERM lets the attempt in flight end, writes down its result, and begins nothing new."""
    spool.ses.script(faults.slow(2.0), 1)
    address = str(spool.directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(address)
        supervisor.settimeout(20)
        spool.start(environ={"NOTIFY_SOCKET": address})
        spool.drop("first@example.org")
        spool.ses.state.wait_for_messages(1)
        spool.send(signal.SIGTERM)
        while b"STOPPING=1" not in supervisor.recv(500):
            pass  # a drop could overtake the signal
    spool.drop("second@example.org")
    assert spool.ended() == 0
    assert spool.waiting() == []
    assert len(spool.dropped()) == 1
    assert recipients(spool.ses) == ["first@example.org"]


def test_sigterm_ends_a_pass_when_its_answers_are_there(spool: Spool) -> None:
    """The attempts of ``--once`` in flight get their results; the next pass sends all others."""
    paths = [f"r{number:03}@example.org" for number in range(300)]
    for path in paths:
        spool.drop(path, ring=False)
    spool.ses.script(faults.slow(2.0))
    process = spool.spawn("--once")
    assert process.stderr is not None
    for line in process.stderr:
        spool.log.append(line)
        if "sesmail/qmgr" in line:  # the first hundred are picked up
            process.send_signal(signal.SIGTERM)
            break
    try:
        spool.log += process.communicate(timeout=80)[1].splitlines()
    finally:
        process.kill()
    assert process.returncode == 0
    begun = len(spool.ses.state.messages)
    assert 0 < begun < len(paths)
    assert len(spool.lines("status=sent")) == begun
    spool.ses.script(None)
    assert spool.once() == 0
    assert recipients(spool.ses) == paths


def test_a_secret_as_kubernetes_mounts_it(spool: Spool) -> None:
    """Links into ``..data``, itself a link to a directory; and a directory that somebody made.

    A new version of the secret is another directory, to which ``..data`` leads from one moment on.
    """
    spool.ses.state.keys[OTHER_KEY_ID] = SECRET
    file = spool.credentials / "example.com"
    versioned = spool.credentials / "..2026_11_24"
    versioned.mkdir()
    file.rename(versioned / "example.com")
    (spool.credentials / "..data").symlink_to(versioned.name)
    file.symlink_to("..data/example.com")
    assert spool.check() == (0, "")
    (spool.credentials / "old").mkdir()
    code, text = spool.check()
    assert code == 78
    assert f"{spool.credentials}/old: not a regular file" in text
    spool.start()
    spool.drop()
    spool.wait_for_log("status=sent")
    newer = spool.credentials / "..2026_11_25"
    newer.mkdir()
    text = (versioned / "example.com").read_text()
    (newer / "example.com").write_text(text.replace(KEY_ID, OTHER_KEY_ID))
    (spool.credentials / "..data_tmp").symlink_to(newer.name)
    (spool.credentials / "..data_tmp").rename(spool.credentials / "..data")
    reread.tell(spool.load(), IDENTITY)
    spool.drop()
    spool.wait_for_log("status=sent", times=2)
    assert [one.key_id for one in spool.ses.state.messages] == [KEY_ID, OTHER_KEY_ID]
    assert spool.stop() == 0


def test_sighup(spool: Spool) -> None:
    """SIGHUP reads the settings again; wrong ones are told and leave it as it was."""
    spool.start()
    spool.settings(on_ambiguous="perhaps")
    spool.send(signal.SIGHUP)
    (line,) = spool.wait_for_log("the settings stay as they were")
    assert "line" in line
    spool.settings(on_ambiguous="hold")
    spool.send(signal.SIGHUP)
    spool.wait_for_log("settings and credentials are read again")
    spool.ses.script("internal-failure", 1)
    spool.drop()
    spool.wait_for_log("error: held:")
    assert spool.waiting()[0].is_held


def test_identities_do_not_starve_each_other(spool: Spool) -> None:
    """Mail of one identity is not behind the long queue, held to a rate, of another."""
    spool.use_api("max_send_rate = 2")
    spool.use_api(identity="other.example")
    spool.ses.state.identities.add("other.example")
    for number in range(50):
        spool.drop(f"r{number}@example.org", ring=False)
    spool.start()
    spool.ses.state.wait_for_messages(1)
    spool.drop("quick@example.org", author="a@other.example", identity="other.example")
    spool.wait(lambda: "quick@example.org" in recipients(spool.ses), "mail of the other identity")
    assert len(spool.ses.state.messages) < 50


@pytest.mark.root
def test_uids_do_not_starve_each_other(spool: Spool) -> None:
    """One mail of a uid is not behind the long queue of another uid with the same identity."""
    spool.use_api("max_send_rate = 2")
    for number in range(50):
        spool.drop(f"r{number}@example.org", ring=False)
    queue_id = spool.drop("quick@example.org", ring=False)
    os.chown(spool.drop_directory / queue_id, 33, -1)
    spool.start()
    spool.wait(lambda: "quick@example.org" in recipients(spool.ses), "mail of the other uid")
    assert len(spool.ses.state.messages) < 50


def test_check(spool: Spool) -> None:
    """--check finds nothing wrong, or names the file and the line of everything that is."""
    assert spool.check() == (0, "")
    spool.settings(minimal_backof="1s")
    spool.identity("broken.example", "", "aws_acess_key_id = x")
    code, lines = spool.check()
    assert code == EX_CONFIG
    assert f"{spool.configuration}, line 6: unknown key 'minimal_backof'" in lines
    assert f"{spool.credentials}/broken.example, line 2: unknown key" in lines
    assert spool.ses.state.counts["connection"] == 0


def test_a_limit_that_was_lowered(spool: Spool) -> None:
    """What was accepted under a larger message_size_limit is sent all the same."""
    spool.drop("r@example.org", text="Text.\n" * 500_000)
    spool.settings(message_size_limit="1K")
    assert spool.once() == 0
    assert recipients(spool.ses) == ["r@example.org"]


def test_a_damaged_queue(spool: Spool) -> None:
    """A database that cannot be read is moved aside, with a line that says so; mail goes on."""
    (spool.queue_directory / "queue.db").write_bytes(b"garbage" * 5000)
    spool.start()
    (line,) = spool.wait_for_log("moved aside")
    (path,) = spool.queue_directory.glob("queue.db.damaged-*")
    assert f"warning: {path} could not be read" in line
    assert "sesmailctl queue salvage" in line
    spool.drop("r@example.org")
    spool.ses.state.wait_for_messages(1)
    assert "moved aside" in spool.check()[1]


def test_readiness(spool: Spool, tmp_path: Path) -> None:
    """The supervisor hears READY=1 once mail can be taken, and STOPPING=1 at SIGTERM."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(address)
        supervisor.settimeout(20)
        spool.start(environ={"NOTIFY_SOCKET": address})
        assert supervisor.recv(500).startswith(b"READY=1\nSTATUS=")
        spool.send(signal.SIGTERM)
        told = b""
        while b"STOPPING=1" not in told:
            told = supervisor.recv(500)
        assert spool.ended() == 0


def test_the_spool_was_replaced(spool: Spool) -> None:
    """A daemon whose drop is no longer that of the path ends with 74, to be started again."""
    spool.start()
    spool.drop_directory.rename(spool.directory / "old")
    spool.drop_directory.mkdir(0o3733)
    spool.send(signal.SIGHUP)
    assert spool.ended() == EX_IOERR


def test_idle_without_the_libraries(spool: Spool) -> None:
    """botocore comes with the first mail for the API, email-validator with an unusual address."""
    interpreter, *words = spool.command
    spool.command = (interpreter, "-X", "importtime", *words)
    spool.start()
    assert imported(spool) == set()
    spool.drop("bob@example.org")
    spool.wait_for_log("status=sent")
    assert imported(spool) == {"botocore"}
    spool.drop("o'brien@example.org")
    spool.wait_for_log("status=sent", times=2)
    assert imported(spool) == {"botocore", "email_validator"}


def imported(spool: Spool) -> set[str]:
    """Return which of these the daemon has imported, started with -X importtime."""
    names = {line.rpartition("|")[2].strip() for line in spool.lines("import time:")}
    return names & {"botocore", "email_validator"}
