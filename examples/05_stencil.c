/* 05: a function of your own, of every element and its neighbours.
 *
 *     mpirun -n 2 ./05_stencil t2m.nc t2m
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     t2m (time: 1096, lat: 91, lon: 180) f32, 71.8 MB
 *     steepest: ... K per degree
 *     on the last day at 45 N: ...
 *
 * vv_map_overlap() calls a plain C function for every chunk, on the rank that has it, with as many elements around it as the function needs. What lies beyond the
 * array's ends is said by name: longitudes go on at the other end, latitudes with their last row. The function writes the chunk alone; nothing has
 * to be trimmed. Nobody puts the field together anywhere: neighbours exchange their borders.
 *
 * A function like this one is static, and still every rank finds it: all of them run the same program. */
#include <math.h>
#include <stdio.h>
#include <varve/varve.h>

typedef struct spacing {
    double lat, lon; /* degrees */
} spacing;

/* Steepness of a field (time, lat, lon), by the neighbours on each side. */
static int steepness(const vv_block_task *t)
{
    const spacing *s = t->data;
    const vv_chunk *in = &t->in[0];
    vv_index rows = t->out->length[1], columns = t->out->length[2], row = in->length[2];
    for (vv_index day = 0; day < t->out->length[0]; day++)
        for (vv_index y = 0; y < rows; y++) {
            const float *here = (const float *)in->data + (day * in->length[1] + y + 1) * row + 1;
            float *to = (float *)t->result + (day * rows + y) * columns;
            for (vv_index x = 0; x < columns; x++) {
                double dx = (double)(here[x + 1] - here[x - 1]) / (2 * s->lon);
                double dy = (double)(here[x + row] - here[x - row]) / (2 * s->lat);
                to[x] = (float)sqrt(dx * dx + dy * dy);
            }
        }
    return 0;
}

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc != 3) return vv_error(VV_ERR_USAGE, "usage: %s FILE VARIABLE", argv[0]);

    vv_array *t = vv_open(s, argv[1], argv[2]);
    vv_apply_options options = VV_APPLY_OPTIONS_INIT;
    options.data = &(spacing){2, 2}; /* travels with the function */
    options.data_size = sizeof(spacing);
    vv_array *steep = vv_map_overlap(s, steepness, &t, 1, "lat:1,lon:1", "lat:nearest,lon:periodic", &options);

    /* Like any other array. */
    float most, day[180];
    vv_array *last = vv_squeeze(vv_select(vv_at(steep, "time", -1), "lat", "~45"), NULL);
    vv_status status = vv_compute_all((vv_array *[]){vv_max(steep, NULL), last}, (void *[]){&most, day},
                                      (vv_bytes[]){sizeof most, sizeof day}, 2);
    if (status != VV_OK) return status;
    char text[200];
    printf("%s\n", vv_describe(steep, text, sizeof text));
    printf("steepest: %.3f K per degree\n", (double)most);
    printf("on the last day at 45 N: %.3f %.3f %.3f ...\n", (double)day[0], (double)day[1], (double)day[2]);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
