# What the scaling sweeps of all batch systems have in common; they read it.
#
# SIZE: data of a strong-scaling run on all ranks together, and of a weak-scaling run on each node (SIZE=4GB).  BENCHMARKS="reduce rechunk matmul write".  RUNS=3, of which the middle one counts.  THREADS: of a rank; as many as
# it has cores, unless said.  DISK=1: data of reduce and rechunk lies on the disk.  TABLE=scaling.csv.
SIZE=${SIZE:-4GB} BENCHMARKS=${BENCHMARKS:-reduce rechunk matmul write} RUNS=${RUNS:-3} TABLE=${TABLE:-scaling.csv}

bytes() { # "4GB" as a number
    numfmt --from=auto "${1%B}"
}

# after NODES MOST: the number of nodes of the next job: 1, 2, 4 ... and the largest
after() {
    echo $((2 * $1 > $2 ? $2 : 2 * $1))
}

# is_fresh: a sweep does not add to the table of another one
is_fresh() {
    [ -e "$TABLE" ] || return 0
    echo "$TABLE is there already; move it away, or name another TABLE" >&2
    return 1
}

# measure RANKS-OF-A-NODE more|last: on the nodes of this job, each benchmark in a process of its own, whose memory is then its. The last job draws the curves.
measure() {
    local size_of_rank=$(($(bytes "$SIZE") / $1)) more=(--runs "$RUNS" -o "$TABLE" ${DISK:+--disk} ${THREADS:+--threads "$THREADS"})
    for benchmark in $BENCHMARKS; do
        (launch varve bench scaling "$benchmark" --size "$SIZE" "${more[@]}")
        (launch varve bench scaling "$benchmark" --weak --size "$size_of_rank" "${more[@]}")
    done
    [ "$2" = last ] || return 0
    varve bench plot "$TABLE" -O -o "${TABLE%.csv}.png" || varve bench plot "$TABLE" -O -o "${TABLE%.csv}.svg" # without cairo
}
