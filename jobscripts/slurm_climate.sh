#!/bin/bash
# One command on several nodes:
#
#     sbatch slurm_climate.sh clim -g month 't2m_*.nc' -o clim.nc
#
# `varve jobscript slurm -- clim ...` writes a script whose memory and ranks fit the command. SITE marks what differs between sites; see site.sh too.
#SBATCH --job-name=varve
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=2
#SBATCH --mem=16G
#SBATCH --time=00:30:00
#SBATCH --output=%x-%j.log
# SITE: #SBATCH --partition=... --account=...

set -e
[ $# -gt 0 ] || { echo "usage: sbatch slurm_climate.sh COMMAND..." >&2; exit 2; }
. "${VARVE_JOBSCRIPTS:-$SLURM_SUBMIT_DIR}/site.sh"

# What it will read, move, write and hold, for the log: one process, no data is read.
varve explain "$@" --ranks "$((SLURM_JOB_NUM_NODES * SLURM_NTASKS_PER_NODE))"

launch varve "$@" --stats
