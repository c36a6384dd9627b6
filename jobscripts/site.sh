# What the jobs of a site have in common. The scripts beside it read it from the folder they were submitted from, or from $VARVE_JOBSCRIPTS.

# SITE: module load openmpi hdf5-parallel varve

# SITE: mpirun takes the nodes from the allocation; `srun --mpi=pmix` does as well where Slurm has PMIx (srun --mpi=list). Set VARVE_LAUNCHER=srun for it.
launcher=${VARVE_LAUNCHER:-mpirun}

# SITE: should ranks of srun end with a segmentation fault within MPI_Init, now and then: Slurm 22.05's barrier along a tree of nodes let some go on too early, around a ring it did not (none of 103 starts, instead of 3 of 40).
# export SLURM_PMIX_FENCE=ring

# launch COMMAND...: on all ranks of the allocation, each bound to its cores.
launch() {
    if [ "$launcher" = srun ]; then
        exec srun --mpi=pmix "$@"
    elif [ -n "$PBS_JOBID" ]; then
        exec mpirun --map-by "ppr:${RANKS_PER_NODE:-1}:node:PE=${OMP_NUM_THREADS:-1}" "$@"
    else
        exec mpirun --map-by "ppr:${SLURM_NTASKS_PER_NODE:-1}:node:PE=${SLURM_CPUS_PER_TASK:-1}" "$@"
    fi
}

# words TEXT: into the array `words`; quotes hold words together, and nothing else is done to them.
words() {
    local text
    text=$(xargs printf '%s\n' <<<"$1") || exit 2
    mapfile -t words <<<"$text"
}

# known NAME...: the variables that are set, as qsub -v wants them; it refuses others.
known() {
    local name list=
    for name in "$@"; do [ -z "${!name:-}" ] || list+=,$name; done
    echo "${list#,}"
}

# stripe DIRECTORY: files that are made there from now on lie on several targets of a Lustre file system, so that many ranks write at once. Anywhere else
# it does nothing. SITE: how many targets, and how large the stripes are; 4 MiB suits chunks of some MB.
stripe() {
    command -v lfs >/dev/null && lfs getstripe -d "$1" >/dev/null 2>&1 && lfs setstripe -c "${STRIPES:-8}" -S 4M "$1"
    return 0
}
