# shellcheck shell=bash
# What each process may know.

SECRETS=$(dirname "${BASH_SOURCE[0]}")/secrets

secrets_of() { # [NAME]: those of one process, else of all; a name a line
    local name rest
    grep -v '^#' "$SECRETS" | while read -r name rest; do
        [ -n "${1:-}" ] && [ "$name" != "$1" ] || printf '%s\n' "$rest" | tr ' ' '\n'
    done
}

is_one_of() { # VARIABLE PATTERNS: as the settings are read, however they are capitalized
    local pattern
    while IFS= read -r pattern; do
        # shellcheck disable=SC2254
        case $1 in $pattern) return 0 ;; esac
    done <<<"$2"
    return 1
}

forget_secrets() { # NAME: takes what that process does not need out of the environment, for which this shell should be its own
    local all own variable
    all=$(secrets_of)
    own=$(secrets_of "$1")
    shopt -s nocasematch
    for variable in $(compgen -e); do
        if is_one_of "$variable" "$all" && ! is_one_of "$variable" "$own"; then unset "$variable"; fi
    done
    shopt -u nocasematch
}
