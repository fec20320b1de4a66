/*
 * client PORT PATH CONNECTIONS [--engine-io | --http] [--at-once N] [--header LINE]... [--say TEXT | --await TEXT]...
 * Opens WebSocket connections to 127.0.0.1 as fast as the server accepts them and counts what arrives. One thread, one buffer, no timers.
 * At most N connections (128) are on their way to being ready at a time. With --http it sends plain GETs and counts the chunks of their
 * responses. --header adds a line to the request. It decodes no payload, so messages are counted only in frames that are not deflated.
 * Standard output is one JSON object per line: first {"ready":...}, then an answer to each line of standard input:
 *   stat             counts so far
 *   arrival INDEX    when message number INDEX (from 0) reached the first and the last connection, in nanoseconds of CLOCK_MONOTONIC
 * It ends with its input and exits with 1 when a connect fails.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "../lines.h"
#include "client.h"

struct options options;
struct counts counts;
struct arrival arrivals[MAX_MESSAGES];

static struct connection *connections;
static int epoll, opened, ready;
static uint64_t started, last_ready;
static char request[2048];
static int request_length;
static uint8_t buffer[1 << 20];

uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s (%d of %d connections were ready)\n", what, why, ready, options.connections);
    exit(1);
}

static void watch(int operation, struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll, operation, connection->descriptor, &event) < 0)
        fail("epoll_ctl", strerror(errno));
}

static void open_next(void)
{
    struct connection *connection = &connections[opened++];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connection->descriptor < 0)
        fail("socket", strerror(errno));
    int one = 1;
    /* Closes with RST: ten thousand ports in TIME_WAIT would be missing in the next measurement. */
    struct linger at_once = {.l_onoff = 1};
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        fail("connect", strerror(errno));
    connection->state = CONNECTING;
    watch(EPOLL_CTL_ADD, connection, EPOLLOUT);
}

static void open_up_to_window(void)
{
    while (opened < options.connections && opened - ready < options.at_once)
        open_next();
}

void on_ready(struct connection *connection)
{
    (void)connection;
    last_ready = now();
    if (++ready < options.connections)
        return;
    printf("{\"ready\":%d,\"nanoseconds\":%" PRIu64 ",\"at\":%" PRIu64 "}\n", ready, last_ready - started, last_ready);
    fflush(stdout);
}

static void on_closed(struct connection *connection)
{
    static const char *const phases[] = {[CONNECTING] = "while connecting", [UPGRADING] = "during the handshake", [JOINING] = "while joining"};
    if (ready < options.connections)
        fail("a connection was closed", connection->state < READY ? phases[connection->state] : "while others were connecting");
    connection->state = CLOSED;
    close(connection->descriptor);
    counts.closed++;
}

static void on_connected(struct connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        fail("connect", strerror(error));
    if (send(connection->descriptor, request, (size_t)request_length, MSG_NOSIGNAL) != request_length)
        fail("send", strerror(errno));
    connection->state = UPGRADING;
    watch(EPOLL_CTL_MOD, connection, EPOLLIN);
}

/* Returns how many bytes belong to the handshake's answer; 0 when more are needed. step counts matched bytes of the blank line across reads. */
static size_t read_answer(struct connection *connection, const uint8_t *bytes, size_t length)
{
    if (connection->head_length == 0 && (length < 12 || memcmp(bytes, options.http ? "HTTP/1.1 200" : "HTTP/1.1 101", 12))) {
        fprintf(stderr, "%.*s\n", (int)length, (const char *)bytes);
        fail("handshake", "refused");
    }
    for (size_t i = 0; i < length; i++) {
        uint8_t expected = (uint8_t)"\r\n\r\n"[connection->step];
        connection->step = bytes[i] == expected ? (uint8_t)(connection->step + 1) : bytes[i] == '\r';
        if (connection->step == 4) {
            connection->step = connection->head_length = 0;
            return i + 1;
        }
    }
    connection->head_length = 1;
    return 0;
}

static void on_readable(struct connection *connection)
{
    ssize_t got = read(connection->descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        on_closed(connection);
        return;
    }
    const uint8_t *bytes = buffer;
    size_t length = (size_t)got;
    if (connection->state == UPGRADING) {
        size_t answered = read_answer(connection, bytes, length);
        if (!answered)
            return;
        bytes += answered;
        length -= answered;
        connection->state = JOINING;
        continue_prelude(connection);
    }
    if (!on_frame_bytes(connection, bytes, length, now()))
        on_closed(connection);
}

static double processor_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void answer(const char *line)
{
    unsigned index;
    if (sscanf(line, "arrival %u", &index) == 1 && index < MAX_MESSAGES)
        printf("{\"count\":%u,\"first\":%" PRIu64 ",\"last\":%" PRIu64 "}\n", arrivals[index].count, arrivals[index].first, arrivals[index].last);
    else
        printf("{\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"messages\":%" PRIu64 ",\"closed\":%" PRIu64 ",\"clientCpu\":%.6f}\n",
            counts.frames, counts.bytes, counts.messages, counts.closed, processor_seconds());
    fflush(stdout);
}

static void parse(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: client PORT PATH CONNECTIONS [--engine-io | --http] [--at-once N] [--header LINE]... [--say TEXT | --await TEXT]...\n");
        exit(2);
    }
    options.port = (uint16_t)atoi(argv[1]);
    options.path = argv[2];
    options.connections = atoi(argv[3]);
    options.at_once = 128;
    for (int i = 4; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--engine-io"))
            options.engine_io = 1;
        else if (!strcmp(argv[i], "--http"))
            options.http = 1;
        else if (!strcmp(argv[i], "--at-once") && atoi(value) > 0)
            options.at_once = atoi(value), i++;
        else if (!strcmp(argv[i], "--header") && options.header_count < MAX_HEADERS)
            options.headers[options.header_count++] = value, i++;
        else if ((!strcmp(argv[i], "--say") || !strcmp(argv[i], "--await")) && options.step_count < MAX_STEPS)
            options.steps[options.step_count++] = (struct step){argv[i][2] == 's', value}, i++;
        else
            fprintf(stderr, "unknown option %s\n", argv[i]), exit(2);
    }
}

static void append(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    request_length += vsnprintf(request + request_length, sizeof request - (size_t)request_length, format, arguments);
    va_end(arguments);
    if ((size_t)request_length >= sizeof request)
        fail("request", "too long");
}

static void write_request(void)
{
    append("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", options.path, options.port);
    if (!options.http)
        append("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n");
    for (int i = 0; i < options.header_count; i++)
        append("%s\r\n", options.headers[i]);
    append("\r\n");
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    write_request();
    connections = calloc((size_t)options.connections, sizeof *connections);
    epoll = epoll_create1(0);
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input);

    started = now();
    for (;;) {
        open_up_to_window();
        struct epoll_event events[512];
        int count = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                if (!read_lines(answer))
                    exit(0);
            } else if (connection->state == CONNECTING) {
                on_connected(connection);
            } else {
                on_readable(connection);
            }
        }
    }
}
