"""The image of packaging/container: alone, beside sesmaild, with a role; its root is read-only.

How the containers are made, and why not by `buildah run`, is in `image`.
"""

from __future__ import annotations

import email
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs

import pytest
from cryptography import x509

from tests.fakes.certificates import Authority
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.fakes.state import Accepted
from tests.installation import CHECKOUT
from tests.packages.image import Container, Image, finish, terminate

ROLE_KEY, ROLE_TOKEN = "ASIAROLEROLEROLEROLE", "role-token"
STS = "sts.us-east-1.amazonaws.com"
STS_ADDRESS = "127.0.0.77"  # of loopback, and nobody's
END = "2099-01-01T00:00:00Z"
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
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image, built once."""
    return Image(tmp_path_factory.mktemp("image"))


@pytest.fixture
def ses() -> Iterator[SesServer]:
    """The stand-in, without a limit of rate."""
    with SesServer(identities=["example.com"]) as server:
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


def test_the_root_is_read_only(image: Image, ses: SesServer) -> None:
    """What the others show, they show on such a root."""
    with Container(image) as container:
        container.secret(credentials(ses), 0o440)
        code, said = finish(container.start("touch", "/etc/sesmail/new"))
    assert code != 0
    assert "Read-only file system" in said


@pytest.mark.parametrize("source", ["ECS", "EKS"])
@pytest.mark.parametrize("uid", [0, 12345])
@pytest.mark.parametrize("is_beside", [False, True])
def test_role(image: Image, ses: SesServer, source: str, uid: int, is_beside: bool) -> None:
    """(c) Temporary keys of a role reach SES, from the foreground and from sesmaild.

    In the foreground a role counts for root and for the owner of the credentials file.
    """
    ses.state.keys = {ROLE_KEY: SECRET}
    ses.state.session_tokens[ROLE_KEY] = ROLE_TOKEN
    with Container(image, has_spool=is_beside) as container, Agent(container) as agent:
        container.secret(credentials(ses, has_key=False), 0o444, uid=0 if is_beside else uid)
        (container.shared / "token").write_text("from-the-file")
        environ = agent.ecs if source == "ECS" else agent.eks
        words = ["php", "-r", SEND]
        if is_beside:
            change = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
            words = ["with-sesmaild", *(change if uid else []), *words]
        code, said = finish(container.start(*words, uid=0 if is_beside else uid, env=environ))
        asked = agent.asked
    assert code == 0, said
    assert "internal error" not in said
    assert [message.key_id for message in ses.state.messages] == [ROLE_KEY], said
    assert set(asked) == {(source, "from-the-file")}


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
        terminate(process)
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
        terminate(process)
        code, said = finish(process)
    assert (code, len(sent)) == (0, 1), said


def test_compose_names_what_is_there() -> None:
    """Each service's Dockerfile exists, and the stop time is what sesmaild asks for."""
    directory = CHECKOUT / "packaging/container"
    load = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    text = (directory / "compose.yaml").read_text()
    command = ["/usr/bin/python3", "-c", load]
    composed = json.loads(
        subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True).stdout
    )
    assert set(composed["services"]) == {"alone", "beside", "role"}
    for service in composed["services"].values():
        context = directory / service["build"]["context"]
        assert (context / service["build"]["dockerfile"]).exists()
        assert service["read_only"] is True
    assert composed["services"]["beside"]["stop_grace_period"] == "75s"


class Agent:
    """What gives a container its role: ECS's agent, and STS under its own name and certificate."""

    def __init__(self, container: Container) -> None:
        self.asked: list[tuple[str, str]] = []  # who was asked, and with which token
        authority = Authority("Stand-in of Amazon's CA")
        pem = container.mounts / "sts.pem"
        pem.write_bytes(authority.issue([x509.DNSName(STS)]))
        (container.mounts / "ca.pem").write_bytes(authority.pem())
        (container.mounts / "hosts").write_text(f"127.0.0.1 localhost\n{STS_ADDRESS} {STS}\n")
        self._ecs = _Server(("127.0.0.1", 0), self)
        self._sts = _Server((STS_ADDRESS, 443), self)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self._sts.socket = context.wrap_socket(self._sts.socket, server_side=True)
        self._threads = [threading.Thread(target=s.serve_forever) for s in (self._ecs, self._sts)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server, thread in zip((self._ecs, self._sts), self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()

    @property
    def ecs(self) -> dict[str, str]:
        """The variables of ECS, and of EKS Pod Identity."""
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{self._ecs.server_port}/keys",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/mnt/token",
        }

    @property
    def eks(self) -> dict[str, str]:
        """The variables of a role for an EKS service account."""
        return {
            "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/mail",
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/mnt/token",
        }


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], agent: Agent) -> None:
        super().__init__(address, _Answer)
        self.agent = agent


class _Answer(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Give the keys as ECS does."""
        self.server.agent.asked.append(("ECS", self.headers.get("Authorization", "")))
        keys = {"AccessKeyId": ROLE_KEY, "SecretAccessKey": SECRET, "Token": ROLE_TOKEN}
        self._answer(json.dumps(keys | {"Expiration": END}))

    def do_POST(self) -> None:
        """Give the keys as AssumeRoleWithWebIdentity does."""
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert asked["Action"] == ["AssumeRoleWithWebIdentity"]
        self.server.agent.asked.append(("EKS", asked["WebIdentityToken"][0]))
        name = "AssumeRoleWithWebIdentity"
        self._answer(
            f'<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{name}Result>'
            f"<Credentials><AccessKeyId>{ROLE_KEY}</AccessKeyId>"
            f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{ROLE_TOKEN}</SessionToken>"
            f"<Expiration>{END}</Expiration></Credentials></{name}Result></{name}Response>"
        )

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""
