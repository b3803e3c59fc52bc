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

build() { # once for all; skipped where nothing changed since the last one, which makes a restart a matter of seconds
    local log=$ROOT/.local/log/build.log project
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
        dotnet build Signup.sln --configuration Release --nologo --verbosity quiet \
            -p:RestoreLockedMode=true -p:UseSharedCompilation=false </dev/null >"$log" 2>&1 7>&- || {
            grep -E 'error|warn' "$log" | sort -u | head -n 40 >&2 || true
            die "the build failed; all of it is in $log"
        }
        mv .local/build.stamp.new .local/build.stamp
    )
}
