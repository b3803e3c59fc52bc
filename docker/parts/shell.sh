# shellcheck shell=bash
# What run, test and docker/provision share: saying things, remembered settings, ports, processes.
# Needs nothing but bash and coreutils, so that it works on a machine that has only the .NET SDK.

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
version() { say "Signup $(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$ROOT/Directory.Build.props")"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# --- settings: one KEY=value a line; values may hold ; and =, so the files are parsed, never sourced ---

setting() { # FILE KEY: prints the value; fails where there is none
    local line
    [ -f "$1" ] || return 1
    while IFS= read -r line; do
        case $line in "$2="*)
            printf '%s' "${line#*=}"
            return 0
            ;;
        esac
    done <"$1"
    return 1
}

recall() { setting "$STATE/settings.env" "$1"; }

remember() { # KEY VALUE: for the next start, too; readable by the owner only, since keys and passwords are among them
    local file=$STATE/settings.env
    (
        umask 077
        { grep -v "^$1=" "$file" 2>/dev/null || true; } >"$file.new"
        printf '%s=%s\n' "$1" "$2" >>"$file.new"
        mv -f "$file.new" "$file"
    )
}

secret() { # KEY: prints it; made of 32 random bytes, in base64, the first time
    recall "$1" || {
        remember "$1" "$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
        recall "$1"
    }
}

password() { # KEY: like secret, but safe inside a URI and a connection string
    recall "$1" || {
        remember "$1" "$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')"
        recall "$1"
    }
}

one_of() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac } # NAME NAMES

settings_set() { compgen -e | grep -E '^([A-Za-z]+__|ASPNETCORE_|AWS_|OTEL_|DOTNET_ENVIRONMENT$)' || true; } # the names of those in the environment

forget_settings() { # but for where the parts are: those that somebody has for ./run must not change what is tested or shown, nor send mail to anyone
    local name
    for name in $(settings_set | grep -vE '^(ConnectionStrings__(RabbitMq|Postgres)|RabbitMq__ManagementUrl)$' || true); do unset "$name"; done
}

# --- ports ---

port_taken() { (exec 3<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null; } # PORT [ADDRESS]

# Whether another KEY has it, whose owner may not be up yet.
port_promised() { # PORT [KEY]
    { grep -v "^${2:-}=" "$STATE/settings.env" 2>/dev/null || true; } | grep "_PORT=$1\$" >/dev/null
}

free_port() { # below the usual ephemeral range, so that no outgoing connection takes it between two starts
    local port
    while :; do
        port=$((20000 + (RANDOM << 15 | RANDOM) % 12000))
        port_promised "$port" || port_taken "$port" || break
    done
    printf '%s' "$port"
}

port_for() { # KEY [PREFERRED]: the remembered port unless something else took it or is to get it, the preferred one, or any
    local port
    if ! port=$(recall "$1") || port_promised "$port" "$1" || port_taken "$port"; then
        port=${2:-}
        if [ -z "$port" ] || port_promised "$port" "$1" || port_taken "$port"; then port=$(free_port); fi
        remember "$1" "$port"
    fi
    printf '%s' "$port"
}

http_status() { # URL PATH [USER:PASSWORD]: prints the status code, 000 where nothing answers
    local address=${1#*://} host port line auth=
    address=${address##*@}
    address=${address%%/*}
    host=${address%:*}
    port=${address##*:}
    [ "$port" != "$address" ] || port=80
    case $1 in https://*)
        curl --silent --insecure --max-time 5 --output /dev/null --write-out '%{http_code}' "${1%/}$2" 2>/dev/null || true
        return
        ;;
    esac
    [ -z "${3:-}" ] || auth="Authorization: Basic $(printf '%s' "$3" | base64 | tr -d '\n')"$'\r\n'
    line=$(
        exec 2>/dev/null 3<>"/dev/tcp/$host/$port" || exit 0
        printf 'GET %s HTTP/1.0\r\nHost: %s\r\n%s\r\n' "$2" "$address" "$auth" >&3
        IFS= read -r -t 5 line <&3 && printf '%s' "$line"
    ) 2>/dev/null || true
    line=${line#* }
    printf '%s' "${line:0:3}" | grep -E '^[0-9]{3}$' || printf '000'
}

# --- processes ---

is_process() { # PID MARK: runs, and its command line holds MARK; a number that another process got meanwhile, or a zombie, is not ours
    [ -n "${1:-}" ] || return 1
    if [ -d /proc/self ]; then
        # Not grep on the file itself: arguments are separated by NUL there.
        [ -r "/proc/$1/cmdline" ] && tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF -- "$2"
    else
        ps -o command= -p "$1" 2>/dev/null | grep -qF -- "$2"
    fi
}

pid_in() { # FILE: prints the process id kept there
    local pid=
    { [ -f "$1" ] && read -r pid <"$1" && [ -n "$pid" ] && printf '%s' "$pid"; } 2>/dev/null
}

detached() { # PIDFILE LOG COMMAND…: starts it in a session of its own, so that Ctrl-C in the terminal reaches only the one who supervises it
    local pidfile=$1 log=$2 own=
    shift 2
    mkdir -p "$(dirname "$pidfile")" "$(dirname "$log")"
    ! command -v setsid >/dev/null || own=setsid
    # 8 and 9 are the locks of run and docker/provision: what they start must not keep them.
    $own "$@" </dev/null >>"$log" 2>&1 8>&- 9>&- &
    printf '%s\n' "$!" >"$pidfile.new"
    mv -f "$pidfile.new" "$pidfile"
    # The shell then does not print "Killed" for it, but still reaps it.
    disown "$!"
}

end_process() { # PIDFILE MARK SIGNAL SECONDS: asks, waits, then kills; a stale file is only removed
    local pid ticks=$(($4 * 10))
    if pid=$(pid_in "$1") && is_process "$pid" "$2"; then
        kill "-$3" "$pid" 2>/dev/null || true
        while is_process "$pid" "$2"; do
            if [ "$ticks" -le 0 ]; then
                warn "$(basename "$1" .pid) did not stop within $4 s: killed"
                kill -KILL "$pid" 2>/dev/null || true
                ticks=100
            fi
            ticks=$((ticks - 1))
            sleep 0.1
        done
    fi
    rm -f "$1"
}

lives() { # PID: without starting a process, since it is asked again and again
    local line
    kill -0 "$1" 2>/dev/null || return 1
    # A zombie is dead, whoever has yet to reap it.
    ! read -r line 2>/dev/null <"/proc/$1/stat" || case ${line##*) } in Z*) return 1 ;; esac
}

gone() { # COMMAND…: fails, twice: a process that was just started, or is becoming another program, does not show what it is for a moment
    ! "$@" && sleep 0.5 && ! "$@"
}

limited() { # SECONDS COMMAND…: ended after that time, and killed where it does not heed that; 124 then
    if command -v timeout >/dev/null; then timeout --kill-after=10 "$@"; else "${@:2}"; fi
}

wait_until() { # SECONDS COMMAND…: true as soon as the command is
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

each_node() { # PART COMMAND…: at each node that the command is about
    local node
    for node in $("$1_nodes"); do
        "$1_at" "$node"
        "${@:2}" || return
    done
}

# --- packages ---

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && grep -qiE 'debian|ubuntu' /etc/os-release 2>/dev/null; }

install_packages() { # NAME…: from the distribution, without starting any service that comes along
    say "Installing $* …"
    local log=$STATE/log/install.log
    mkdir -p "$STATE/log"
    (
        # A package manager stopped halfway leaves a broken machine: let it finish.
        trap '' INT TERM HUP
        export DEBIAN_FRONTEND=noninteractive
        # Debian asks policy-rc.d before it starts a service. One that is there already belongs to the machine's owner.
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
            chmod 755 /usr/sbin/policy-rc.d
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        fi
        # Minutes where a mirror is slow; for ever where it neither answers nor hangs up, or another installation does not end.
        options=(-o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
        limited 300 apt-get "${options[@]}" update && limited 900 apt-get "${options[@]}" install -y --no-install-recommends "$@"
    ) </dev/null >>"$log" 2>&1 9>&- || {
        tail -n 20 "$log" >&2
        die "could not install $*; all of it is in $log"
    }
    # Not at the next boot either: Signup runs instances of its own. Only units that came with this install are touched.
    if [ -d /run/systemd/system ]; then
        local unit
        for unit in "$@"; do
            systemctl disable --quiet "$unit" 2>/dev/null || true
        done
    fi
}
