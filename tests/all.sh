#!/bin/bash
# Builds and runs all tests: installs what is missing, then three builds, each with its tests: release (gcc, everything), asan (the
# sanitizers) and clang (warnings are errors). The last line is `N passed, N failed`; the exit status says the same.
#
#     tests/all.sh [release|asan|clang|debug|tsan ...]
#
# Everything it makes lies in build/. The second time it needs no network.
cd "$(dirname "$0")/.." || exit 1
. cmake/packages.sh
packages_need build data test
packages_python numpy netCDF4 xarray h5py h5netcdf || exit 1

command -v ninja >/dev/null && export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
presets=("$@")
[ $# = 0 ] && presets=(release asan clang)
jobs=$(nproc)
runs=()

# Of what ctest prints: a line for each test that has ended and, at once, what a failed one said (its first and last 40 lines).
progress() {
    local line said=() failed=0
    while IFS= read -r line; do
        if [[ $line =~ ^\ *[0-9]+/[0-9]+\ Test || $line =~ ^\ *Start\ +[0-9]+: || $line =~ ^[0-9]+%\ tests\ passed ]]; then
            if [ ${#said[@]} -gt 80 ]; then said=("${said[@]:0:40}" "..." "${said[@]: -40}"); fi
            [ ${#said[@]} = 0 ] || printf '    %s\n' "${said[@]}"
            said=() failed=0
        fi
        if [[ $line =~ ^\ *[0-9]+/[0-9]+\ Test ]]; then
            echo "$line"
            [[ $line =~ Passed|Skipped ]] || failed=1
        elif [ $failed = 1 ]; then
            said+=("$line")
        fi
    done
}

for preset in "${presets[@]}"; do
    start=$SECONDS
    log=build/$preset.log junit=$PWD/build/$preset.xml
    mkdir -p build
    rm -f "$junit"
    printf '==> %s: ' "$preset"
    if { cmake --preset "$preset" -DVARVE_TESTS=ON -DVARVE_WERROR=ON -DVARVE_PYTHON="$(command -v "$PYTHON")" &&
        cmake --build --preset "$preset" --parallel "$jobs" -- $([ "$CMAKE_GENERATOR" = Ninja ] && echo -k 0); } >"$log" 2>&1; then
        echo "built in $((SECONDS - start)) s"
    else # what could be built is tested all the same
        echo "the build failed after $((SECONDS - start)) s"
        grep -E -A12 "error|FAILED|undefined reference" "$log" | head -80 >"$log.errors"
        runs+=(--failed "$preset=$log.errors")
        [ -e "build/$preset/CTestTestfile.cmake" ] || continue
    fi
    ctest --preset "$preset" --parallel "$jobs" --output-junit "$junit" --test-output-size-passed 4096 --test-output-size-failed 200000 --output-on-failure \
        2>&1 | tee "build/$preset.ctest.log" | progress
    echo "    $preset took $((SECONDS - start)) s"
    if [ -e "$junit" ]; then
        runs+=("$preset=$junit")
    else
        runs+=(--failed "$preset=build/$preset.ctest.log")
    fi
done
"$PYTHON" tests/summary.py "${runs[@]}"
