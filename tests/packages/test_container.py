"""The image of packaging/container: alone, beside sesmaild, with a role; its root is read-only.

How the containers are made, and why not by `buildah run`, is in `image`. Their network is the
test's own, where who gives a role is at the addresses of the real ones.
"""

from __future__ import annotations

import email
import json
import signal
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs

import pytest
from cryptography import x509

from sesmail import launch
from tests.fakes import role
from tests.fakes.certificates import Authority
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.fakes.state import Accepted
from tests.installation import CHECKOUT
from tests.packages.image import Container, Image, finish, tell
from tests.packages.network import network

STS = "sts.us-east-1.amazonaws.com"
ECS_ADDRESS, EKS_ADDRESS = "169.254.170.2", "169.254.170.23"
ECS_PATH, EKS_PATH = "/v2/credentials/4ac1f9d0-6d5e", "/v1/credentials"
_BELOW_32 = (1 << 31) - 1  # of a set of signals; those above are the C library's own
ASSUME = "AssumeRoleWithWebIdentity"
TOKEN_FILE = "/mnt/token"
# What sets which variables, who is then asked for what, and the token that is shown.
SOURCES = {
    "ECS": (
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": ECS_PATH},
        (ECS_ADDRESS, ECS_PATH, ""),
    ),
    "ECS-full-URI": (
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{ECS_ADDRESS}{ECS_PATH}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "of-the-variable",
        },
        (ECS_ADDRESS, ECS_PATH, "of-the-variable"),
    ),
    "EKS-Pod-Identity": (
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{EKS_ADDRESS}{EKS_PATH}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": TOKEN_FILE,
        },
        (EKS_ADDRESS, EKS_PATH, "of-the-file"),
    ),
    "EKS-web-identity": (
        {
            "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/mail",
            "AWS_WEB_IDENTITY_TOKEN_FILE": TOKEN_FILE,
        },
        (STS, ASSUME, "of-the-file"),
    ),
}
SEND = (
    "exit(mail('bob@example.org', 'Hello', 'Text', 'From: wiki@example.com',"
    " '-f wiki@example.com') ? 0 : 1);"
)

# Shell: wait until sesmaild listens; one that does not within 30 s ends the program.
LISTENS = (
    "tries=0; until [ -S /var/spool/sesmail/run/control ]; do"
    " tries=$((tries + 1)); [ $tries -lt 300 ] || exit 9; sleep 0.1; done"
)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The image, built once. Its gigabytes do not stay, as what is in pytest's directory does."""
    with tempfile.TemporaryDirectory(prefix="sesmail-image-") as directory:
        yield Image(Path(directory))


@pytest.fixture
def ses(image: Image) -> Iterator[SesServer]:
    """The stand-in, without a limit of rate. Here the test's own network begins."""
    with network(ECS_ADDRESS, EKS_ADDRESS), SesServer(identities=["example.com"]) as server:
        server.state.max_send_rate = 10_000.0
        yield server


def credentials(ses: SesServer, *, has_key: bool = True) -> str:
    """Return a credentials file for the stand-in."""
    key = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
    rest = f"region = us-east-1\ntransport = api\nendpoint_url = {ses.api_url}\n"
    return (key if has_key else "") + rest


def subject(message: Accepted) -> str:
    """Return the Subject of a mail that the stand-in took."""
    return str(email.message_from_bytes(message.raw)["Subject"])


def test_nothing_of_the_build_is_left(image: Image) -> None:
    """No compiler, no cache of pip and no list of apt."""
    tree = image.tree
    left = ("usr/bin/cc", "usr/bin/make", "source", "root/.cache", "var/lib/apt/lists/lock")
    assert [name for name in left if (tree / name).exists()] == []


@pytest.mark.parametrize(
    ("uid", "group", "mode", "gid"),
    [(0, 0, 0o440, 0), (12345, 12345, 0o444, 0), (12345, 2000, 0o440, 2000)],
    ids=["root", "odd-uid", "odd-uid-and-fsGroup"],
)
def test_alone(image: Image, ses: SesServer, uid: int, group: int, mode: int, gid: int) -> None:
    """(a) PHP sends in the foreground, without a spool, with a secret that Kubernetes mounted."""
    with Container(image) as container:
        container.secret(credentials(ses), mode, gid)
        code, said = finish(container.start("php", "-r", SEND, uid=uid, group=group))
    assert (code, said) == (0, "")
    assert len(ses.state.messages) == 1


@pytest.mark.parametrize("uid", [0, 12345])
def test_alone_with_a_spool(image: Image, ses: SesServer, uid: int) -> None:
    """(a) What SES does not take for now waits on the volume; the next container sends it."""
    with Container(image, has_spool=True) as container:
        container.secret(credentials(ses), 0o444)
        assert finish(container.start("sesmailctl", "init"))[0] == 0
        ses.script("quota")
        assert finish(container.start("php", "-r", SEND, uid=uid))[0] == 0
        assert [path.stat().st_uid for path in container.dropped()] == [uid]
        ses.script(None)
        assert ses.state.messages == []
        assert finish(container.start("sesmaild", "--once"))[0] == 0
        assert container.dropped() == []
    assert len(ses.state.messages) == 1


def test_alone_without_a_spool(image: Image, ses: SesServer) -> None:
    """(a) What SES does not take fails: nothing could be lost with the container."""
    ses.script("quota")
    with Container(image) as container:
        container.secret(credentials(ses), 0o444)
        code, said = finish(container.start("php", "-r", SEND, uid=12345))
    assert code == 1
    assert "not sent, not queued" in said


def test_nothing_but_the_spool_can_be_written(image: Image, ses: SesServer) -> None:
    """What the others show, they show in such a container."""
    places = ("/etc/sesmail", "/etc/sesmail/credentials", "/tmp", "/run", "/mnt", "/var/tmp")
    with Container(image, has_spool=True) as container:
        container.secret(credentials(ses), 0o440)
        for place in places:
            code, said = finish(container.start("touch", f"{place}/new"))
            assert code != 0
            assert "Read-only file system" in said
        assert finish(container.start("touch", "/var/spool/sesmail/new"))[0] == 0


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("uid", [0, 12345])
@pytest.mark.parametrize("is_beside", [False, True])
def test_role(image: Image, ses: SesServer, source: str, uid: int, is_beside: bool) -> None:
    """(c) Temporary keys of a role reach SES, from the foreground and from sesmaild.

    In the foreground a role counts for root and for the owner of the credentials file.
    """
    role.let_in(ses.state)
    environ, expected = SOURCES[source]
    with Container(image, has_spool=is_beside) as container, Agents(container) as agents:
        container.secret(credentials(ses, has_key=False), 0o444, uid=0 if is_beside else uid)
        (container.shared / "token").write_text("of-the-file")
        words = ["php", "-r", SEND]
        if is_beside:
            change = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
            words = ["with-sesmaild", *(change if uid else []), *words]
        code, said = finish(container.start(*words, uid=0 if is_beside else uid, env=environ))
    assert code == 0, said
    assert "internal error" not in said
    assert [message.key_id for message in ses.state.messages] == [role.ROLE_KEY], said
    assert set(agents.asked) == {expected}


@pytest.mark.parametrize("uid", [0, 12345])
def test_sigterm_loses_nothing(image: Image, ses: SesServer, uid: int) -> None:
    """(b) SIGTERM with 50 mails in the drop: all are at SES when the container has ended.

    The program stops sesmaild (SIGSTOP) as soon as it listens, so that all lie in the drop.
    """
    change = f"setpriv --reuid={uid} --regid={uid} --clear-groups" if uid else ""
    program = f"""
        trap 'kill -CONT $daemon; exit 7' TERM
        daemon=$(cut -d ' ' -f 1 /proc/1/task/1/children)
        {LISTENS}
        kill -STOP $daemon
        {change} php -r 'for ($i = 0; $i < 50; $i++) mail("bob@example.org", "Number $i", "Text",
            "From: wiki@example.com") || exit(1);' || exit 1
        ls /var/spool/sesmail/drop | wc -l
        while :; do sleep 1000 & wait $!; done
    """
    with Container(image, has_spool=True) as container:
        container.secret(credentials(ses), 0o440, 990)
        process = container.start("with-sesmaild", "sh", "-c", program)
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")  # what sesmailctl init made comes first
        assert next((line for line in lines if line[0].isdigit()), "") == "50\n"
        assert ses.state.messages == []
        tell(process, signal.SIGTERM)
        code, said = finish(process)
    assert code == 7, said
    subjects = [subject(message) for message in ses.state.messages]
    assert sorted(subjects) == sorted(f"Number {number}" for number in range(50))


def test_a_daemon_that_dies_is_started_again(image: Image, ses: SesServer) -> None:
    """Mail is sent after a SIGKILL of sesmaild, while the program goes on."""
    program = f"""
        trap 'exit 0' TERM
        {LISTENS}
        rm /var/spool/sesmail/run/control
        kill -KILL $(cut -d ' ' -f 1 /proc/1/task/1/children)
        {LISTENS}
        php -r 'mail("bob@example.org", "Hello", "Text", "From: wiki@example.com") || exit(1);'
        sleep 1000 & wait $!
    """
    with Container(image, has_spool=True) as container:
        container.secret(credentials(ses), 0o440, 990)
        process = container.start("with-sesmaild", "sh", "-c", program)
        sent = ses.state.wait_for_messages(1, 30)
        tell(process, signal.SIGTERM)
        code, said = finish(process)
    assert (code, len(sent)) == (0, 1), said


def test_signals_are_handed_on(image: Image, ses: SesServer) -> None:
    """(b) Each to the program, whose code is the container's; it ignores and blocks none itself."""
    signals = ("HUP", "INT", "QUIT", "USR1", "USR2", "WINCH")
    program = f"""
        for signal in {" ".join(signals)}; do trap "echo SIG$signal" $signal; done
        trap 'exit 5' TERM
        grep -E '^Sig(Blk|Ign):' /proc/self/status
        echo ready
        while :; do sleep 1000 & wait $!; done
    """
    with Container(image, has_spool=True) as container:
        container.secret(credentials(ses), 0o440, 990)
        process = container.start("with-sesmaild", "bash", "-c", program)
        assert process.stdout is not None
        lines = [line.split() for line in iter(process.stdout.readline, "ready\n")]
        sets = {words[0]: int(words[1], 16) for words in lines if words[0].startswith("Sig")}
        assert {name: numbers & _BELOW_32 for name, numbers in sets.items()} == {
            "SigBlk:": 0,
            "SigIgn:": 0,
        }
        for name in signals:
            tell(process, signal.Signals[f"SIG{name}"])
            assert process.stdout.readline() == f"SIG{name}\n"
        tell(process, signal.SIGTERM)
        code, said = finish(process)
    assert code == 5, said


def test_a_long_queue_does_not_outlast_the_stop_time(image: Image, ses: SesServer) -> None:
    """(b) After --drain the pass begins nothing more; the next container sends the rest, once."""
    ses.state.max_send_rate = 1.0
    send = SEND.replace("exit(", "for ($i = 0; $i < 50; $i++) (").replace(
        " ? 0 : 1)", " || exit(1))"
    )
    with Container(image, has_spool=True) as container:
        container.secret(credentials(ses), 0o440, 990)
        code, said = finish(container.start("with-sesmaild", "--drain", "1", "php", "-r", send))
        assert code == 0, said
        assert len(ses.state.messages) < 50
        ses.state.max_send_rate = 10_000.0
        process = container.start("with-sesmaild", "sleep", "1000")
        ses.state.wait_for_messages(50, 60)
        tell(process, signal.SIGTERM)
        code, said = finish(process)
    assert code == 128 + signal.SIGTERM, said
    ids = [message.tags["sesmail-id"] for message in ses.state.messages]
    assert len(ids) == len(set(ids)) == 50


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ((), 64, "usage: with-sesmaild"),
        (("--drain",), 64, "usage: with-sesmaild"),
        (("--drain", "soon", "true"), 64, "usage: with-sesmaild"),
        (("no-such-program",), 127, "cannot run 'no-such-program'"),
    ],
)
def test_what_with_sesmaild_cannot_run(
    image: Image, ses: SesServer, words: tuple[str, ...], code: int, text: str
) -> None:
    """One line, and the exit code of a shell."""
    with Container(image, has_spool=True) as container:
        container.secret(credentials(ses), 0o440, 990)
        found, said = finish(container.start("with-sesmaild", *words))
    assert (found, said.count(text)) == (code, 1), said


def test_compose() -> None:
    """docker-compose takes the file, and what it names is there."""
    file = CHECKOUT / "packaging/container/compose.yaml"
    command = ["docker-compose", "-f", str(file), "config"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    load = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    command = ["/usr/bin/python3", "-c", load]  # docker-compose has that parser, too
    text = subprocess.run(command, input=done.stdout, stdout=subprocess.PIPE, text=True).stdout
    services = json.loads(text)["services"]
    assert set(services) == {"alone", "beside", "role"}
    for service in services.values():
        assert Path(service["build"]["context"]) == CHECKOUT
        assert (CHECKOUT / service["build"]["dockerfile"]).exists()
        assert service["read_only"] is True
    assert services["beside"]["stop_grace_period"] == "75s"
    assert set(services["role"]["environment"]) == set(launch.ROLE_VARIABLES)


class Agents:
    """Who gives a role: ECS's agent, EKS's, and STS under its own name and certificate.

    ``asked`` has of each request host, path or action, and the token.
    """

    def __init__(self, container: Container) -> None:
        self.asked: list[tuple[str, str, str]] = []
        authority = Authority("Stand-in of Amazon's CA")
        pem = container.mounts / "sts.pem"
        pem.write_bytes(authority.issue([x509.DNSName(STS)]))
        (container.mounts / "ca.pem").write_bytes(authority.pem())
        (container.mounts / "hosts").write_text(f"127.0.0.1 localhost {STS}\n")
        self._servers = [
            _Server(address, self)
            for address in ((ECS_ADDRESS, 80), (EKS_ADDRESS, 80), ("127.0.0.1", 443))
        ]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        sts = self._servers[-1]
        sts.socket = context.wrap_socket(sts.socket, server_side=True)
        self._threads = [threading.Thread(target=one.serve_forever) for one in self._servers]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], agents: Agents) -> None:
        super().__init__(address, _Answer)
        self.agents = agents


class _Answer(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Give the keys as the agents do."""
        self._note(self.path, self.headers.get("Authorization", ""))
        self._answer(json.dumps(role.ROLE_KEYS))

    def do_POST(self) -> None:
        """Give the keys as STS does."""
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        (action,), (token,) = asked["Action"], asked["WebIdentityToken"]
        self._note(action, token)
        names = {"Token": "SessionToken"}
        fields = {names.get(name, name): value for name, value in role.ROLE_KEYS.items()}
        text = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        self._answer(
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<{action}Result><Credentials>{text}</Credentials></{action}Result></{action}Response>"
        )

    def _note(self, what: str, token: str) -> None:
        self.server.agents.asked.append((self.headers["Host"], what, token))

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""
