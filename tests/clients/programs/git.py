"""git send-email, git's post-receive-email hook, and Mercurial's patchbomb."""

from __future__ import annotations

from tests.clients.program import Program

_THREE = ("bob@example.net", "carol@example.net", "dave@example.net")
_FAILED = "[Dd]ied|Can't|failed|error"
_REPOSITORY = """
rm -rf work && git init -q work && cd work
git config user.name 'Alice Müller'; git config user.email alice@DOMAIN
printf 'a\\n' >a; git add a; git commit -q -m first
printf 'a\\nä\\n.\\n' >a; git commit -q -a -m 'Grüße: change a'
"""
_SEND = "git format-patch -q -1 -o out && git send-email -q --confirm=never --to=bob@example.net"
_FIELDS = {"Subject": "[PATCH] Grüße: change a", "To": "bob@example.net"}


def _send_email(arguments: str, environ: str = "") -> str:
    return f"{_REPOSITORY}{environ}{_SEND} {arguments} out/*.patch"


def _patch(arguments: str, sender: str | None, to: tuple[str, ...] = _THREE[:1]) -> Program:
    return Program(
        _send_email(arguments),
        to=to,
        sender=sender,
        fields={**_FIELDS, "From": "Alice Müller <alice@DOMAIN>"},
        body=None,
        has="\n+ä\n+.\n-- \n",
        failure=_FAILED,
        prints=True,
    )


ROWS = {
    "git-send-email": _patch(
        "--cc=carol@example.net --bcc=dave@example.net --suppress-cc=all", None, _THREE
    ),
    "git-send-email-command": _patch(
        "--suppress-cc=all --sendmail-cmd='/usr/sbin/sendmail -f bounce@DOMAIN'", "bounce@DOMAIN"
    ),
    "git-send-email-path": _patch(
        "--suppress-cc=all --smtp-server=/usr/sbin/sendmail --envelope-sender=bounce@DOMAIN",
        "bounce@DOMAIN",
    ),
    "git-send-email-option": _patch(
        "--suppress-cc=all --smtp-server-option=-odb --envelope-sender=auto", "alice@DOMAIN"
    ),
    "git-post-receive-email": Program(
        f"{_REPOSITORY}"
        "cd .. && rm -rf bare && git init -q --bare bare && cd bare\n"
        "git config hooks.mailinglist list@example.net\n"
        "git config hooks.envelopesender commits@DOMAIN\n"
        "echo 'Test repository' >description\n"
        "(cd ../work && git push -q ../bare HEAD~1:refs/heads/master)\n"
        "install /usr/share/git-core/contrib/hooks/post-receive-email hooks/post-receive\n"
        "cd ../work && git push -q ../bare HEAD:refs/heads/master",
        to=("list@example.net",),
        sender="commits@DOMAIN",
        author="commits@DOMAIN",
        body=None,
        has="Grüße: change a",
        failure="sendmail: ",
        fails_silently=True,
    ),
    "mercurial-patchbomb": Program(
        "rm -rf hg && hg init hg && cd hg && echo a >a && hg add -q a && hg commit -m 'Change a'"
        " && hg email -q --config extensions.patchbomb= --config email.from=alice@DOMAIN"
        " --config email.method=/usr/sbin/sendmail -t bob@example.net -c carol@example.net"
        " --bcc dave@example.net -r tip </dev/null",
        to=_THREE,
        sender="alice@DOMAIN",
        fields={"To": "bob@example.net", "Cc": "carol@example.net"},
        body=None,
        has="# HG changeset patch\n",
        failure="abort: ",
        environ={"HGUSER": "Alice <alice@DOMAIN>"},
        prints=True,
    ),
}
