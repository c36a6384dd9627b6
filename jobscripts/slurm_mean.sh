#!/bin/bash
# The mean over time of a file, on two nodes:
#
#     sbatch slurm_mean.sh t2m.nc mean.nc
#
# Sites differ in partitions, accounts and modules: see the lines marked SITE.
#SBATCH --job-name=varve-mean
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=2
#SBATCH --mem=16G
#SBATCH --time=00:30:00
#SBATCH --output=%x-%j.log
# SITE: #SBATCH --partition=... --account=...

set -e
input=${1:?usage: sbatch slurm_mean.sh INPUT OUTPUT}
output=${2:?usage: sbatch slurm_mean.sh INPUT OUTPUT}

# SITE: module load openmpi hdf5-parallel varve

# What it will read, move, write and hold, for the log; one process, no data is read.
varve mean -d time "$input" -o "$output" --overwrite --explain

# Open MPI takes hosts and ranks from the allocation. With a Slurm that has PMIx, `srun --mpi=pmix varve ...` is the same.
mpirun --map-by "ppr:$SLURM_NTASKS_PER_NODE:node:PE=$SLURM_CPUS_PER_TASK" \
    varve mean -d time "$input" -o "$output" --overwrite --stats
