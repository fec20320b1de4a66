/*
 * floor PORT [uring]: the least work of a push server, nearly all of it in the kernel. One thread.
 * Accepts WebSocket connections on 127.0.0.1; the handshake's answer is constant. Each line "push MESSAGES BYTES" on standard input makes
 * one text frame of that many messages and sends it to every connection. Prints "ready" once it listens and ends with its input.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../lines.h"
#include "floor.h"

/* PushNode's default: the kernel must not grow the buffer for either of them. */
enum { SEND_BUFFER = 128 * 1024 };

static const char answer[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static int epoll;
static int use_uring;
static int members[MAX_DESCRIPTORS];
static size_t member_count;
static int place[MAX_DESCRIPTORS]; /* of a descriptor in members, plus 1 */
static size_t unsent[MAX_DESCRIPTORS];
static struct push push;
static long skipped;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int operation, int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(epoll, operation, descriptor, &event) < 0)
        die("epoll_ctl");
}

static void leave(int descriptor)
{
    if (place[descriptor]) {
        int last = members[--member_count];
        members[place[descriptor] - 1] = last;
        place[last] = place[descriptor];
        place[descriptor] = 0;
        uring_members_changed();
    }
    unsent[descriptor] = 0;
    close(descriptor);
}

static void join(int descriptor)
{
    members[member_count++] = descriptor;
    place[descriptor] = (int)member_count;
    uring_members_changed();
}

void on_sent(int descriptor, long result)
{
    if (result == (long)push.length)
        return;
    if (result < 0 && result != -EAGAIN)
        return; /* Broken: epoll reports it too. */
    unsent[descriptor] = push.length - (result > 0 ? (size_t)result : 0);
    watch(EPOLL_CTL_MOD, descriptor, EPOLLIN | EPOLLOUT);
}

static void on_writable(int descriptor)
{
    ssize_t sent = send(descriptor, push.bytes + push.length - unsent[descriptor], unsent[descriptor], MSG_NOSIGNAL);
    if (sent > 0)
        unsent[descriptor] -= (size_t)sent;
    if (unsent[descriptor] == 0)
        watch(EPOLL_CTL_MOD, descriptor, EPOLLIN);
}

static void build_frame(long messages, long bytes)
{
    static uint8_t *buffer;
    size_t length = (size_t)messages * (size_t)bytes;
    buffer = realloc(buffer, length + 10);
    size_t header = length < 126 ? 2 : length < 65536 ? 4 : 10;
    buffer[0] = 0x81;
    if (header == 2) {
        buffer[1] = (uint8_t)length;
    } else {
        buffer[1] = header == 4 ? 126 : 127;
        for (size_t i = 2; i < header; i++)
            buffer[i] = (uint8_t)(length >> 8 * (header - 1 - i));
    }
    memset(buffer + header, 'x', length);
    for (long i = 0; i < messages; i++)
        buffer[header + (size_t)(i * bytes)] = '^';
    push = (struct push){buffer, header + length};
}

static void push_all(long messages, long bytes)
{
    /* A client that has not taken all of the previous frame would lose its position in it. */
    for (size_t i = 0; i < member_count; i++) {
        if (unsent[members[i]]) {
            skipped++;
            return;
        }
    }
    build_frame(messages, bytes);
    if (use_uring) {
        uring_push(&push, members, member_count);
        return;
    }
    for (size_t i = 0; i < member_count; i++) {
        ssize_t sent = send(members[i], push.bytes, push.length, MSG_NOSIGNAL);
        on_sent(members[i], sent < 0 ? -errno : sent);
    }
}

static void on_line(const char *line)
{
    long messages, bytes;
    if (sscanf(line, "push %ld %ld", &messages, &bytes) == 2 && messages > 0 && bytes > 0)
        push_all(messages, bytes);
}

static void on_input(void)
{
    if (read_lines(on_line))
        return;
    if (skipped)
        fprintf(stderr, "%ld pushes skipped because the previous frame had not left\n", skipped);
    exit(0);
}

static void on_acceptable(int listener)
{
    for (int descriptor; (descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        int one = 1, size = SEND_BUFFER;
        if (descriptor >= MAX_DESCRIPTORS)
            die("too many descriptors");
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        watch(EPOLL_CTL_ADD, descriptor, EPOLLIN);
    }
}

static void on_readable(int descriptor)
{
    char request[4096];
    ssize_t got = read(descriptor, request, sizeof request);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        leave(descriptor);
    } else if (got >= 4 && !place[descriptor] && !memcmp(request + got - 4, "\r\n\r\n", 4)) {
        /* The bench's client sends its request in one write, which loopback delivers in one piece. */
        if (send(descriptor, answer, sizeof answer - 1, MSG_NOSIGNAL) != (ssize_t)sizeof answer - 1)
            leave(descriptor);
        else
            join(descriptor);
    }
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0)
        die("listen");
    return listener;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: floor PORT [uring]\n");
        return 2;
    }
    use_uring = argc > 2 && !strcmp(argv[2], "uring");
    if (use_uring && !uring_start()) {
        fprintf(stderr, "io_uring is not available: %s\n", strerror(errno));
        return 3;
    }

    epoll = epoll_create1(0);
    int listener = listen_on((uint16_t)atoi(argv[1]));
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[512];
        int count = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < count; i++) {
            int descriptor = events[i].data.fd;
            if (descriptor == STDIN_FILENO)
                on_input();
            else if (descriptor == listener)
                on_acceptable(listener);
            else {
                if (events[i].events & EPOLLOUT && unsent[descriptor])
                    on_writable(descriptor);
                if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                    on_readable(descriptor);
            }
        }
    }
}
