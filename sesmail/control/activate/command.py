"""``sesmailctl activate`` and ``sesmailctl deactivate``."""

from __future__ import annotations

import argparse
import os

from sesmail.control import verb
from sesmail.control.activate import memory, own, ways
from sesmail.control.activate.memory import ALTERNATIVES, ASIDE, DIVERSIONS, Memory
from sesmail.control.activate.ways import PACKAGE, SENDMAIL, Plan
from sesmail.control.verb import Context, Verbs
from sesmail.sysexits import NotPermitted

_FOR_PHP = "php-fpm and Apache read it when they are restarted"
_BY_PACKAGE = "the Debian package sesmail does this by itself; apt remove sesmail undoes it"
_BY_NOBODY = "nothing was activated by sesmailctl activate"
_IS_DONE = {
    PACKAGE: _BY_PACKAGE,
    DIVERSIONS: f"{SENDMAIL} is sesmail; what packages bring as it is {SENDMAIL}.distrib",
    ALTERNATIVES: f"{SENDMAIL} is sesmail, the first of the alternatives",
    ASIDE: f"{SENDMAIL} is sesmail; before a package brings another: sesmailctl deactivate",
    "php": f"PHP calls sesmail, and nothing else does; {_FOR_PHP}",
}


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    parser = verb.add(verbs, "activate", f"make sesmail {SENDMAIL}", _activate)
    _add_dry_run(parser)
    parser.add_argument(
        "--php-only", action="store_true", help="let PHP call sesmail, and change nothing else"
    )
    parser = verb.add(verbs, "deactivate", "undo what activate did", _deactivate)
    _add_dry_run(parser)


def _add_dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")


def _activate(context: Context, arguments: argparse.Namespace) -> None:
    _need_root("activate")
    remembered = memory.load()
    installed = own.find(remembered.target)
    if arguments.php_only:
        plan = ways.php_activation(remembered, installed)
    else:
        plan = ways.activation(remembered, installed, context.settings)
    _carry_out(context, arguments, plan)
    if not arguments.dry_run:
        context.terminal.say(_IS_DONE[plan.way])


def _deactivate(context: Context, arguments: argparse.Namespace) -> None:
    _need_root("deactivate")
    remembered = memory.load()
    installed = own.find(remembered.target)
    _carry_out(context, arguments, ways.deactivation(remembered, installed))
    if remembered == Memory():
        context.terminal.say(_BY_PACKAGE if ways.is_packaged() else _BY_NOBODY)
    elif remembered.php and not arguments.dry_run:
        context.terminal.say(f"PHP calls {SENDMAIL} again; {_FOR_PHP}")


def _carry_out(context: Context, arguments: argparse.Namespace, plan: Plan) -> None:
    if arguments.dry_run:
        for step in plan.steps:
            context.terminal.say(step.planned)
        if not plan.steps:
            context.terminal.say("would change nothing")
    else:
        ways.carry_out(plan, context.terminal.say)
    steps = [step.planned if arguments.dry_run else step.done for step in plan.steps]
    context.terminal.result({"way": plan.way, "dry_run": arguments.dry_run, "steps": steps})


def _need_root(name: str) -> None:
    if os.geteuid() != 0:
        raise NotPermitted(f"only root can change {SENDMAIL}; sudo sesmailctl {name}")
