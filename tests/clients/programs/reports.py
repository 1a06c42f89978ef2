"""Reports of a host: logwatch, logcheck, rkhunter, popularity-contest, and of its upgrades."""

from __future__ import annotations

from tests.clients.program import Program

_UPGRADE = """\
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
loader = SourceFileLoader('upgrade', '/usr/bin/unattended-upgrade')
module = module_from_spec(spec_from_loader('upgrade', loader))
loader.exec_module(module)
code = module._send_mail_using_sendmail('root', 'bob@example.net', 'upgraded', 'Grüße\\n.\\nend\\n')
raise SystemExit(code)
"""
_AUTH = "Nov 24 02:00:00 host sshd[9]: Failed password for root from 192.0.2.1 port 22 ssh2\n"

# A repository with a newer mpack, and nothing else to upgrade from.
_REPOSITORY = """
rm -rf /srv/repository /etc/apt/sources.list.d/*; mkdir -p /srv/repository/mpack/DEBIAN
cd /srv/repository; chmod 755 . mpack mpack/DEBIAN
printf '%s\\n' 'Package: mpack' 'Version: 99' 'Architecture: all' 'Maintainer: a <a@example.com>' \\
  'Description: newer' >mpack/DEBIAN/control
dpkg-deb -b mpack mpack.deb >/dev/null
{ cat mpack/DEBIAN/control; echo Filename: ./mpack.deb; stat -c 'Size: %s' mpack.deb
  sha256sum mpack.deb | sed 's/ .*//; s/^/SHA256: /'; } >Packages
echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list
"""

ROWS = {
    "apticron": Program(
        f"{_REPOSITORY}apticron",
        author="apticron@DOMAIN",
        fields={"To": "bob@example.net"},
        body=None,
        has="mpack 99",
        user="root",
        files={
            "/etc/apticron/apticron.conf": "EMAIL=bob@example.net\nCUSTOM_FROM=apticron@DOMAIN\n"
            "IPADDRESSNUM=0\nNOTIFY_NO_UPDATES=0\n"
        },
        failure=None,
        prints=True,
    ),
    "logwatch": Program(
        "logwatch --output mail --mailto bob@example.net --service sshd --range all"
        " --hostname host.DOMAIN",
        author="root@host.DOMAIN",
        fields={"To": "bob@example.net", "Subject": "Logwatch for host.DOMAIN (Linux)"},
        body=None,
        has="192.0.2.1",
        user="root",
        files={"/var/log/auth.log": _AUTH},
        failure=None,
        prints=True,
    ),
    "logcheck": Program(
        "chmod 644 /var/log/odd; rm -rf /var/lib/logcheck/offset*\n"
        "su -s /bin/sh logcheck -c 'logcheck -o -t -l /var/log/odd' >/dev/null;"
        "su -s /bin/sh logcheck -c 'logcheck -m bob@example.net -l /var/log/odd'",
        author="logcheck@host.DOMAIN",
        fields={"To": "bob@example.net"},
        body=None,
        has="something odd",
        user="root",
        login="logcheck",
        files={"/var/log/odd": "Nov 24 02:00:00 host kernel: something odd\n"},
        failure="sendmail: ",
        prints=True,
    ),
    "rkhunter": Program(
        "chmod 755 /usr/bin/rkhunter; CRON_DAILY_RUN=yes sh /etc/cron.daily/rkhunter",
        author="root@host.DOMAIN",
        fields={"To": "bob@example.net", "Subject": "[rkhunter] host.DOMAIN - Daily report"},
        body="Warning: something odd\n",
        user="root",
        files={
            "/usr/bin/rkhunter": "#!/bin/sh\necho Warning: something odd\n",
            "/etc/default/rkhunter": "CRON_DAILY_RUN=yes\nREPORT_EMAIL=bob@example.net\n",
        },
        failure=None,
    ),
    "popularity-contest": Program(
        "rm -f /var/log/popularity-contest* /var/lib/popularity-contest/*\n"
        "sh /etc/cron.daily/popularity-contest --crond",
        sender="popcon@DOMAIN",
        author="popcon@DOMAIN",
        fields={"Subject": "popularity-contest submission"},
        body=None,
        has="POPULARITY-CONTEST-0 ",
        user="root",
        files={
            "/etc/popularity-contest.conf": "PARTICIPATE=yes\nUSEHTTP=no\nENCRYPT=no\n"
            "MY_HOSTID=00000000000000000000000000000000\nDAY=0\n"
            "MAILTO=bob@example.net\nMAILFROM=popcon@DOMAIN\n",
        },
        failure=None,
    ),
    "unattended-upgrades": Program(
        f"python3 - <<'END'\n{_UPGRADE}END",
        author="root@host.DOMAIN",
        fields={"To": "bob@example.net", "Subject": "upgraded"},
        body="Grüße\n.\nend\n",
        user="root",
        failure="sendmail: ",
    ),
}
