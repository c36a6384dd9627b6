#!/bin/bash
# Every C file is as clang-format leaves it. To put it right: tests/check/format.sh --fix
#
# builds: release
cd "${VARVE_SOURCE:-$(dirname "$0")/../..}" || exit 1
if ! command -v clang-format >/dev/null; then
    echo "skipped: clang-format is not installed"
    exit 77
fi
mapfile -t files < <(find src include examples tests -name '*.[ch]' | sort)
if [ "$1" = --fix ]; then
    exec clang-format -i "${files[@]}"
fi
clang-format --dry-run -Werror "${files[@]}" && echo "${#files[@]} files are formatted"
