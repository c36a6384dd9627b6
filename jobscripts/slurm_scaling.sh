#!/bin/bash
# How Varve scales over nodes: strong and weak, of four benchmarks (`varve bench help`), on 1, 2, 4 ... nodes. Run it, do not submit it; it submits itself:
#
#     ./slurm_scaling.sh -N 16 --ntasks-per-node=8 --cpus-per-task=4 --mem=0 --time=0:30:00
#     SIZE=100GB ./slurm_scaling.sh -N 64 --exclusive ...
#
# -N is the largest number of nodes; all other arguments are sbatch's. Each job adds its rows to scaling.csv in this directory, which should be on the parallel
# file system: the benchmarks `write` and, with DISK=1, the others' files lie there, too. Jobs run one after the other, so that they do not share the network; the last one draws scaling.png.
#
# SIZE: data of a strong-scaling run on all ranks together, and of a weak-scaling run on each node (SIZE=4GB).  BENCHMARKS="reduce rechunk matmul write".  RUNS=3, of which the middle one counts.  THREADS: of a rank; as many as
# it has cores, unless said.
set -eo pipefail
SIZE=${SIZE:-4GB} BENCHMARKS=${BENCHMARKS:-reduce rechunk matmul write} RUNS=${RUNS:-3} TABLE=${TABLE:-scaling.csv}
here=${VARVE_JOBSCRIPTS:-$(dirname "$(realpath "$0")")}

bytes() { # "4GB" as a number
    numfmt --from=auto "${1%B}"
}

submit() {
    local most=1 nodes=1 job="" after=()
    local others=()
    while [ $# -gt 0 ]; do
        case $1 in
        -N | --nodes) most=$2 && shift 2 ;;
        --nodes=*) most=${1#*=} && shift ;;
        *) others+=("$1") && shift ;;
        esac
    done
    if [ -e "$TABLE" ]; then
        echo "$TABLE is there already; move it away, or name another TABLE" >&2
        exit 1
    fi
    export VARVE_JOBSCRIPTS=$here SIZE BENCHMARKS RUNS TABLE
    while :; do
        job=$(sbatch --parsable --job-name=varve-scaling --output=%x-%j.log --nodes="$nodes" "${after[@]}" "${others[@]}" \
            "$here/slurm_scaling.sh" "$([ "$nodes" -lt "$most" ] && echo more || echo last)")
        echo "job ${job%%;*} on nodes: $nodes"
        after=(--dependency="afterany:${job%%;*}")
        [ "$nodes" -lt "$most" ] || break
        nodes=$((2 * nodes > most ? most : 2 * nodes)) # 1, 2, 4 ... and the largest
    done
}

measure() { # on the nodes of this job: each benchmark in a process of its own, whose memory is then its
    source "$here/site.sh"
    local size_of_rank=$(($(bytes "$SIZE") / ${SLURM_NTASKS_PER_NODE:-1})) more=(--runs "$RUNS" -o "$TABLE" ${DISK:+--disk} ${THREADS:+--threads "$THREADS"})
    for benchmark in $BENCHMARKS; do
        (launch varve bench scaling "$benchmark" --size "$SIZE" "${more[@]}")
        (launch varve bench scaling "$benchmark" --weak --size "$size_of_rank" "${more[@]}")
    done
    [ "$1" = last ] || return 0
    varve bench plot "$TABLE" -O -o "${TABLE%.csv}.png" || varve bench plot "$TABLE" -O -o "${TABLE%.csv}.svg" # without cairo
}

if [ -n "${SLURM_JOB_ID:-}" ]; then measure "$1"; else submit "$@"; fi
