#!/bin/bash
# The pictures of examples/README.md, made anew: invented data, so that anybody gets the same ones.
#
#     examples/pictures.sh [DIRECTORY]     # examples/pictures unless given
set -e
here=$(cd "$(dirname "$0")" && pwd)
varve=${VARVE:-$here/../build/release/bin/varve}
[ -x "$varve" ] || varve=$(command -v varve) || { echo "pictures.sh: no varve: examples/quickstart.sh builds it"; exit 1; }
varve=$(realpath "$varve")
mkdir -p "${1:-$here/pictures}"
out=$(cd "${1:-$here/pictures}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"${PYTHON:-python3}" "$here/make_climate.py" t2m.nc --years 2 --step 2
"$varve" anom -g month -v t2m t2m.nc -o anom.nc
"$varve" resample -f 1M anom.nc -o monthly.nc

"$varve" plot t2m.nc:t2m --select time=1990-07-15 -O -o "$out/temperature.png"
"$varve" plot monthly.nc:t2m --select time=1991-07 --title "Temperature anomaly, July 1991" -O -o "$out/anomaly.png"
"$varve" plot 'land = mean(where(lsm > 0.5, t2m, nan), lat, lon, weights=cos(lat))' \
    'sea = mean(where(lsm > 0.5, nan, t2m), lat, lon, weights=cos(lat))' t2m.nc \
    --title "Mean temperature over land and over the sea" -O -o "$out/series.png"
"$varve" plot t2m.nc:t2m --kind histogram --bins 50 --title "Daily temperatures, all places" -O -o "$out/histogram.png"
