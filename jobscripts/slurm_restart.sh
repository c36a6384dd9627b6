#!/bin/bash
# A command that may take longer than a job may: it goes back into the queue shortly before its time is over, and goes on where it was. The same when a node is
# lost, a rank is killed, or when you cancel it and submit it again. The result has the same bits as without interruption, on any number of nodes.
#
#     sbatch slurm_restart.sh anom -g dayofyear 'era5_*.nc' -o anom.nc
#
# `varve status anom.nc` tells how far it is. VARVE_CHECKPOINT=1m has the journal written every minute besides: what a lost node costs at most. SITE marks what differs
# between sites; see site.sh too.
#SBATCH --job-name=varve
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=2
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
# SITE: #SBATCH --partition=... --account=...

[ $# -gt 0 ] || { echo "usage: sbatch slurm_restart.sh COMMAND... -o OUTPUT" >&2; exit 2; }
. "${VARVE_JOBSCRIPTS:-$SLURM_SUBMIT_DIR}/site.sh"

launch varve "$@" --checkpoint="${VARVE_CHECKPOINT:-5m}" --resume --stats &
run=$!

back() {
    echo "back into the queue"
    scontrol requeue "$SLURM_JOB_ID" && sleep 600 # Slurm ends this script: one that ended by itself would be over for good
}

# USR1 comes 300 seconds before the end. SIGUSR2 has every rank write its journal and end, with status 143.
again() {
    echo "$(date): time is nearly over"
    kill -USR2 "$run"
    wait "$run"
    code=$?
    [ $code = 143 ] || exit $code # it was over, or something else was wrong
    back
}
trap again USR1
wait "$run"
code=$?

# A status that is none of varve's own is the launcher's: a rank was killed, or a node is gone and mpirun has seen it before Slurm has.
case $code in [0-5] | 130 | 143) exit $code ;; esac
[ "${SLURM_RESTART_COUNT:-0}" -lt "${VARVE_RESTARTS:-10}" ] || exit $code
echo "$(date): the launcher ended with status $code"
back
