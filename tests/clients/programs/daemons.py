"""What runs jobs and watches a host: cron, anacron, at, sudo, smartd, mdadm, fail2ban."""

from __future__ import annotations

from tests.clients.program import PLAIN, TEXT, UTF8, Program

# A job's child of the daemon lives until its sendmail has ended.
_JOB_ENDS = """
until [ -e /tmp/job-ended ]; do sleep 0.1; done
while pgrep -P $daemon >/dev/null; do sleep 0.1; done
kill $daemon
"""
_SMARTD = {
    "SMARTD_MAILER": "mail",
    "SMARTD_ADDRESS": "bob@example.net",
    "SMARTD_MESSAGE": "Device: /dev/sda, 8 Currently unreadable (pending) sectors",
    "SMARTD_FAILTYPE": "CurrentPendingSector",
    "SMARTD_SUBJECT": "SMART error (CurrentPendingSector) detected on host: host",
    "SMARTD_DEVICE": "/dev/sda",
    "SMARTD_DEVICESTRING": "/dev/sda",
    "SMARTD_DEVICETYPE": "ata",
    "SMARTD_DEVICEINFO": "ACME DISK",
    "SMARTD_FULLMESSAGE": "8 pending sectors",
    "SMARTD_PREVCNT": "0",
}
_SMARTD_WORDS = " ".join(f"{name}='{value}'" for name, value in _SMARTD.items())
_FAIL2BAN_JAIL = """
[DEFAULT]
banaction = none
[web]
enabled = true
backend = polling
logpath = /var/log/web
filter = sshd
action = sendmail[name=web, dest=bob@example.net, sender=fail2ban@DOMAIN]
"""
_NO_START = "[Definition]\nactionstart =\nactionstop =\n"


def _cron(table: str) -> str:
    return (
        "rm -f /run/crond.reboot /tmp/job-ended /etc/cron.d/*\n"
        f"crontab -u alice - <<'END'\n{table}\nEND\n"
        f"cron -f & daemon=$!\n{_JOB_ENDS}crontab -u alice -r\n"
    )


ROWS = {
    "cron": Program(
        _cron("@reboot cat utf8; touch /tmp/job-ended"),
        relayed_to=("alice@host.DOMAIN",),
        author="root@host.DOMAIN",
        fields={
            "To": "alice@host.DOMAIN",
            "Subject": "Cron <alice@host> cat utf8; touch /tmp/job-ended",
        },
        body=UTF8,
        user="root",
        login="alice",
        failure=None,
    ),
    "cron-mailto": Program(
        _cron(
            "MAILTO=ops@example.net,bob@example.net\nMAILFROM=cron@DOMAIN\n"
            "@reboot cat utf8; touch /tmp/job-ended"
        ),
        to=("ops@example.net", "bob@example.net"),
        author="cron@DOMAIN",
        fields={"To": "ops@example.net, bob@example.net"},
        body=UTF8,
        user="root",
        login="alice",
        failure=None,
    ),
    "anacron": Program(
        "printf '1 0 job cat /root/plain\\n' >tab; rm -rf spool; mkdir spool\n"
        "anacron -d -f -n -q -t tab -S spool",
        relayed_to=("root@host.DOMAIN",),
        author="root@host.DOMAIN",
        fields={"From": "Anacron <root@host.DOMAIN>"},
        body=PLAIN,
        user="root",
        failure=None,
        prints=True,
    ),
    "at": Program(
        "rm -f /tmp/job-ended\n"
        "su - alice -c 'echo \"cat text; touch /tmp/job-ended\" | at now 2>/dev/null'\n"
        f"atd -f & daemon=$!\n{_JOB_ENDS}",
        relayed_to=("alice@host.DOMAIN",),
        author="alice@host.DOMAIN",
        fields={"To": "alice@host.DOMAIN"},
        body=TEXT,
        user="root",
        login="alice",
        failure=None,
    ),
    "sudo": Program(
        "echo wrong | sudo -S /usr/bin/id 2>/dev/null || :",
        author="sudo@DOMAIN",
        fields={"To": "bob@example.net"},
        body=None,
        has="alice : user NOT in sudoers",
        files={
            "/etc/sudoers": "Defaults mailto=bob@example.net, mailfrom=sudo@DOMAIN\n"
            "Defaults !fqdn\nroot ALL=(ALL:ALL) ALL\n"
        },
        failure=None,
        prints=True,
    ),
    "smartd": Program(
        f"env -i PATH=/usr/local/bin:/usr/bin:/bin {_SMARTD_WORDS}"
        " /usr/share/smartmontools/smartd_warning.sh",
        author="root@host.DOMAIN",
        fields={"Subject": "SMART error (CurrentPendingSector) detected on host: host"},
        body=None,
        has="8 Currently unreadable (pending) sectors",
        user="root",
        failure="sendmail: ",
    ),
    "mdadm": Program(
        "mdadm --monitor --test --oneshot --config=/root/mdadm.conf /dev/md0",
        author="mdadm@DOMAIN",
        fields={"To": "bob@example.net", "Subject": "TestMessage event on /dev/md0:host.DOMAIN"},
        body=None,
        has="A TestMessage event had been detected on md device /dev/md0.",
        user="root",
        files={"/root/mdadm.conf": "MAILADDR bob@example.net\nMAILFROM mdadm@DOMAIN\n"},
        failure=None,
        prints=True,
    ),
    "fail2ban": Program(
        "rm -f /root/fail2ban.log; : >/var/log/web\n"
        "run='-c /etc/fail2ban -s /root/fail2ban.socket -p /root/fail2ban.pid'\n"
        "fail2ban-server $run -b --logtarget /root/fail2ban.log start >/dev/null\n"
        "fail2ban-client $run set web banip 192.0.2.7 >/dev/null\n"
        "until grep -q 'Ban 192.0.2.7' /root/fail2ban.log; do sleep 0.1; done\n"
        "fail2ban-client $run stop >/dev/null\n"
        "grep -E 'ERROR|sendmail: ' /root/fail2ban.log || :",
        sender="fail2ban@DOMAIN",
        author="fail2ban@DOMAIN",
        fields={"From": "Fail2Ban <fail2ban@DOMAIN>", "To": "bob@example.net"},
        body=None,
        has="The IP 192.0.2.7 has just been banned by Fail2Ban",
        user="root",
        files={
            "/etc/fail2ban/jail.local": _FAIL2BAN_JAIL,
            "/etc/fail2ban/jail.d/defaults-debian.conf": "",
            "/etc/fail2ban/fail2ban.local": "[Definition]\nallowipv6 = no\ndbfile = None\n",
            "/etc/fail2ban/action.d/none.conf": "[Definition]\n",
            "/etc/fail2ban/action.d/sendmail-common.local": _NO_START,
        },
        failure="returned (69|78)",
        fails_silently=True,
    ),
}
