/* What ranks other than the coordinator have to be told of where chunks lie. */
#ifndef VV_EXEC_READ_FEED_INDEX_H
#define VV_EXEC_READ_FEED_INDEX_H

#include "exec/work.h"

/* A source's chunks are read by the places that its index has. */
bool vv_feed_indexed(const vv_source *s);
/* Places of this step's chunks are told, like where chunks of a source lie. */
bool vv_feed_places_told(const vv_plan *p, int step);
/* The plan has either. */
bool vv_feed_index_due(const vv_plan *p);

#endif
