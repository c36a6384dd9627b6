#!/bin/bash
# clang-tidy with the few checks of .clang-tidy on all of src/: bugs, and functions that have grown too long.
# With file names: only those.
#
# builds: release
# cores: 2
# timeout: 900
cd "${VARVE_SOURCE:-$(dirname "$0")/../..}" || exit 1
build=${VARVE_BUILD:-build/release}
if ! command -v clang-tidy >/dev/null; then
    echo "skipped: clang-tidy is not installed"
    exit 77
fi
if [ ! -e "$build/compile_commands.json" ]; then
    echo "no $build/compile_commands.json: configure a build first, or set VARVE_BUILD"
    exit 1
fi
files=("$@")
if [ $# = 0 ]; then
    mapfile -t files < <(find src -name '*.c' | sort)
fi
# gcc's own switches mean nothing to clang; that is no finding
printf '%s\n' "${files[@]}" |
    xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" --quiet --warnings-as-errors='*' --extra-arg=-Wno-unknown-warning-option \
        --extra-arg=-Wno-ignored-optimization-argument 2>/dev/null
status=$?
[ $status = 0 ] && echo "${#files[@]} files are clean"
exit $((status != 0))
