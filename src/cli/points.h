/* Points of the globe as users write them, and values there. */
#ifndef VV_CLI_POINTS_H
#define VV_CLI_POINTS_H

#include "cli/move.h"

typedef struct vv_cli_points {
    vv_index n, room;
    double *at;         /* longitude and latitude of each */
    vv_cli_words names; /* of all of them, or none */
    int lat, lon;       /* variables of the dataset that tell where its cells are; -1: none yet */
} vv_cli_points;

/* "10.5,50;20,60", or a file with a point a line: longitude, latitude and, if all have one, a name. To be freed. */
VV_WARN_UNUSED vv_status vv_cli_points_read(const char *text, vv_cli_points *p);
void vv_cli_points_free(vv_cli_points *p);

/* The variables of latitudes and longitudes. */
VV_WARN_UNUSED vv_status vv_cli_points_grid(vv_cli_points *p, vv_dataset *d);
/* Whether a variable lies on that grid. */
bool vv_cli_points_has(const vv_cli_points *p, const vv_dataset *d, const vv_var_info *v);

/* Whether a variable is a "latitude", or a "longitude", by its units or its standard name. */
bool vv_cli_is_angle(const vv_dataset *d, int var, const char *standard);

#endif
