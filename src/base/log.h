/* Log lines on stderr: "varve[rank] level: text". Thread-safe, one write per line. */
#ifndef VV_BASE_LOG_H
#define VV_BASE_LOG_H

#include "base/status.h"

typedef enum vv_log_level { VV_LOG_ERROR, VV_LOG_WARN, VV_LOG_INFO, VV_LOG_DEBUG } vv_log_level;

void vv_log_set(vv_log_level level);
vv_log_level vv_log_get(void);
VV_WARN_UNUSED vv_status vv_log_parse(const char *text, vv_log_level *out); /* "error", "warn", "info", "debug" */
void vv_say(vv_log_level level, const char *format, ...) VV_PRINTF(2, 3);

#endif
