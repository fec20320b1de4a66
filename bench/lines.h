#pragma once
#include <string.h>
#include <unistd.h>

/* Reads standard input once and passes each complete line to on_line. Returns 0 at the end of the input. */
static inline int read_lines(void (*on_line)(const char *line))
{
    static char buffer[4096];
    static size_t filled;
    ssize_t got = read(STDIN_FILENO, buffer + filled, sizeof buffer - 1 - filled);
    if (got <= 0)
        return 0;
    filled += (size_t)got;
    buffer[filled] = 0;
    char *from = buffer;
    for (char *end; (end = strchr(from, '\n')); from = end + 1) {
        *end = 0;
        on_line(from);
    }
    filled -= (size_t)(from - buffer);
    memmove(buffer, from, filled);
    return 1;
}
