#!/bin/bash
# The .deb depends on the libraries that the programs in it need, found by looking at them, and holds what it should.
#
# builds: release
# cores: 1
set -e
build=${VARVE_BUILD:?}
for tool in cpack dpkg-deb dpkg-shlibdeps file; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/varve-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
deb=$(ls "$work"/*.deb)
dpkg-deb --info "$deb"
contents=$(dpkg-deb --contents "$deb")
awk '{print $1, $6, $7, $8}' <<<"$contents"
depends=$(dpkg-deb --field "$deb" Depends)
for library in libc6 libdeflate0 libhdf5 libopenblas 'libopenmpi|libmpich'; do
    [[ $depends =~ $library ]] || { echo "FAILED: no dependency on $library in: $depends"; exit 1; }
done
for file in usr/bin/varve usr/include/varve/varve.h pkgconfig/varve.pc 'libvarve\.so\.0'; do
    grep -q "$file" <<<"$contents" || { echo "FAILED: no $file in the package"; exit 1; }
done
