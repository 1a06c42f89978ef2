"""What a caller waits for: ours, an empty Python, a naive script, and the programs of others.

All of them lead to the same stand-in, through a proxy that is a network of 0 or 25 ms. Some speak
with it while the caller waits; the others queue, as we do. They take turns, so that the machine is
the same for all, and their rows are ratios to an empty Python, below which no Python program gets.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench import flushes, rows
from tests.bench.delay import Delay
from tests.bench.peers import Peers
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.bench.spawner import FILE, FLOOR, PIPE, Command
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.host import Host
from tests.installation import Installation, compile_program
from tests.spool import IDENTITY, RECIPIENT, Spool

NAME = "wait"
FAR = 0.025  # seconds, there and back
PAUSE = 0.02  # seconds, in which daemons do what no caller waits for
SMALL, MIDDLE, LARGE = 2_000, 200_000, 20_000_000  # bytes
TRUE = Command("/bin/true", ["/bin/true"])
DROP, RELAY = "sesmail, drop", "sesmail, relay to /bin/true"
API, SMTP = "sesmail, foreground by API", "sesmail, foreground by SMTP"
NAIVE = "naive boto3 script"
_SENDING_NOTHING = (TRUE.name, FLOOR.name, RELAY)
_SLICES = 4  # of each series of small messages
_PATIENCE = 60.0  # seconds for a message to arrive
BARS = {
    DROP: rows.at_most(1.7, "a web page that sends mail waits for it"),
    RELAY: rows.at_most(1.5, "all mail that is none of SES's pays it"),
}
START = "what an interpreter does not take, reading our modules does"
_BEYOND = rows.at_most(1.0, "beyond the interpreter's start we cost no more than Postfix")
_PER_MSMTP = rows.at_most(0.1, "the caller does not wait for the network")
_PER_SCRIPT = rows.at_most(0.06, "the caller does not wait for boto3")
_SCRIPT = Path(__file__).with_name("naive.py")
_PATH = {"PATH": "/usr/sbin:/usr/bin"}

Times = dict[str, list[float]]  # seconds by the name of a command, one for each round


def measure(directory: Path, installed: Installation, plan: Plan) -> Iterator[Row]:
    """Yield a row for each program, at each distance and size."""
    with ExitStack() as stack:
        ses = stack.enter_context(SesServer(identities=[IDENTITY]))
        servers = [ses.smtps_port, ses.starttls_port, int(ses.api_tls_url.rpartition(":")[2])]
        delay = stack.enter_context(Delay(servers))
        ours = _Ours(directory, installed, ses, delay)
        stack.callback(ours.close)
        peers = Peers(directory, ses, delay.ports, plan.spawner)
        stack.callback(peers.close)
        yield from (rows.absent(name, why) for name, why in peers.absent.items())
        yield from _Series(ours, peers, delay, ses, plan).all()


class _Ours:
    """Our commands: one spool with a daemon, one host that relays, two without a spool."""

    def __init__(
        self, directory: Path, installed: Installation, ses: SesServer, delay: Delay
    ) -> None:
        self._sendmail = str(installed.sendmail)
        self._ses, self._delay = ses, delay
        self._spool = Spool(directory, ses, command=(installed.command("sesmaild"),))
        self._spool.start()
        relaying = self._host(directory / "relaying", installed)
        compile_program("int main(void) { return 0; }", relaying.real_sendmail)
        api = self._host(directory / "api", installed)
        port = delay.ports[int(ses.api_tls_url.rpartition(":")[2])]
        self._endpoint = f"https://localhost:{port}"
        self._credentials(api, SECRET, "transport = api", f"endpoint_url = {self._endpoint}")
        smtp = self._host(directory / "smtp", installed)
        lines = ("smtp_host = localhost", f"smtp_port = {delay.ports[ses.smtps_port]}")
        self._credentials(
            smtp, ses.smtp_password(), "transport = smtp", "smtp_tls = wrapper", *lines
        )
        self.queueing = [
            self._command(DROP, self._spool.configuration),
            self._command(RELAY, relaying.configuration),
        ]
        self.waiting = [
            self._command(API, api.configuration),
            self._command(SMTP, smtp.configuration),
            self._script(),
        ]

    def close(self) -> None:
        """End the daemon."""
        self._spool.close()

    @property
    def daemon(self) -> int:
        """The process of sesmaild."""
        assert self._spool.process is not None
        return self._spool.process.pid

    def wait_until_sent(self) -> None:
        """Return when the daemon has nothing left to do."""
        self._spool.wait_until_empty(120)

    def _host(self, directory: Path, installed: Installation) -> Host:
        directory.mkdir()
        return Host(directory, installed)

    def _credentials(self, host: Host, secret: str, *lines: str) -> None:
        common = (f"aws_access_key_id = {KEY_ID}", f"aws_secret_access_key = {secret}")
        text = "\n".join([*common, "region = us-east-1", f"ca_file = {self._ses.ca_file}", *lines])
        host.identity(IDENTITY, text + "\n")

    def _command(self, name: str, configuration: Path) -> Command:
        environ = {**_PATH, "SESMAIL_CONFIG": str(configuration)}
        return Command(name, [self._sendmail, "-i", RECIPIENT], environ)

    def _script(self) -> Command:
        environ = {
            **_PATH,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CA_BUNDLE": self._ses.ca_file,
        }
        return Command(NAIVE, [sys.executable, str(_SCRIPT), self._endpoint], environ)


class _Series:
    """The runs of commands in turns, each with its rows."""

    def __init__(self, ours: _Ours, peers: Peers, delay: Delay, ses: SesServer, plan: Plan) -> None:
        self._ours, self._peers, self._delay, self._ses, self._plan = ours, peers, delay, ses, plan
        here = [(peer.waits, peers.command(peer)) for peer in peers.here()]
        self._waiting = [*ours.waiting, *(command for waits, command in here if waits)]
        self._queueing = [
            *ours.queueing,
            *(command for waits, command in here if not waits),
        ]
        self._flushes = self._count_flushes()

    def all(self) -> Iterator[Row]:
        """Yield the rows of all series."""
        plan, everything = self._plan, [TRUE, FLOOR, *self._queueing, *self._waiting]
        few, local = [FLOOR, self._queueing[0], *self._waiting], [TRUE, FLOOR, *self._queueing]
        near: Times = {}
        far: Times = {}
        from_file: Times = {}
        # Slice by slice, so that the minutes of each series are the whole part's.
        slices = plan.count(_SLICES, 1)
        rounds = plan.pairs // slices
        for _ in range(slices):
            plan.sample_floor()
            _add(near, self._times(everything, rounds, SMALL, PIPE))
            self._delay.set_round_trip(FAR)
            _add(far, self._times(few, plan.count(rounds, 3), SMALL, PIPE))
            self._delay.set_round_trip(0.0)
            _add(from_file, self._times(local, rounds, SMALL, FILE))
        yield from self._rows(near, "", with_bars=True)
        yield from _beyond_the_floor(near)
        yield from self._rows(far, ", 25 ms away")
        yield from _beside_those_who_wait(far)
        yield from self._rows(from_file, ", from a file")
        if plan.is_quick:
            return
        plan.sample_floor()
        yield from self._rows(self._times(everything, 50, MIDDLE, PIPE), ", 200 kB")
        yield from self._rows(self._one_by_one(everything, 5, LARGE), ", 20 MB from a file")

    def _times(self, commands: Sequence[Command], rounds: int, size: int, kind: str) -> Times:
        message = self._plan.spawner.message(size)
        spawner = self._plan.spawner
        times = spawner.times(commands, rounds, message=message, kind=kind, pause=PAUSE)
        self._ours.wait_until_sent()
        self._ses.state.messages.clear()  # else they would fill the memory
        return times

    def _one_by_one(self, commands: Sequence[Command], rounds: int, size: int) -> Times:
        """Run each when the message before it is at the stand-in: sending it takes a while."""
        self._plan.sample_floor()
        message = self._plan.spawner.message(size)
        times: Times = {command.name: [] for command in commands}
        for turn in range(rounds):
            for command in commands if turn % 2 else reversed(commands):
                taken = self._plan.spawner.times([command], 1, message=message, kind=FILE)
                times[command.name] += taken[command.name]
                if command.name not in _SENDING_NOTHING:
                    self._ses.state.wait_for_messages(1, _PATIENCE)
                    self._ses.state.messages.clear()
        return times

    def _rows(self, times: Times, what: str, *, with_bars: bool = False) -> Iterator[Row]:
        for name, seconds in times.items():
            facts = {"ms": statistics.median(seconds) * 1000, "flushes": self._flushes[name]}
            bar = BARS.get(name) if with_bars else None
            reason = START if bar else ""
            floor = times[FLOOR.name]
            yield rows.ratio(f"{name}{what}", seconds, floor, facts=facts, bar=bar, missed=reason)

    def _count_flushes(self) -> dict[str, int]:
        """Count for each command, in runs of their own."""
        daemons = {peer.name: self._peers.daemons(peer) for peer in self._peers.here()}
        message, spawner = self._plan.spawner.message(SMALL), self._plan.spawner
        return {
            command.name: flushes.count(spawner, command, daemons.get(command.name, ()), message)
            for command in [TRUE, FLOOR, *self._queueing, *self._waiting]
        }


def _add(times: Times, more: Times) -> None:
    for name, seconds in more.items():
        times.setdefault(name, []).extend(seconds)


def _beyond_the_floor(times: Times) -> Iterator[Row]:
    """Yield what we cost beyond the start of Python, beside what Postfix costs beyond /bin/true."""
    name = "(drop - empty Python) / (Postfix - /bin/true)"
    if "postfix" not in times:
        yield rows.absent(name, "no Postfix")
        return
    ours = _differences(times[DROP], times[FLOOR.name])
    others = _differences(times["postfix"], times[TRUE.name])
    yield rows.ratio(name, ours, others, bar=_BEYOND)


def _beside_those_who_wait(times: Times) -> Iterator[Row]:
    for other, bar in (("msmtp", _PER_MSMTP), (NAIVE, _PER_SCRIPT)):
        name = f"sesmail, drop / {other}, 25 ms away"
        if other in times:
            yield rows.ratio(name, times[DROP], times[other], bar=bar)
        else:
            yield rows.absent(name, f"no {other}")


def _differences(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one - other for one, other in zip(ones, others, strict=True)]
