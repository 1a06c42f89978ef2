"""Debian's Postfix in a Machine, relaying everything to one loopback port; no DNS, no listener."""

from __future__ import annotations

from tests.clients.machine import Machine

_SETTINGS = {
    "compatibility_level": "3.6",
    "myhostname": "host.example.com",
    "mydestination": "",
    "myorigin": "/etc/mailname",
    "inet_interfaces": "loopback-only",
    "inet_protocols": "ipv4",
    "smtp_dns_support_level": "disabled",
    "smtp_host_lookup": "native",
    "alias_maps": "",
    "alias_database": "hash:/etc/aliases",
    "maillog_file": "/var/log/postfix.log",
}


def start(machine: Machine, port: int) -> None:
    """Write the settings and start the daemons; returns when Postfix says that they run."""
    settings = {**_SETTINGS, "relayhost": f"[127.0.0.1]:{port}"}
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    machine.write("/etc/postfix/main.cf", "".join(lines))
    # The one of the package listens on 25, and wants a chroot that the boot script fills.
    services = (machine.root / "usr/share/postfix/master.cf.dist").read_bytes()
    machine.write("/etc/postfix/master.cf", services)
    machine.run(["postconf", "-F", "*/*/chroot=n"], "root", check=True)
    machine.run(["postconf", "-MX", "smtp/inet"], "root", check=True)
    machine.run(
        ["postconf", "-M", "postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd"],
        "root",
        check=True,
    )
    machine.run(["postfix", "start"], "root", check=True)


def stop(machine: Machine) -> None:
    """Stop the daemons and wait for them."""
    machine.run(["postfix", "stop"], "root", check=True)


def log(machine: Machine) -> str:
    """The end of Postfix's own log."""
    lines = (machine.root / "var/log/postfix.log").read_text().splitlines()
    return "\n".join(lines[-20:])
