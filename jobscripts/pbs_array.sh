#!/bin/bash
# The same command for many inputs, one task of a job array each, under PBS Pro. The words are in a file, a line each; {} stands for the line:
#
#     command="clim -g month t2m_{}.nc -o clim_{}.nc" qsub -J 1-4 -v lines=years,command pbs_array.sh
#PBS -N varve
#PBS -l select=1:ncpus=8:mpiprocs=4:ompthreads=2:mem=8gb
#PBS -l walltime=00:30:00
#PBS -j oe
# SITE: #PBS -q ... -A ...

cd "$PBS_O_WORKDIR" || exit 1
[ -n "$command" ] && [ -n "$lines" ] || { echo 'usage: command="..." qsub -J 1-N -v lines=FILE,command pbs_array.sh' >&2; exit 2; }
. "${VARVE_JOBSCRIPTS:-$PBS_O_WORKDIR}/site.sh"
RANKS_PER_NODE=4

line=$(sed -n "${PBS_ARRAY_INDEX}p" "$lines")
[ -n "$line" ] || { echo "$lines has no line $PBS_ARRAY_INDEX" >&2; exit 2; }
words "$command"
launch varve "${words[@]//\{\}/$line}" --stats
