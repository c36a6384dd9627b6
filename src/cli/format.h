/* Numbers, shapes and tables as text. */
#ifndef VV_CLI_FORMAT_H
#define VV_CLI_FORMAT_H

#include "varve/types.h"

#include <stdio.h>

enum { VV_CLI_VALUE = 80 }; /* room for any element */

/* Element i of an array in memory: the shortest text that reads back as the same value. */
const char *vv_cli_value(vv_dtype type, const void *data, vv_index i, char out[VV_CLI_VALUE]);
/* A real number for people: six digits, no trailing zeros. */
const char *vv_cli_rounded(double x, char out[VV_CLI_VALUE]);

/* A table whose cells are texts. A cell that overlong text makes wider widens its column; the last column is not padded. */
enum { VV_CLI_COLUMNS = 10 };
typedef struct vv_cli_table {
    int columns, rows, failed;
    char **cell; /* rows x VV_CLI_COLUMNS */
    const char *tint[VV_CLI_COLUMNS],
        *head; /* escape sequences in front of the cells of a column, and of the first row; NULL: none */
} vv_cli_table;

/* Adds a cell to the row in hand; vv_cli_table_row begins the next one. */
void vv_cli_table_row(vv_cli_table *t);
void vv_cli_table_cell(vv_cli_table *t, const char *format, ...) VV_PRINTF(2, 3);
/* align: a letter for each column, l or r. Columns without any text are left out. Frees the table. */
VV_WARN_UNUSED vv_status vv_cli_table_print(vv_cli_table *t, FILE *out, const char *align);
void vv_cli_table_free(vv_cli_table *t);

#endif
