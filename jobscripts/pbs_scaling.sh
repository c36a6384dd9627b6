#!/bin/bash
# How Varve scales over nodes, under PBS Pro: what slurm_scaling.sh does. Run it, do not submit it; it submits itself for 1, 2, 4 ... nodes:
#
#     RANKS=8 CORES=4 MEM=120gb ./pbs_scaling.sh -N 16 -l walltime=0:30:00 -q ...
#
# -N is the largest number of nodes; all other arguments are qsub's. RANKS of a node, CORES of a rank, MEM of a node. SIZE, BENCHMARKS, RUNS, THREADS, TABLE: see scaling.sh.
set -eo pipefail
here=${VARVE_JOBSCRIPTS:-$(dirname "$(realpath "$0")")}
RANKS=${RANKS:-1} CORES=${CORES:-1}
source "$here/site.sh"
source "$here/scaling.sh"

submit() {
    local most=1 nodes=1 job="" behind=() others=()
    while [ $# -gt 0 ]; do
        if [ "$1" = -N ]; then most=$2 && shift 2; else others+=("$1") && shift; fi
    done
    is_fresh
    export VARVE_JOBSCRIPTS=$here SIZE BENCHMARKS RUNS TABLE THREADS DISK RANKS CORES which
    while :; do
        which=$([ "$nodes" -lt "$most" ] && echo more || echo last)
        job=$(qsub -N varve-scaling -j oe -l "select=$nodes:ncpus=$((RANKS * CORES)):mpiprocs=$RANKS:ompthreads=$CORES${MEM:+:mem=$MEM}" -l place=scatter \
            -v "$(known PATH VARVE_JOBSCRIPTS SIZE BENCHMARKS RUNS TABLE THREADS DISK RANKS CORES which)" "${behind[@]}" "${others[@]}" "$here/pbs_scaling.sh")
        echo "job $job on nodes: $nodes"
        behind=(-W "depend=afterany:$job")
        [ "$nodes" -lt "$most" ] || break
        nodes=$(after "$nodes" "$most")
    done
}

if [ -n "${PBS_JOBID:-}" ]; then
    cd "$PBS_O_WORKDIR"
    RANKS_PER_NODE=$RANKS
    measure "$RANKS" "$which"
else
    submit "$@"
fi
