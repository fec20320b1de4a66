/* RFC 6455, and the chunks of RFC 9112, for a client that only counts payloads. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "client.h"

enum { TEXT = 1, CLOSE = 8, PING = 9 };

/* Each message of the bench contains this byte exactly once; nothing else that the servers send contains it. */
enum { MARK = '^' };

void send_frame(struct connection *connection, uint8_t opcode, const void *payload, size_t length)
{
    uint8_t frame[1024];
    size_t header = length < 126 ? 6 : 8;
    if (length + header > sizeof frame) {
        fprintf(stderr, "a text to say is longer than %zu bytes\n", sizeof frame - header);
        exit(2);
    }
    memset(frame, 0, header);
    frame[0] = 0x80 | opcode;
    if (header == 6) {
        frame[1] = 0x80 | (uint8_t)length;
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(length >> 8);
        frame[3] = (uint8_t)length;
    }
    memcpy(frame + header, payload, length);
    /* A few bytes into an empty send buffer: the kernel takes all of them, or the connection is broken and the next read fails. */
    send(connection->descriptor, frame, header + length, MSG_NOSIGNAL);
}

void continue_prelude(struct connection *connection)
{
    while (connection->step < options.step_count && options.steps[connection->step].say) {
        const char *text = options.steps[connection->step++].text;
        send_frame(connection, TEXT, text, strlen(text));
    }
    if (connection->step == options.step_count) {
        connection->state = READY;
        on_ready(connection);
    }
}

static void count_messages(struct connection *connection, const uint8_t *bytes, size_t length, uint64_t at)
{
    const uint8_t *end = bytes + length;
    for (const uint8_t *mark; (mark = memchr(bytes, MARK, (size_t)(end - bytes))); bytes = mark + 1) {
        uint32_t index = connection->messages++;
        counts.messages++;
        if (index >= MAX_MESSAGES)
            continue;
        struct arrival *arrival = &arrivals[index];
        if (arrival->count++ == 0)
            arrival->first = at;
        arrival->last = at;
    }
}

static int head_contains(const struct connection *connection, const char *text)
{
    return memmem(connection->head, connection->head_length, text, strlen(text)) != NULL;
}

static int on_frame(struct connection *connection)
{
    if (connection->opcode == PING) {
        send_frame(connection, 0xA, connection->head, connection->head_length);
        return 1;
    }
    if (connection->opcode == CLOSE) {
        fprintf(stderr, "closed by the server: %u\n", connection->head_length >= 2 ? connection->head[0] << 8 | connection->head[1] : 0);
        return 0;
    }
    if (connection->opcode > 2)
        return 1;
    if (options.engine_io && connection->head_length == 1 && connection->head[0] == '2') {
        send_frame(connection, TEXT, "3", 1);
        return 1;
    }
    if (connection->state == JOINING) {
        if (head_contains(connection, options.steps[connection->step].text)) {
            connection->step++;
            continue_prelude(connection);
        }
        return 1;
    }
    counts.frames++;
    return 1;
}

/* A header is whole: a payload of this many bytes follows. */
static void begin_payload(struct connection *connection, size_t header, uint64_t payload, uint8_t opcode)
{
    connection->left = payload;
    connection->opcode = opcode;
    connection->header_length = 0;
    connection->head_length = 0;
    if (opcode <= 2 && connection->state == READY)
        counts.bytes += header + payload;
}

/* A chunk's size, up to its line's end. The line's end after the data counts as payload. */
static int read_size_byte(struct connection *connection, uint8_t byte)
{
    if (connection->header_length < sizeof connection->header)
        connection->header[connection->header_length++] = byte;
    if (byte != '\n')
        return 0;
    uint8_t length = connection->header_length;
    connection->header[length - 1] = 0;
    begin_payload(connection, length, strtoull((const char *)connection->header, NULL, 16) + 2, TEXT);
    return 1;
}

/* Returns whether the header is whole. */
static int read_header_byte(struct connection *connection, uint8_t byte)
{
    if (options.http)
        return read_size_byte(connection, byte);
    uint8_t *header = connection->header;
    header[connection->header_length++] = byte;
    if (connection->header_length < 2)
        return 0;
    int length = header[1] & 127, whole = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (connection->header_length < whole)
        return 0;
    uint64_t payload = whole == 2 ? (uint64_t)length : 0;
    for (int i = 2; i < whole; i++)
        payload = payload << 8 | header[i];
    begin_payload(connection, (size_t)whole, payload, header[0] & 15);
    return 1;
}

int on_frame_bytes(struct connection *connection, const uint8_t *bytes, size_t length, uint64_t at)
{
    const uint8_t *end = bytes + length;
    int in_payload = connection->left > 0;
    while (bytes < end) {
        if (!in_payload && !read_header_byte(connection, *bytes++))
            continue;
        size_t take = connection->left < (uint64_t)(end - bytes) ? (size_t)connection->left : (size_t)(end - bytes);
        size_t keep = HEAD_BYTES - connection->head_length;
        memcpy(connection->head + connection->head_length, bytes, keep = keep < take ? keep : take);
        connection->head_length += (uint8_t)keep;
        if (connection->opcode <= 2 && connection->state == READY)
            count_messages(connection, bytes, take, at);
        bytes += take;
        connection->left -= take;
        in_payload = connection->left > 0;
        if (!in_payload && !on_frame(connection))
            return 0;
    }
    return 1;
}
