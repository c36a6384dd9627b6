/* Varve: lazy, chunked, labelled arrays for MPI. This header includes all of the user's interface. */
#ifndef VARVE_VARVE_H
#define VARVE_VARVE_H

#include "varve/analysis.h"
#include "varve/apply.h"
#include "varve/array.h"
#include "varve/call.h"
#include "varve/climate.h"
#include "varve/count.h"
#include "varve/create.h"
#include "varve/dataset.h"
#include "varve/delayed.h"
#include "varve/earth.h"
#include "varve/expression.h"
#include "varve/fft.h"
#include "varve/futures.h"
#include "varve/heartbeat.h"
#include "varve/kernel.h"
#include "varve/linalg.h"
#include "varve/move.h"
#include "varve/output.h"
#include "varve/plot.h"
#include "varve/reduction.h"
#include "varve/session.h"
#include "varve/task.h"
#include "varve/types.h"

#endif
