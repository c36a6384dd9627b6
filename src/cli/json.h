/* Texts in JSON. A byte that belongs to no well-formed UTF-8 is shown as the Latin-1 letter that it may have been. */
#ifndef VV_CLI_JSON_H
#define VV_CLI_JSON_H

#include <stdio.h>

/* In quotes; NULL: null. */
void vv_cli_json_text(FILE *out, const char *text);
void vv_cli_json_bytes(FILE *out, const char *text, size_t n);

#endif
