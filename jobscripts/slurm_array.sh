#!/bin/bash
# The same command for many inputs, one task of a job array each: for years, or variables, or members. The words are in a file, a line each:
#
#     printf '%s\n' 1990 1991 1992 1993 >years
#     sbatch --array=1-4 slurm_array.sh years clim -g month 't2m_{}.nc' -o 'clim_{}.nc'
#
# {} stands for the line. SITE marks what differs between sites; see site.sh too.
#SBATCH --job-name=varve
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=2
#SBATCH --mem=8G
#SBATCH --time=00:30:00
#SBATCH --output=%x-%A_%a.log
# SITE: #SBATCH --partition=... --account=...

set -e
[ $# -gt 1 ] || { echo "usage: sbatch --array=1-N slurm_array.sh FILE-OF-LINES COMMAND..." >&2; exit 2; }
. "${VARVE_JOBSCRIPTS:-$SLURM_SUBMIT_DIR}/site.sh"

line=$(sed -n "${SLURM_ARRAY_TASK_ID}p" "$1")
[ -n "$line" ] || { echo "$1 has no line $SLURM_ARRAY_TASK_ID" >&2; exit 2; }
shift
launch varve "${@//\{\}/$line}" --stats
