#!/bin/bash
# How Varve scales over nodes: strong and weak, of four benchmarks (`varve bench help`), on 1, 2, 4 ... nodes. Run it, do not submit it; it submits itself:
#
#     ./slurm_scaling.sh -N 16 --ntasks-per-node=8 --cpus-per-task=4 --mem=0 --time=0:30:00
#     SIZE=100GB ./slurm_scaling.sh -N 64 --exclusive ...
#
# -N is the largest number of nodes; all other arguments are sbatch's. Each job adds its rows to scaling.csv in this directory, which should be on the parallel
# file system: the benchmarks `write` and, with DISK=1, the others' files lie there, too. Jobs run one after the other, so that they do not share the network; the last one draws scaling.png.
# SIZE, BENCHMARKS, RUNS, THREADS, TABLE: see scaling.sh.
set -eo pipefail
here=${VARVE_JOBSCRIPTS:-$(dirname "$(realpath "$0")")}
source "$here/scaling.sh"

submit() {
    local most=1 nodes=1 job="" behind=()
    local others=()
    while [ $# -gt 0 ]; do
        case $1 in
        -N | --nodes) most=$2 && shift 2 ;;
        --nodes=*) most=${1#*=} && shift ;;
        *) others+=("$1") && shift ;;
        esac
    done
    is_fresh
    export VARVE_JOBSCRIPTS=$here SIZE BENCHMARKS RUNS TABLE
    while :; do
        job=$(sbatch --parsable --job-name=varve-scaling --output=%x-%j.log --nodes="$nodes" "${behind[@]}" "${others[@]}" \
            "$here/slurm_scaling.sh" "$([ "$nodes" -lt "$most" ] && echo more || echo last)")
        echo "job ${job%%;*} on nodes: $nodes"
        behind=(--dependency="afterany:${job%%;*}")
        [ "$nodes" -lt "$most" ] || break
        nodes=$(after "$nodes" "$most")
    done
}

if [ -n "${SLURM_JOB_ID:-}" ]; then
    source "$here/site.sh"
    measure "${SLURM_NTASKS_PER_NODE:-1}" "$1"
else
    submit "$@"
fi
