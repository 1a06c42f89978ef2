"""The SES stand-in as a program: says where it listens and shows each mail that it accepted.

The first line of its output has the addresses as `name=value` words; the ready file has the same,
one a line, fit for a shell to read.  SIGTERM and SIGINT end it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from .ses import KEY_ID, SECRET, SesServer
from .state import Accepted


def main() -> None:
    """Serve until a signal comes."""
    arguments = _arguments()
    signals = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread starts, so that sigtimedwait below is the only place they end up.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    keys = dict(key.partition(":")[::2] for key in arguments.key or [f"{KEY_ID}:{SECRET}"])
    with SesServer(
        region=arguments.region, identities=arguments.identity, keys=keys, port=arguments.port
    ) as ses:
        words = _addresses(ses)
        if arguments.once_ready_file:
            _announce(Path(arguments.once_ready_file), words)
        print("listening", " ".join(words), flush=True)
        shown, ended = 0, False
        while not ended:
            ended = signal.sigtimedwait(signals, 0.05) is not None
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.fakes.ses", description="A stand-in for SES.")
    parser.add_argument("--port", type=int, default=0, help="port of the API (default: any)")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--identity", action="append", default=[], help="verified; may repeat")
    parser.add_argument("--key", action="append", metavar="ID:SECRET", help="may repeat")
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
