#pragma once
#include <stddef.h>
#include <stdint.h>

enum { HEAD_BYTES = 160, MAX_STEPS = 8, MAX_HEADERS = 4, MAX_MESSAGES = 1 << 16 };

/* One step after the handshake: send a text, or wait for a frame that contains one. */
struct step {
    int say;
    const char *text;
};

struct options {
    uint16_t port;
    const char *path;
    int connections;
    int at_once;     /* connections on their way to being ready */
    int engine_io;   /* answer the text "2" with "3" */
    int http;        /* a GET whose response has no end: each chunk is a frame */
    int header_count;
    const char *headers[MAX_HEADERS];
    int step_count;
    struct step steps[MAX_STEPS];
};

enum state { CONNECTING, UPGRADING, JOINING, READY, CLOSED };

struct connection {
    int descriptor;
    uint8_t state, step, header_length, opcode;
    uint8_t head_length;             /* bytes of the payload kept in head */
    uint8_t header[10];
    uint8_t head[HEAD_BYTES];        /* of the handshake's answer, or of a frame's payload */
    uint32_t messages;               /* received so far: the next one's index */
    uint64_t left;                   /* of the payload */
};

struct counts {
    uint64_t frames, bytes, messages, closed;
};

/* How many connections message number i (counted per connection) has reached, and when it reached the first and the last: CLOCK_MONOTONIC. */
struct arrival {
    uint32_t count;
    uint64_t first, last;
};

extern struct options options;
extern struct counts counts;
extern struct arrival arrivals[MAX_MESSAGES];

uint64_t now(void);

/* Reads frames from bytes that arrived together. Returns 0 when the connection must be closed. */
int on_frame_bytes(struct connection *connection, const uint8_t *bytes, size_t length, uint64_t at);

/* Takes the next steps after the handshake; calls on_ready after the last. */
void continue_prelude(struct connection *connection);
void on_ready(struct connection *connection);

/* Sends one frame, masked with zeros. */
void send_frame(struct connection *connection, uint8_t opcode, const void *payload, size_t length);
