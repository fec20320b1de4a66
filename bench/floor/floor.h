#pragma once
#include <stddef.h>
#include <stdint.h>

enum { MAX_DESCRIPTORS = 65536 };

/* The frame being pushed, and what each descriptor has not taken of it (0: all taken). */
struct push {
    const uint8_t *bytes;
    size_t length;
};

/* result is how many bytes of the frame the kernel accepted, or a negative errno. */
void on_sent(int descriptor, long result);

/* Returns 0 when the kernel or a sandbox forbids io_uring. */
int uring_start(void);
void uring_members_changed(void);
void uring_push(const struct push *push, const int *members, size_t count);
