# shellcheck shell=bash
# The browser of the browser tests: the machine's own, since Playwright's downloads are not reachable everywhere.

chromium_path() { # prints it
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' /Applications/Chromium.app/Contents/MacOS/Chromium; do
        [ -n "$name" ] || continue
        # Ubuntu's package is only a pointer to a snap, which may be missing: one that does not start does not count.
        if command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    return 1
}

chromium_binary() {
    ! chromium_path >/dev/null || return 0
    can_install || die "Chromium is not there, which the browser tests need. Install it (Debian: apt-get install chromium), or name one in CHROMIUM."
    install_packages chromium fonts-liberation
    chromium_path >/dev/null || die "the distribution's chromium does not start; name another one in CHROMIUM"
}
