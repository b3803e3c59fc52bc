# shellcheck shell=bash
# For tests: each node on a host of its own, a network namespace with its address, so that its cable can be pulled. Linux only, as root, with iproute2. Without it, all are at 127.0.0.1.

has_network() { recall NETWORK >/dev/null; }

NETWORK_HOSTS='rabbitmq1 rabbitmq2 rabbitmq3 postgres1 postgres2 postgres3'
host_number() { # HOST
    local number=0 host
    for host in $NETWORK_HOSTS; do
        number=$((number + 1))
        [ "$host" != "$1" ] || break
    done
    printf '%s' "$number"
}
host_address() { # HOST
    local network
    network=$(recall NETWORK) || {
        printf 127.0.0.1
        return
    }
    printf '%s.%s' "$network" "$(host_number "$1")"
}

network_id() { printf 'su%s' "$(recall NETWORK | cut -d . -f 3)"; }
network_space() { printf '%s-%s' "$(network_id)" "$1"; } # HOST
network_cable() { printf '%s-%s' "$(network_id)" "$(host_number "$1")"; } # HOST: its end here

on_host() { ! has_network || printf 'ip netns exec %s' "$(network_space "$1")"; } # HOST: what stands before a command that runs there

network_up() { # lays the cables that are not there
    local host
    has_network || return 0
    ip link show "$(network_id)" >/dev/null 2>&1 || {
        ip link add "$(network_id)" type bridge
        ip address add "$(recall NETWORK).254/24" dev "$(network_id)"
        ip link set "$(network_id)" up
    }
    for host in $NETWORK_HOSTS; do
        ! ip netns list | grep -q "^$(network_space "$host")\\b" || continue
        ip netns add "$(network_space "$host")"
        ip link add "$(network_cable "$host")" type veth peer name eth0 netns "$(network_space "$host")"
        ip link set "$(network_cable "$host")" master "$(network_id)" up
        ip -netns "$(network_space "$host")" address add "$(host_address "$host")/24" dev eth0
        ip -netns "$(network_space "$host")" link set eth0 up
        ip -netns "$(network_space "$host")" link set lo up
    done
}

network_down() {
    local host
    has_network || return 0
    for host in $NETWORK_HOSTS; do ip netns delete "$(network_space "$host")" 2>/dev/null || true; done
    ip link delete "$(network_id)" 2>/dev/null || true
}

network_cut() { ip link set "$(network_cable "$1")" down; } # HOST
network_mend() { ip link set "$(network_cable "$1")" up; } # HOST

network_choose() { # a network that this machine does not have yet
    local third
    [ "$(id -u)" = 0 ] && command -v ip >/dev/null || die "hosts of their own need Linux, root, and ip (Debian, Ubuntu: apt-get install iproute2)"
    for third in $(seq 1 254); do
        ip -brief address | grep -qF " 10.213.$third." || break
    done
    remember NETWORK "10.213.$third"
}
