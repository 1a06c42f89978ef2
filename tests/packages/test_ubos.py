"""The packages for Arch and UBOS: built by makepkg, installed by pacman, used for two sites.

The device is in a network of its own, where Amazon's names and ports lead to the stand-in: what the
app writes is used as it is.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.packages import arch
from tests.packages.network import network
from tests.packages.root import Done, Root
from tests.packages.snapshot import difference

OTHER_KEY_ID = "AKIAI44QH8DHBEXAMPLE"
SERVER = "email-smtp.us-east-1.amazonaws.com"
API = "email.us-east-1.amazonaws.com"
BUNDLE = "/usr/lib/python3/dist-packages/botocore/cacert.pem"  # whom sesmail trusts
CREDENTIALS = "/etc/sesmail/credentials"
NAMES = ("sendmail", "mailq", "newaliases")
PATIENCE = 60.0  # seconds
# What stays by design, and pacman's own records.
LEFT = (
    "/etc/sesmail/",  # credentials
    "/var/spool/sesmail/",  # mail that waits
    *(
        f"/etc/{name}{end}"
        for name in ("passwd", "group", "shadow", "gshadow")
        for end in ("", "-")
    ),
    "/var/log/pacman.log",
    "/var/lib/pacman/",
    "/var/cache/ldconfig/",  # pacman calls ldconfig
    "/var/tmp/",
)


@dataclass(frozen=True)
class Built:
    """The packages: ours, two versions of postfix, and one with the fragments of two sites."""

    ours: arch.Packages
    postfix: tuple[Path, Path]
    former: Path


class Device:
    """A device of UBOS, and the stand-in for SES that its mail server's name leads to."""

    def __init__(self, root: Root, ses: SesServer) -> None:
        self.root = root
        self.ses = ses
        root.write("/etc/hosts", f"127.0.0.1 localhost {SERVER} {API}\n")
        root.write(BUNDLE, Path(ses.ca_file).read_text())

    def install(self, *packages: Path) -> Done:
        """Let pacman install files, or upgrade to them."""
        return arch.pacman(self.root, "-U", *self.root.share(*packages))

    def site(self, operation: str, host: str, key_id: str = KEY_ID, **points: str) -> Done:
        """Run the app's executable as UBOS does."""
        password = self.ses.smtp_password(key_id)
        given = {
            "aws_access_key_id": key_id,
            "aws_secret_key": password,
            "ses_mail_server": SERVER,
        }
        values = {name: {"value": value} for name, value in (given | points).items()}
        variables = {
            "site": {"hostname": host},
            "installable": {"customizationpoints": values},
        }
        self.root.write("/var/tmp/variables", json.dumps(variables), mode=0o600)
        command = ["/ubos/share/amazonses/bin/site", operation, "/var/tmp/variables"]
        done = self.root.run(command, check=False)
        assert points.get("aws_secret_key", password) not in done.stdout + done.stderr
        return done

    def deploy(self, host: str, key_id: str = KEY_ID, **points: str) -> None:
        """Deploy, or again with other values."""
        done = self.site("deploy", host, key_id, **points)
        assert (done.returncode, done.stderr) == (0, "")

    def undeploy(self, host: str) -> None:
        """Undeploy."""
        done = self.site("undeploy", host)
        assert (done.returncode, done.stderr) == (0, "")

    def send(self, host: str) -> None:
        """Send a mail of a site, as its web server does."""
        text = f"From: wiki@{host}\nTo: bob@example.org\nSubject: way\n\nWhich?\n"
        self.root.run("/usr/sbin/sendmail -t", user="www-data", input=text)

    def way(self, host: str) -> str:
        """Send a mail of a site; return the way that it took."""
        self.root.inside("/var/tmp/postfix").unlink(missing_ok=True)
        count = len(self.ses.state.messages)
        self.send(host)
        self.root.run("/usr/bin/sesmaild --once")
        direct = self.root.inside("/var/tmp/postfix").exists()
        assert len(self.ses.state.messages) - count + direct == 1, "each mail takes one way"
        return "directly" if direct else "SES"

    @contextlib.contextmanager
    def daemon(self) -> Iterator[None]:
        """Have sesmaild run, which listens."""
        started = self.root.start("echo $$ >/run/sesmaild.pid; exec /usr/bin/sesmaild")
        self.until("test -S /var/spool/sesmail/run/control", "listens")
        yield
        self.root.run("kill $(cat /run/sesmaild.pid)")
        assert started.wait(PATIENCE) == 0

    def until(self, condition: str, what: str) -> None:
        """Return once a command of the shell succeeds."""
        end = time.monotonic() + PATIENCE
        while self.root.run(condition, check=False).returncode != 0:
            assert time.monotonic() < end, f"not in time: {what}"
            time.sleep(0.05)

    def leads(self) -> set[str]:
        """Return where the names of sendmail lead."""
        return set(self.root.run(["realpath", *(f"/usr/sbin/{n}" for n in NAMES)]).stdout.split())


@pytest.fixture(scope="module")
def built() -> Iterator[Built]:
    """The packages, in a directory that an ordinary user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="sesmail-ubos-") as made:
        directory = Path(made)
        directory.chmod(0o755)
        ours = arch.build(directory)
        postfix = arch.postfix(directory, "1.0"), arch.postfix(directory, "2.0")
        fragments = "mkdir -p etc/amazonses"
        yield Built(ours, postfix, arch.stand_in(directory, "amazonses", "0.12", fragments))


@pytest.fixture
def plain(built: Built) -> Iterator[Device]:
    """A device without any of the packages; the stand-in has two keys and no limit of rate."""
    keys = {KEY_ID: SECRET, OTHER_KEY_ID: SECRET[::-1]}
    names, identities = (SERVER, API), ["example.com", "blog.example.com"]
    with contextlib.ExitStack() as stack:
        root = stack.enter_context(arch.root())
        stack.enter_context(network())
        ses = stack.enter_context(SesServer(identities=identities, keys=keys, names=names))
        ses.state.max_send_rate = 10_000.0
        yield Device(root, ses)


@pytest.fixture
def device(plain: Device, built: Built) -> Device:
    """A device with postfix, sesmail and the app, all in one go as on a new device."""
    plain.install(built.postfix[0], built.ours.sesmail, built.ours.amazonses)
    return plain


def test_packages_leave_the_mail_programs_files_to_it(device: Device) -> None:
    listed = device.root.run("pacman -Qlq sesmail").stdout.split()
    assert "/usr/bin/sesmaild" in listed
    assert not {f"/usr/bin/{name}" for name in NAMES} & set(listed)
    assert not [path for path in listed if path.startswith(("/usr/sbin", "/usr/share/man/man1"))]
    for package in ("sesmail", "amazonses"):
        assert ", 0 altered files" in device.root.run(f"pacman -Qkk {package}").stdout


def test_systemds_hooks_find_user_and_directories_as_they_should_be(
    plain: Device, built: Built
) -> None:
    """They run after the transaction, and the scriptlet before; neither undoes the other's work."""
    done = plain.install(built.ours.sesmail)
    for line in ("Creating system user accounts...", "Creating temporary files..."):
        assert line in done.stdout
    assert plain.root.run("sesmailctl init").stdout == "", "something was to be repaired"


def test_the_app_is_what_its_manifest_says(device: Device) -> None:
    """UBOS finds the executable, and the values that sites have for the former package hold."""
    manifest = json.loads(device.root.read("/ubos/lib/ubos/manifests/amazonses.json"))
    assert (manifest["type"], manifest["cardinality"]) == ("app", "onepersite")
    ((role, items),) = manifest["roles"].items()
    (item,) = items["appconfigitems"]
    assert (role, item["type"]) == ("generic", "exec")
    device.root.run(["test", "-x", f"/ubos/share/amazonses/{item['source']}"])  # or it fails
    points = manifest["customizationpoints"]
    values = {
        "aws_access_key_id": KEY_ID,
        "aws_secret_key": device.ses.smtp_password(),
        "ses_mail_server": points["ses_mail_server"]["default"]["value"],
    }
    assert all(re.search(points.pop(name)["regex"], value) for name, value in values.items())
    assert points == {}
    assert values["ses_mail_server"] == SERVER


def test_upgraded_postfix_is_behind_sesmail_again_and_alone_when_sesmail_goes(
    plain: Device, built: Built
) -> None:
    old, new = built.postfix
    plain.install(old)
    before = plain.root.snapshot()
    plain.install(built.ours.sesmail, built.ours.amazonses)
    assert plain.leads() == {"/usr/bin/sesmail"}
    for package, version in ((new, "2.0"), (old, "1.0")):
        plain.install(package)
        assert plain.leads() == {"/usr/bin/sesmail"}
        assert f"# postfix {version}\n" in plain.root.read("/usr/bin/sendmail.real")
        assert plain.way("example.com") == "directly"
    plain.install(built.ours.sesmail)
    assert plain.leads() == {"/usr/bin/sesmail"}
    arch.pacman(plain.root, "-R", "amazonses", "sesmail")
    assert plain.leads() == {"/usr/bin/sendmail"}
    assert difference(before, plain.root.snapshot(), LEFT) == []


def test_a_mail_program_that_goes_leaves_nothing_and_the_next_one_is_behind_sesmail(
    plain: Device, built: Built
) -> None:
    plain.install(built.ours.sesmail)
    assert not plain.root.inside("/usr/bin/sendmail").exists()
    plain.install(built.postfix[0])
    assert plain.leads() == {"/usr/bin/sesmail"}
    arch.pacman(plain.root, "-R", "postfix")
    found = plain.root.run("find /usr/bin -name '*.real' -o -name sendmail -o -name mailq").stdout
    assert found == ""
    plain.install(built.postfix[1])
    assert plain.leads() == {"/usr/bin/sesmail"}
    arch.pacman(plain.root, "-R", "postfix", "sesmail")
    assert plain.root.run("find /usr/bin -name 'sendmail*' -o -name 'sesmail*'").stdout == ""


def test_a_site_below_another_ones_domain_sends_directly_unless_it_has_the_app(
    device: Device,
) -> None:
    upper, lower = "example.com", "blog.example.com"
    assert (device.way(upper), device.way(lower)) == ("directly", "directly")
    device.deploy(upper)
    assert (device.way(upper), device.way(lower)) == ("SES", "directly")
    device.deploy(lower)
    assert (device.way(upper), device.way(lower)) == ("SES", "SES")
    device.undeploy(upper)
    assert (device.way(upper), device.way(lower)) == ("directly", "SES")
    device.undeploy(lower)
    assert (device.way(upper), device.way(lower)) == ("directly", "directly")


def test_a_running_daemon_goes_by_a_deployment_when_it_returns(device: Device) -> None:
    """The next mail has the new key, by either interface, and after all goes directly."""
    expected = []
    with device.daemon():
        for key_id in (KEY_ID, OTHER_KEY_ID) * 5:
            device.deploy("example.com", key_id)
            device.send("example.com")
            expected.append((key_id, "smtp"))
            device.ses.state.wait_for_messages(len(expected), PATIENCE)
        device.deploy("example.com", KEY_ID, aws_secret_key=SECRET)
        device.send("example.com")
        expected.append((KEY_ID, "v2"))
        device.ses.state.wait_for_messages(len(expected), PATIENCE)
        device.undeploy("example.com")
        device.send("example.com")
        assert device.root.inside("/var/tmp/postfix").exists()
    assert [(one.key_id, one.interface) for one in device.ses.state.messages] == expected


def test_what_waited_for_the_right_values_is_sent_when_they_come(device: Device) -> None:
    """A wrong password holds the site's mail; the redeployment ends that."""
    with device.daemon():
        device.deploy("example.com", aws_secret_key=device.ses.smtp_password(OTHER_KEY_ID))
        device.send("example.com")
        device.until("mailq | grep -q '[0-9A-F]!'", "held")
        device.deploy("example.com")
        device.ses.state.wait_for_messages(1, PATIENCE)


def test_a_daemon_that_does_not_answer_does_not_fail_a_deployment(device: Device) -> None:
    """The file is written, and the one line says what may be late; nobody waits for ever."""
    with device.daemon():
        device.root.run("rm /var/spool/sesmail/control")
        done = device.site("deploy", "example.com")
        assert done.returncode == 0
        assert done.stderr.startswith("amazonses: done, but perhaps not in use for a second yet: ")
        assert done.stderr.count("\n") == 1
    assert device.way("example.com") == "SES"


def test_what_a_deployment_writes(device: Device) -> None:
    password = device.ses.smtp_password()
    device.site("deploy", "example.com", ses_mail_server=" email-smtp.eu-west-1.amazonaws.com ")
    path = f"{CREDENTIALS}/example.com"
    assert sorted(device.root.read(path).splitlines()) == [
        f"aws_access_key_id = {KEY_ID}",
        f"aws_secret_access_key = {password}",
        "region = eu-west-1",
        "smtp_host = email-smtp.eu-west-1.amazonaws.com",
    ]
    assert device.root.run(["stat", "-c", "%a %U:%G", path]).stdout == "640 root:sesmail\n"
    device.site("deploy", "example.com", aws_secret_key=SECRET)
    assert "smtp_host" not in device.root.read(path), "an access key is not for SMTP"


@pytest.mark.parametrize(
    ("host", "points", "remedy"),
    [
        ("*", {}, "give the site a host name"),
        ("example.com", {"ses_mail_server": "mail.example.net"}, "correct the site's"),
        ("example.com", {"ses_mail_server": ""}, "ses_mail_server.value is missing"),
        ("localhost", {}, "such as example.com"),
        ("../example.com", {}, "such as example.com"),
    ],
)
def test_a_site_that_could_not_send_is_refused_with_a_remedy(
    device: Device, host: str, points: dict[str, str], remedy: str
) -> None:
    done = device.site("deploy", host, **points)
    assert done.returncode != 0
    assert remedy in done.stderr
    assert done.stderr.count("\n") == 1
    assert device.root.run(f"ls {CREDENTIALS}").stdout == ""


def test_undeploying_what_was_never_deployed_ends_well(device: Device) -> None:
    device.undeploy("*")
    device.undeploy("example.com")


def test_sites_of_the_former_package_are_taken_over_once(plain: Device, built: Built) -> None:
    password = plain.ses.smtp_password()
    plain.install(built.postfix[0], built.former)
    for name, text in (
        ("smtp_sasl_password_map.d", f"{KEY_ID}:{password}"),
        ("sender_dependent_relayhost_map.d", f"[{SERVER}]:587"),
    ):
        line = rf"/.*@example\.com/ {text}" + "\n"
        plain.root.write(f"/etc/amazonses/{name}/s1234", line, mode=0o600)
    done = plain.install(built.ours.sesmail, built.ours.amazonses)
    assert password not in done.stdout + done.stderr
    assert password not in plain.root.read("/var/log/pacman.log")
    assert f"aws_secret_access_key = {password}\n" in plain.root.read(f"{CREDENTIALS}/example.com")
    plain.undeploy("example.com")
    plain.install(built.ours.amazonses)
    assert plain.root.run(f"ls {CREDENTIALS}").stdout == ""
