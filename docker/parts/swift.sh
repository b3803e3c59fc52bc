# shellcheck shell=bash
# The buckets of the tests: OpenStack Swift, which speaks S3. Its packages are unpacked and not installed, which takes a quarter of the time, and no service comes along.

SWIFT=$ROOT/.local/swift

swift_python() { # ARGUMENTS…: python, which finds it there or, installed, elsewhere
    local python=/usr/bin/python3 libraries='' found
    # Debian's packages are for Debian's own.
    [ -x "$python" ] || python=python3
    for found in "$SWIFT"/usr/lib/*-linux-gnu*; do [ ! -d "$found" ] || libraries=$libraries:$found; done
    PYTHONPATH=$SWIFT/usr/lib/python3/dist-packages${PYTHONPATH:+:$PYTHONPATH} LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}$libraries "$python" "$@"
}

swift_starts() { swift_python -c 'import swift.proxy.server' 2>/dev/null; }

swift_unpacked() {
    ! swift_starts || return 0
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || die "OpenStack Swift is not there, which tests need for buckets. Install it (Debian, Ubuntu: apt-get install python3-swift; elsewhere: pip install swift)."
    say 'Unpacking OpenStack Swift …'
    # A list of packages may be missing, or too old.
    swift_unpack || { [ "$(id -u)" = 0 ] && limited 300 apt-get update -qq && swift_unpack; } || die "the packages of OpenStack Swift do not come; install python3-swift"
    swift_starts || die "OpenStack Swift, as the distribution has it, does not start; install another one, for python3"
}

swift_unpack() (
    rm -rf "$SWIFT" "$SWIFT.new"
    mkdir -p "$SWIFT.new/packages"
    cd "$SWIFT.new/packages" || exit
    # It, and what it needs that the machine lacks.
    mapfile -t packages < <(apt-get install -s --no-install-recommends python3-swift 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p')
    [ ${#packages[@]} -gt 0 ] || exit
    limited 300 apt-get download -qq "${packages[@]}" >/dev/null 2>&1 || exit
    for package in *.deb; do dpkg -x "$package" .. || exit; done
    cd .. && rm -rf packages && mv "$SWIFT.new" "$SWIFT"
)
