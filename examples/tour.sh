#!/bin/bash
# A newcomer's first quarter of an hour with varve: from what is in a file to a map for a talk. Every command is shown before it runs, with what it prints.
#
#     examples/tour.sh [DIRECTORY]
#
# DIRECTORY (build/tour unless given) gets the data, which is invented, and the results. The program is the one of $VARVE, of build/release, or on the PATH.
set -e
here=$(cd "$(dirname "$0")" && pwd)
varve=${VARVE:-$here/../build/release/bin/varve}
[ -x "$varve" ] || varve=$(command -v varve) || { echo "tour.sh: no varve: examples/quickstart.sh builds it"; exit 1; }
varve=$(realpath "$varve")
mkdir -p "${1:-$here/../build/tour}"
cd "${1:-$here/../build/tour}"
varve() { "$varve" "$@"; }

say() { printf '\n# %s\n' "$@"; }
run() { printf '\n$ %s\n' "$*"; eval "$*" 2>&1; }

say "Two years of daily fields on a coarse grid, the same numbers on every machine."
[ -e t2m.nc ] || { "${PYTHON:-python3}" "$here/make_climate.py" t2m.part --years 2 --step 4 && mv t2m.part t2m.nc; }

say "What is in the file? Dimensions, coordinates with their ranges, the span of time, how variables are stored."
run varve info t2m.nc

say "What does a field look like? Without -o it is drawn in the terminal: the first day, unless another is selected."
run varve plot t2m.nc:t2m --select time=1990-07-01

say "The mean over time. First what it would read, hold and write; then for real."
run varve mean -d time t2m.nc -o mean.nc --explain
run varve mean -d time t2m.nc -o mean.nc --overwrite
run varve info mean.nc -v t2m

say "The mean of each day over the globe, every cell by its area, printed as numbers for the first week of 1990 ..."
run "varve eval 'week = sel(t2m, time=\"1990-01-01\":\"1990-01-07\").mean(lat, lon, weights=cos(lat)) - 273.15' t2m.nc"

say "... and of all days as a line."
run "varve plot 'temperature = mean(t2m, lat, lon, weights=cos(lat))' t2m.nc --title 'Global mean temperature' -O -o series.png"

say "A climatology: the mean of all Januaries, all Februaries ... Each month is a map of its own."
run varve clim -g month t2m.nc -v t2m -o clim.nc -O
run varve plot clim.nc:t2m --panels month -o months.png -O

say "How unusual was a month? Anomalies from the climatology, monthly means of them, and a map of July 1991; values on both sides of zero get colours that diverge there."
run varve anom -g month t2m.nc -v t2m -o anom.nc -O
run varve resample -f 1M anom.nc -o monthly.nc -O
run varve plot monthly.nc:t2m --select time=1991-07 --title "'Temperature anomaly, July 1991'" -o anomaly.png -O

say "Exact percentiles of rain along time, with a page that tells how the run went; of one place a series, of all values a histogram."
run varve quantile -q 0.5,0.95,0.99 -d time -v pr t2m.nc -o percentiles.nc --report run.html -O
run varve plot t2m.nc:pr -d time --select lat=~-12,lon=~60 -o place.svg -O
run varve plot t2m.nc:t2m --kind histogram -o histogram.png -O

say "Any calculation is an expression; several are one plan, and what they share is read once."
run "varve eval 'let land = lsm > 0.5' 'warm_land = max(where(land, t2m, nan))' 'warm_sea = max(where(land, nan, t2m))' t2m.nc"

say "Misspelled? It says where, and what was meant."
run "varve eval 'x = maen(t2m, time)' t2m.nc -o x.nc || true"

say "The same on several ranks: put mpirun in front, the results have the same bits. Every command has --help with examples."
run "varve anom --help | head -12"

say "Made: $(ls -- *.nc *.png *.svg *.html | tr '\n' ' ')"
