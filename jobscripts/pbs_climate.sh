#!/bin/bash
# One command on several nodes, under PBS Pro:
#
#     command="clim -g month 't2m_*.nc' -o clim.nc" qsub -v command pbs_climate.sh
#
# When it is submitted again after its time was over it goes on where it was. SITE marks what differs between sites; see site.sh too.
#PBS -N varve
#PBS -l select=2:ncpus=8:mpiprocs=4:ompthreads=2:mem=16gb
#PBS -l walltime=04:00:00
#PBS -j oe
#PBS -r y
# SITE: #PBS -q ... -A ...

cd "$PBS_O_WORKDIR" || exit 1
[ -n "$command" ] || { echo 'usage: command="..." qsub -v command pbs_climate.sh' >&2; exit 2; }
. "${VARVE_JOBSCRIPTS:-$PBS_O_WORKDIR}/site.sh"
RANKS_PER_NODE=4

# The journal is written every five minutes; what is done after that and before the end is done again.
words "$command"
launch varve "${words[@]}" --checkpoint=5m --resume --stats
