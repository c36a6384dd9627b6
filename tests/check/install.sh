#!/bin/bash
# An installed Varve is usable by others: installs to a scratch prefix and builds the first example outside of the tree, once with CMake's
# find_package and once with pkg-config (shared and static), and runs what was built.
#
# builds: release clang
# cores: 1
set -e
source=${VARVE_SOURCE:?} build=${VARVE_BUILD:?}
work=$(mktemp -d "${TMPDIR:-/tmp}/varve-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

say() { printf '%s\n' "--- $*"; }
fail() { say "FAILED: $*"; exit 1; }

say "install"
"$VARVE_CMAKE" --install "$build" --prefix "$prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
lib=$(dirname "$(find "$prefix" -name 'libvarve.so')")
for file in bin/varve include/varve/varve.h include/varve/version.h; do
    [ -e "$prefix/$file" ] || fail "$file is not installed"
done
for file in libvarve.so.0 libvarve.a pkgconfig/varve.pc cmake/varve/varveConfig.cmake; do
    [ -e "$lib/$file" ] || fail "$file is not installed in $lib"
done
"$prefix/bin/varve" --version

say "only public names are exported"
others=$(nm -D --defined-only "$lib/libvarve.so" | awk '$2 ~ /[TDBRV]/ && $3 !~ /^(vv_|_init|_fini|__bss|_edata|_end)/ {print $3}')
[ -z "$others" ] || fail "libvarve.so also exports: $others"

say "the headers stand alone, in C and in C++"
for header in "$prefix"/include/varve/*.h; do
    printf '#include <varve/%s>\nint unused;\n' "$(basename "$header")" >"$work/one.c"
    "$VARVE_CC" -std=c17 -Wall -Wextra -Wpedantic -Werror -I"$prefix/include" -fsyntax-only "$work/one.c"
    if echo 'int x;' | "$VARVE_CC" -x c++ -fsyntax-only - 2>/dev/null; then
        "$VARVE_CC" -x c++ -Wall -Werror -I"$prefix/include" -fsyntax-only "$work/one.c"
    fi
done

mkdir "$work/user"
cp "$source/examples/01_open_and_mean.c" "$work/user/example.c"

say "find_package(varve)"
cat >"$work/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(varve 0.1 REQUIRED)
add_executable(example example.c)
target_link_libraries(example PRIVATE varve::varve)
END
"$VARVE_CMAKE" -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$VARVE_CC" >"$work/user.log" &&
    "$VARVE_CMAKE" --build "$work/user/build" >>"$work/user.log" || { cat "$work/user.log"; fail "find_package"; }

say "pkg-config"
# the .pc file carries the prefix of the configuration; pkg-config is told where it lies now
pc="pkg-config --define-variable=prefix=$prefix"
export PKG_CONFIG_PATH=$lib/pkgconfig
"$VARVE_CC" $($pc --cflags varve) "$work/user/example.c" -o "$work/by_pkgconfig" $($pc --libs varve) -Wl,-rpath,"$lib"
"$VARVE_CC" $($pc --cflags varve) "$work/user/example.c" -o "$work/by_static" $($pc --static --libs varve | sed "s|-lvarve|$lib/libvarve.a|")

say "run"
"$VARVE_PYTHON" - "$work/t2m.nc" <<'END'
import sys
import netCDF4
import numpy as np

with netCDF4.Dataset(sys.argv[1], "w") as f:
    for name, n in {"time": 10, "lat": 4, "lon": 5}.items():
        f.createDimension(name, n)
        f.createVariable(name, "f8", (name,))[:] = np.arange(n)
    f.createVariable("t2m", "f4", ("time", "lat", "lon"), zlib=True)[:] = np.arange(200).reshape(10, 4, 5)
END
if ldd "$work/by_static" | grep libvarve; then
    fail "the static program wants libvarve.so"
fi
for program in "$work/user/build/example" "$work/by_pkgconfig" "$work/by_static"; do
    rm -f "$work/out.nc"
    "$program" "$work/t2m.nc" t2m "$work/out.nc"
    "$VARVE_PYTHON" - "$work/out.nc" <<'END'
import sys
import netCDF4
import numpy as np

with netCDF4.Dataset(sys.argv[1]) as f:
    assert np.array_equal(f["t2m"][:], np.arange(200).reshape(10, 4, 5).mean(axis=0)), f["t2m"][:]
END
done
say "all is well"
