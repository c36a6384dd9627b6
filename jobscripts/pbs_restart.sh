#!/bin/bash
# A command that may take longer than a job may, under PBS Pro: shortly before its time is over it ends with its journal written and submits itself again, which goes on where it was. So it does when a
# rank was killed or a node is gone. The result has the same bits as without interruption.
#
#     command="anom -g dayofyear 'era5_*.nc' -o anom.nc" qsub -v command pbs_restart.sh
#
# `varve status anom.nc` tells how far it is. A later job asks for what the lines below say: change them in a copy rather than on qsub's command line. SITE marks what differs between sites; see site.sh too.
#PBS -N varve
#PBS -l select=2:ncpus=8:mpiprocs=4:ompthreads=2:mem=16gb
#PBS -l walltime=04:00:00
#PBS -j oe
#PBS -r y
# SITE: #PBS -q ... -A ...

cd "$PBS_O_WORKDIR" || exit 1
[ -n "$command" ] || { echo 'usage: command="..." qsub -v command pbs_restart.sh' >&2; exit 2; }
scripts=${VARVE_JOBSCRIPTS:-$PBS_O_WORKDIR}
. "$scripts/site.sh"
RANKS_PER_NODE=4

# seconds HH:MM:SS
seconds() {
    IFS=: read -r h m s <<<"$1"
    echo $((10#$h * 3600 + 10#$m * 60 + 10#$s))
}
limit=$(seconds "$(qstat -f "$PBS_JOBID" | sed -n 's/.*Resource_List.walltime = //p')")

words "$command"
launch varve "${words[@]}" --checkpoint="${VARVE_CHECKPOINT:-5m}" --resume --stats &
run=$!

# PBS sends no signal in time. SIGUSR2 has every rank write its journal and end, with status 143.
before=${VARVE_BEFORE_END:-300}
in_time() {
    trap 'kill $!' TERM
    sleep "$1" &
    wait $! && echo "$(date): time is nearly over" && kill -USR2 "$run"
}
in_time $((limit > before ? limit - before : 1)) &
timer=$!
wait "$run"
code=$?
kill "$timer" 2>/dev/null
wait "$timer" && told=yes || told=no

# A status that is none of varve's own is the launcher's: a rank was killed, or a node is gone.
case $code in
[0-5] | 130) exit $code ;;
143) [ $told = yes ] || exit $code ;;
*) [ "${VARVE_RESTARTED:-0}" -lt "${VARVE_RESTARTS:-10}" ] || exit $code ;;
esac
[ $code = 143 ] || export VARVE_RESTARTED=$((${VARVE_RESTARTED:-0} + 1))
echo "$(date): status $code, goes on in another job"
qsub -v "$(known PATH command VARVE_JOBSCRIPTS VARVE_CHECKPOINT VARVE_BEFORE_END VARVE_RESTARTED VARVE_RESTARTS)" "$scripts/pbs_restart.sh" || exit $code
