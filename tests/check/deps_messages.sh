#!/bin/bash
# When a dependency is missing or does not fit, configuring says what is missing, what was found instead and what to install. Each case
# configures a fresh build under circumstances that mislead it, and looks for those three in the message.
#
# builds: release
# cores: 1
source=${VARVE_SOURCE:?}
work=$(mktemp -d "${TMPDIR:-/tmp}/varve-deps.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

# case NAME 'PATTERN|PATTERN|...' [NAME=VALUE of the environment]... -- CMAKE-OPTIONS...
case_() {
    local name=$1 patterns=$2 environment=()
    shift 2
    while [ "$1" != -- ]; do environment+=("$1"); shift; done
    shift
    local log=$work/$name.log
    if env -u HDF5_ROOT -u HDF5_DIR -u CONDA_PREFIX "${environment[@]}" "$VARVE_CMAKE" -S "$source" -B "$work/$name" -DCMAKE_C_COMPILER="$VARVE_CC" "$@" \
        >"$log" 2>&1; then
        echo "FAILED $name: it configured"
        failed=1
        return
    fi
    # CMake wraps lines; a pattern may lie across a line's end
    local text
    text=$(tr -s ' \n' ' ' <"$log")
    while read -r -d '|' pattern; do
        if [[ $text != *"$pattern"* ]]; then
            printf 'FAILED %s: "%s" is not in\n' "$name" "$pattern"
            cat "$log"
            failed=1
            return
        fi
    done <<<"$patterns|"
    echo "ok $name"
}

# A tool that does not know anything, in front of the real one.
mkdir "$work/blind"
printf '#!/bin/sh\nexit 1\n' >"$work/blind/tool"
chmod +x "$work/blind/tool"
no_pkgconfig="-DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON"

# HDF5 as a distribution's default: serial.
mkdir -p "$work/serial/include" "$work/serial/lib"
printf '#define H5_VERSION "1.14.3"\n#define H5_HAVE_THREADSAFE 1\n' >"$work/serial/include/H5pubconf.h"
touch "$work/serial/lib/libhdf5.so" "$work/serial/lib/libhdf5_hl.so"
case_ serial 'Parallel HDF5|is serial: HDF5 1.14.3 built without MPI|apt install libhdf5-openmpi-dev|conda install -c conda-forge|spack install hdf5+mpi+hl|module load' \
    -- -DHDF5_ROOT="$work/serial"
case_ serial_by_environment 'is serial: HDF5 1.14.3' HDF5_ROOT="$work/serial" --

# HDF5 of another MPI.
mkdir -p "$work/other/include" "$work/other/lib"
printf '#define H5_VERSION "1.14.3"\n#define H5_HAVE_PARALLEL 1\n' >"$work/other/include/H5pubconf.h"
flavour="Open MPI" other=MPICH symbols=MPIR_Dup_fn
if ! echo '#include <mpi.h>' | mpicc -x c -E -dM - 2>/dev/null | grep -q OMPI_MAJOR; then
    flavour=MPICH other="Open MPI" symbols=ompi_mpi_comm_world
fi
echo "$symbols" >"$work/other/lib/libhdf5.so"
echo "$symbols" >"$work/other/lib/libhdf5_hl.so"
case_ other_mpi "is built for $other, but the MPI in use is $flavour|MPI and HDF5 have to come from the same place" -- -DHDF5_ROOT="$work/other"

# HDF5 too old, without development files, without its high-level part.
mkdir -p "$work/old/include" "$work/old/lib"
printf '#define H5_VERSION "1.8.20"\n#define H5_HAVE_PARALLEL 1\n' >"$work/old/include/H5pubconf.h"
case_ old 'is too old: HDF5 1.8.20' -- -DHDF5_ROOT="$work/old"
mkdir -p "$work/runtime/lib"
touch "$work/runtime/lib/libhdf5.so"
case_ runtime_only 'has no H5pubconf.h (development files are not installed?)' -- -DHDF5_ROOT="$work/runtime"
cp -r "$work/other" "$work/low"
rm "$work/low/lib/libhdf5_hl.so"
case_ low_level_only 'lacks the high-level library libhdf5_hl' -- -DHDF5_ROOT="$work/low"

# No MPI but a runtime; no MPI at all.
mkdir "$work/runtime/bin"
ln -s "$work/blind/tool" "$work/runtime/bin/mpirun"
case_ mpi_runtime_only "MPI for C is missing|Found only $work/runtime/bin/mpirun: a runtime without|apt install libopenmpi-dev|module load openmpi" \
    -- -DMPI_C_COMPILER="$work/blind/tool" -DMPI_C_WORKS=OFF -DCMAKE_DISABLE_FIND_PACKAGE_MPI=ON -Dvarve_mpirun="$work/runtime/bin/mpirun"

# libdeflate, libzstd, OpenBLAS, Random123, SLEEF, FFTW and CMocka.
ignore="-DCMAKE_IGNORE_PATH=/usr/include;/usr/local/include;/usr/include/$("$VARVE_CC" -print-multiarch 2>/dev/null)"
have_deflate=-DDEFLATE_INCLUDE_DIR=$work/runtime have_zstd=-DZSTD_INCLUDE_DIR=$work/runtime have_openblas=-DOPENBLAS_INCLUDE_DIR=$work/runtime have_random123=-DRANDOM123_INCLUDE_DIR=$work/runtime
have_sleef=-DSLEEF_INCLUDE_DIR=$work/runtime have_fftw=-DFFTW_INCLUDE_DIR=$work/runtime
case_ deflate 'libdeflate (compression) is missing|but not its header libdeflate.h|dnf install libdeflate-devel' \
    -- -DDEFLATE_LIBRARY="$work/runtime/lib/libhdf5.so" "$ignore" "$no_pkgconfig"
case_ zstd 'libzstd (compression) is missing|but not its header zstd.h|apt install libzstd-dev|dnf install libzstd-devel' \
    -- "$have_deflate" -DZSTD_LIBRARY="$work/runtime/lib/libhdf5.so" "$ignore" "$no_pkgconfig"
case_ openblas 'OpenBLAS (matrix products) is missing|but not its header cblas.h|apt install libopenblas-dev|dnf install openblas-devel' \
    -- "$have_deflate" "$have_zstd" -DOPENBLAS_LIBRARY="$work/runtime/lib/libhdf5.so" "$ignore" "$no_pkgconfig"
case_ random123 'Random123 (random numbers) is missing|There is no Random123/philox.h|apt install librandom123-dev|spack install random123' \
    -- "$have_deflate" "$have_zstd" "$have_openblas" "$ignore" "$no_pkgconfig"
case_ sleef 'SLEEF (exp, log, sin ... by vectors) is missing|but not its header sleef.h|apt install libsleef-dev|spack install sleef' \
    -- "$have_deflate" "$have_zstd" "$have_openblas" "$have_random123" -DSLEEF_LIBRARY="$work/runtime/lib/libhdf5.so" "$ignore" "$no_pkgconfig"
case_ fftw 'FFTW (Fourier transforms) is missing|but not its header fftw3.h|apt install libfftw3-dev|dnf install fftw-devel' \
    -- "$have_deflate" "$have_zstd" "$have_openblas" "$have_random123" "$have_sleef" -DFFTW_LIBRARY="$work/runtime/lib/libhdf5.so" "$ignore" "$no_pkgconfig"
case_ cmocka "CMocka (the tests' framework) is missing|Without tests: -DVARVE_TESTS=OFF|apt install libcmocka-dev" \
    -- "$have_deflate" "$have_zstd" "$have_openblas" "$have_random123" "$have_sleef" "$have_fftw" "$ignore" "$no_pkgconfig"
exit $failed
