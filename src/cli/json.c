#include "cli/json.h"

#include <stdbool.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at the start of s[0 .. n), 0 when there is none. */
static size_t sequence(const unsigned char *s, size_t n)
{
    size_t length = s[0] < 0x80                   ? 1
                    : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                    : (s[0] & 0xf0) == 0xe0       ? 3
                    : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                                  : 0;
    if (length > n) return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool outside = (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf4 && s[1] >= 0x90); /* surrogates, beyond U+10FFFF */
    return overlong || outside ? 0 : length;
}

void vv_cli_json_bytes(FILE *out, const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    fputc('"', out);
    for (size_t i = 0; i < n;) {
        size_t length = sequence(s + i, n - i);
        if (length == 0 || s[i] < 0x20 || s[i] == 0x7f)
            fprintf(out, "\\u%04x", s[i]);
        else
            fprintf(out, "%s%.*s", s[i] == '"' || s[i] == '\\' ? "\\" : "", (int)length, text + i);
        i += length ? length : 1;
    }
    fputc('"', out);
}

void vv_cli_json_text(FILE *out, const char *text)
{
    if (text)
        vv_cli_json_bytes(out, text, strlen(text));
    else
        fputs("null", out);
}
