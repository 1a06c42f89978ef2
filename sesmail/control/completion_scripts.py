"""Scripts that complete sesmailctl's command line in bash, zsh and fish.

Each holds the tree as a table, finds the place by the verbs that were typed, and asks ``sesmailctl
completion`` itself for what only the host knows: the identities, and what waits in the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sesmail.control.command_tree import FILES, Flag, Place, Values

_BASH = """\
# bash completion for sesmailctl; made by `sesmailctl completion bash`.
_sesmailctl() {
    local place= flag= kind= words= word cur=
    local -a typed
    # Not COMP_WORDS: bash parts words at @ and =, too.
    local line=${COMP_LINE:0:COMP_POINT}
    read -ra typed <<<"${line#*"$1"}"
    [[ $line == *[[:space:]] ]] || { cur=${typed[-1]}; unset 'typed[-1]'; }
    for word in "${typed[@]}"; do
        case "$place $word" in
@VERBS@
            place=${place:+$place }$word ;;
        esac
    done
    [[ ${#typed[@]} -eq 0 ]] || flag=${typed[-1]}
    [[ $cur == --*=* ]] && { flag=${cur%%=*}; cur=${cur#*=}; }
    case "$place $flag" in
@VALUES@
    *)
        if [[ $cur == -* ]]; then
            case $place in
@FLAGS@
            esac
        else
            case $place in
@OPERANDS@
            esac
        fi ;;
    esac
    case $kind in
    files)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    ?*) words=$(sesmailctl completion "$kind" 2>/dev/null) ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    # bash puts the part behind the last @ in place of what it takes for the word.
    if [[ $cur == *@* && $COMP_WORDBREAKS == *@* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${cur%%"${cur##*@}"}"}")
    fi
}
complete -F _sesmailctl sesmailctl
"""

_ZSH = """\
#compdef sesmailctl
# zsh completion for sesmailctl; made by `sesmailctl completion zsh`.
_sesmailctl() {
    local place= flag= kind= word
    local -a offered
    for word in ${words[2,CURRENT-1]}; do
        case "$place $word" in
@VERBS@
            place=${place:+$place }$word ;;
        esac
    done
    flag=${words[CURRENT-1]}
    if [[ $PREFIX == --*=* ]]; then
        flag=${PREFIX%%=*}
        compset -P '*='
    fi
    case "$place $flag" in
@VALUES@
    *)
        if [[ $PREFIX == -* ]]; then
            case $place in
@FLAGS@
            esac
        else
            case $place in
@OPERANDS@
            esac
        fi ;;
    esac
    case $kind in
    files) _files ;;
    ?*) compadd -- ${(f)"$(sesmailctl completion $kind 2>/dev/null)"} ;;
    *) _describe sesmailctl offered ;;
    esac
}
_sesmailctl "$@"
"""

_FISH = """\
# fish completion for sesmailctl; made by `sesmailctl completion fish`.
function __sesmailctl_place
    set -l place
    for word in (commandline -opc)[2..-1]
        switch "$place $word"
            case @VERBS@
                set place (string trim "$place $word")
        end
    end
    test "$place" = "$argv[1]"
end
complete -c sesmailctl -f
@LINES@
"""


def bash(places: list[Place]) -> str:
    """Return the script for bash."""
    return _script(_BASH, places, _bash_offer)


def zsh(places: list[Place]) -> str:
    """Return the script for zsh."""
    return _script(_ZSH, places, _zsh_offer)


def fish(places: list[Place]) -> str:
    """Return the script for fish."""
    verbs = " ".join(_quoted(verb) for verb in _verbs(places))
    return _FISH.replace("@VERBS@", verbs).replace("@LINES@", "\n".join(_fish_lines(places)))


SCRIPTS = {"bash": bash, "zsh": zsh, "fish": fish}


# bash and zsh.


def _script(
    template: str,
    places: list[Place],
    offer: Callable[[Mapping[str, str]], str],
) -> str:
    """Fill a template; ``offer`` is the command that offers words, which have lines of help."""

    def choice(values: Values | None) -> str:
        if values is None:
            return ""
        return f"kind={values.kind}" if values.kind else offer(dict.fromkeys(values.words, ""))

    flags = [(place.name, {flag.name: flag.text for flag in place.flags}) for place in places]
    tables = {
        "@VERBS@": " |\\\n".join(f"        {_quoted(verb)}" for verb in _verbs(places)) + ")",
        "@VALUES@": "\n".join(
            f"    {_quoted(f'{place.name} {flag.name}')}) {choice(flag.values) or ':'} ;;"
            for place in places
            for flag in place.flags
            if flag.values is not None
        ),
        "@FLAGS@": "\n".join(_case(name, offer(words)) for name, words in flags),
        "@OPERANDS@": "\n".join(
            _case(place.name, offer(place.following) or choice(place.operand)) for place in places
        ),
    }
    for marker, text in tables.items():
        template = template.replace(marker, text)
    return template


def _verbs(places: list[Place]) -> Iterator[str]:
    """Yield each verb behind the place that it may follow, ``" queue"``, ``"queue list"``."""
    for place in places:
        yield from (f"{place.name} {verb}" for verb in place.following)


def _case(pattern: str, action: str) -> str:
    return f"            {_quoted(pattern)}) {action or ':'} ;;"


def _bash_offer(words: Mapping[str, str]) -> str:
    return f"words={_quoted(' '.join(words))}" if words else ""


def _zsh_offer(words: Mapping[str, str]) -> str:
    described = [f"{word}:{text}" if text else word for word, text in words.items()]
    return f"offered=({' '.join(map(_quoted, described))})" if words else ""


# fish.


def _fish_lines(places: list[Place]) -> Iterator[str]:
    for place in places:
        at = f"complete -c sesmailctl -n {_quoted(f'__sesmailctl_place {_quoted(place.name)}')}"
        for verb, text in place.following.items():
            yield f"{at} -a {_quoted(verb)} -d {_quoted(text)}"
        for flag in place.flags:
            yield f"{at} -l {flag.name.lstrip('-')} -d {_quoted(flag.text)}{_fish_value(flag)}"
        if place.operand is not None and (offered := _fish_offered(place.operand)):
            yield f"{at} {offered}"


def _fish_value(flag: Flag) -> str:
    if flag.values is None:
        return ""
    if flag.values.kind == FILES:
        return " -r -F"
    return f" -x {_fish_offered(flag.values)}".rstrip()


def _fish_offered(values: Values) -> str:
    if values.kind == FILES:
        return "-F"
    if values.kind:
        return f"-a {_quoted(f'(sesmailctl completion {values.kind})')}"
    return f"-a {_quoted(' '.join(values.words))}" if values.words else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
