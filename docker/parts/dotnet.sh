# shellcheck shell=bash
# Building, for run and test alike.

# Nothing stays behind in the background, and nothing greets.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

program() { # PROJECTFOLDER: prints the assembly it is built to, as Directory.Build.props and tests/Directory.Build.props name them
    local name
    name=$(basename "$1")
    case $1 in tests/* | */tests/*) name=Tests.$name ;; esac
    printf '%s/bin/Release/net10.0/Signup.%s.dll' "$1" "$name"
}

newer_than_build() { # any source, or a folder whose files came or went
    find . \( -name bin -o -name obj -o -name .git -o -name .local -o -name node_modules \) -prune -o -newer .local/build.stamp -print -quit
}

# One compiler for all projects, warm from the second on: a whole build takes about half the time. It is started here and waited for, since on a slow machine
# the build would give up on it and start one for each project. Where this does not find it, the build starts its own.
start_compiler() { # ID: its socket's name
    local server
    server=$(dirname "$(readlink -f "$(command -v dotnet)")")/sdk/$(dotnet --version)/Roslyn/bincore/VBCSCompiler.dll
    [ -f "$server" ] || return 0
    dotnet "$server" "-pipename:$1" </dev/null >/dev/null 2>&1 7>&- &
    wait_until 60 test -S "/tmp/$1" || true
}
end_compiler() { # ID: where it cannot be found, it ends itself after ten minutes of rest
    ! command -v pkill >/dev/null || pkill -f -- "-pipename:$1" || true
    rm -f "/tmp/$1"
}

build() { # once for all; skipped where nothing changed since the last one, which makes a restart a matter of seconds
    local log=$ROOT/.local/log/build.log compiler=signup-$$-$RANDOM project
    command -v dotnet >/dev/null || die "the .NET SDK is not there: install the one that global.json names"
    mkdir -p .local/log
    (
        # ./run and ./test may be started at the same moment, and would write the same files.
        if command -v flock >/dev/null; then
            exec 7>.local/build.lock
            flock --wait 1200 7 || die "another build in this checkout has not ended within 20 minutes"
        fi
        if [ -f .local/build.stamp ] && [ -z "$(newer_than_build)" ]; then
            for project in Gateway Endpoints/*/ tests/*/; do
                project=${project%/}
                [ ! -f "$project/$(basename "$project").csproj" ] || [ -f "$(program "$project")" ] || rm -f .local/build.stamp
            done
            [ ! -f .local/build.stamp ] || exit 0
        fi
        say 'Building …'
        rm -f .local/build.stamp
        touch .local/build.stamp.new
        start_compiler "$compiler"
        trap 'end_compiler "$compiler"' EXIT
        dotnet build Signup.sln --configuration Release --nologo --verbosity quiet \
            -p:RestoreLockedMode=true -p:SharedCompilationId="$compiler" </dev/null >"$log" 2>&1 7>&- || {
            grep -E 'error|warn' "$log" | sort -u | head -n 40 >&2 || true
            die "the build failed; all of it is in $log"
        }
        mv .local/build.stamp.new .local/build.stamp
    )
}
