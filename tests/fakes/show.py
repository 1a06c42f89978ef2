"""The SES stand-in as a program: says where it listens and shows each mail that it accepted.

The first line of its output has the addresses as `name=value` words; the ready file has the same,
one a line, fit for a shell to read.  SIGTERM and SIGINT end it.

With --zone it is the DNS as well: its records are those of a file, and identities are verified as
soon as that has their DKIM records.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path

from .dns import DnsServer
from .ses import KEY_ID, SECRET, SesServer
from .state import HEALTHY, PROBATION, SHUTDOWN, Accepted, State
from .zone import Zone


def main() -> None:
    """Serve until a signal comes."""
    arguments = _arguments()
    signals = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread starts, so that sigtimedwait below is the only place they end up.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    keys = dict(key.partition(":")[::2] for key in arguments.key or [f"{KEY_ID}:{SECRET}"])
    with contextlib.ExitStack() as stack:
        ses = stack.enter_context(
            SesServer(
                region=arguments.region,
                identities=arguments.identity,
                keys=keys,
                port=arguments.port,
            )
        )
        _configure(ses.state, arguments)
        words = _addresses(ses)
        zone = None
        if arguments.zone:
            zone = Zone(Path(arguments.zone), stack.enter_context(DnsServer()))
            _refresh(zone)
            ses.state.verify_when_dns(zone.server)
            words.append(f"dns={zone.server.address}")
        if arguments.once_ready_file:
            _announce(Path(arguments.once_ready_file), words)
        print("listening", " ".join(words), flush=True)
        shown, ended = 0, False
        while not ended:
            ended = signal.sigtimedwait(signals, 0.05) is not None
            if zone is not None:
                _refresh(zone)
            accepted = ses.state.accepted_since(shown)
            shown += len(accepted)
            if arguments.show:
                sys.stdout.write("".join(describe(one) for one in accepted))
                sys.stdout.flush()


def describe(accepted: Accepted) -> str:
    """The mail for a person to read: how it came, for whom, header section and body."""
    tags = " ".join(f"{name}={value}" for name, value in accepted.tags.items())
    lines = [
        f"--- accepted by {accepted.interface}: {accepted.message_id}",
        f"source:            {accepted.source}",
        f"destinations:      {', '.join(accepted.destinations)}",
        f"configuration set: {accepted.configuration_set or '-'}",
        f"tags:              {tags or '-'}",
        "",
        accepted.raw.decode("utf-8", "backslashreplace").replace("\r\n", "\n").rstrip("\n"),
        "---",
    ]
    return "\n".join(lines) + "\n"


def _refresh(zone: Zone) -> None:
    wrong = zone.refresh()
    if wrong:
        print(wrong, file=sys.stderr, flush=True)


def _configure(state: State, arguments: argparse.Namespace) -> None:
    state.verify_after = arguments.verify_after
    state.sandbox = arguments.sandbox
    state.max_24_hour_send = arguments.quota
    state.max_send_rate = arguments.rate
    state.enforcement = arguments.enforcement
    state.clock_offset = arguments.clock_offset
    for address in arguments.suppress:
        state.suppress(address)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.fakes.ses", description="A stand-in for SES.")
    parser.add_argument("--port", type=int, default=0, help="port of the API (default: any)")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--identity", action="append", default=[], help="verified; may repeat")
    parser.add_argument("--key", action="append", metavar="ID:SECRET", help="may repeat")
    parser.add_argument(
        "--verify-after", type=float, metavar="SECONDS", help="until new identities are verified"
    )
    parser.add_argument("--zone", metavar="FILE", help="be the DNS too, with this file's records")
    parser.add_argument("--sandbox", action="store_true", help="no production access")
    parser.add_argument("--quota", type=float, default=-1.0, help="recipients per 24 hours")
    parser.add_argument("--rate", type=float, help="recipients per second")
    parser.add_argument(
        "--enforcement",
        choices=(HEALTHY, PROBATION, SHUTDOWN),
        default=HEALTHY,
        help="SES's verdict",
    )
    parser.add_argument("--suppress", action="append", default=[], metavar="ADDRESS")
    parser.add_argument("--clock-offset", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--once-ready-file", metavar="FILE", help="written when it listens")
    parser.add_argument("--show", action="store_true", help="print each mail that it accepts")
    return parser.parse_args()


def _addresses(ses: SesServer) -> list[str]:
    return [
        f"api_url={ses.api_url}",
        f"api_tls_url={ses.api_tls_url}",
        f"smtp_host={ses.smtp_host}",
        f"smtps_port={ses.smtps_port}",
        f"starttls_port={ses.starttls_port}",
        f"ca_file={ses.ca_file}",
    ]


def _announce(path: Path, words: list[str]) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text("\n".join(words) + "\n")
    os.replace(partial, path)
