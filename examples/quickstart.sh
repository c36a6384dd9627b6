#!/bin/bash
# From a fresh clone to a result: installs what is missing, builds Varve, generates three years of an invented climate, computes its
# mean over time on two ranks, prints the result and draws it.
#
#     examples/quickstart.sh
#
# Everything it makes lies in build/; the second time it needs no network and takes seconds. On machines where it may not install
# anything it says what is missing.
set -e
cd "$(dirname "$0")/.."
. cmake/packages.sh
packages_need build data
packages_python numpy netCDF4

command -v ninja >/dev/null && export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
say() { printf '\n%s\n' "==> $*"; }

say "Building (log: build/quickstart.log)"
mkdir -p build
if ! { cmake --preset release -DVARVE_TESTS=OFF && cmake --build --preset release --parallel "$(nproc)"; } >build/quickstart.log 2>&1; then
    tail -40 build/quickstart.log
    exit 1
fi
varve=$PWD/build/release/bin/varve

mkdir -p build/quickstart
cd build/quickstart
if [ ! -e t2m.nc ]; then
    say "Generating t2m.nc"
    "$PYTHON" ../../examples/make_climate.py t2m.part && mv t2m.part t2m.nc
fi
"$varve" info t2m.nc

# As root (in a container, say) Open MPI wants to be told that this is meant; fewer cores than ranks are fine for a first look.
[ "$(id -u)" = 0 ] && export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
oversubscribe=
mpirun --version 2>&1 | grep -q "Open MPI" && oversubscribe=--oversubscribe
say "mpirun -n 2 varve mean -d time t2m.nc -o out.nc"
mpirun $oversubscribe -n 2 "$varve" mean -d time t2m.nc -o out.nc --overwrite --stats

say "The result: build/quickstart/out.nc"
"$varve" info out.nc
"$varve" plot out.nc:t2m
"$varve" plot out.nc:t2m -o t2m_mean.png --overwrite
say "The same as a picture: build/quickstart/t2m_mean.png. What else there is to see: examples/tour.sh"
