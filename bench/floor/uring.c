/* Sends over io_uring by raw system calls: 256 sends per submission, over registered files. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "floor.h"

enum { BATCH = 256 };

static struct {
    int descriptor;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *completions;
    unsigned *submit_array, *submit_mask;
    _Atomic unsigned *submit_tail, *complete_head, *complete_tail;
    unsigned *complete_mask;
} ring;

static int registered;

static void *map(size_t length, off_t offset)
{
    void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.descriptor, offset);
    return at == MAP_FAILED ? NULL : at;
}

static int set_up(struct io_uring_params *parameters, unsigned flags)
{
    memset(parameters, 0, sizeof *parameters);
    parameters->flags = flags;
    ring.descriptor = (int)syscall(__NR_io_uring_setup, BATCH, parameters);
    return ring.descriptor >= 0;
}

int uring_start(void)
{
    struct io_uring_params p;
    /* Kernels before 6.1 reject these two flags. */
    if (!set_up(&p, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) && !(errno == EINVAL && set_up(&p, 0)))
        return 0;

    char *submit = map(p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
    char *complete = map(p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
    ring.entries = map(p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
    if (!submit || !complete || !ring.entries)
        return 0;
    ring.submit_array = (unsigned *)(submit + p.sq_off.array);
    ring.submit_mask = (unsigned *)(submit + p.sq_off.ring_mask);
    ring.submit_tail = (_Atomic unsigned *)(submit + p.sq_off.tail);
    ring.complete_head = (_Atomic unsigned *)(complete + p.cq_off.head);
    ring.complete_tail = (_Atomic unsigned *)(complete + p.cq_off.tail);
    ring.complete_mask = (unsigned *)(complete + p.cq_off.ring_mask);
    ring.completions = (struct io_uring_cqe *)(complete + p.cq_off.cqes);
    return 1;
}

void uring_members_changed(void)
{
    if (registered)
        syscall(__NR_io_uring_register, ring.descriptor, IORING_UNREGISTER_FILES, NULL, 0);
    registered = 0;
}

static void register_members(const int *members, size_t count)
{
    if (syscall(__NR_io_uring_register, ring.descriptor, IORING_REGISTER_FILES, members, (unsigned)count) < 0) {
        perror("io_uring_register");
        exit(1);
    }
    registered = 1;
}

static void submit_and_wait(unsigned count)
{
    unsigned to_submit = count;
    unsigned done = 0;
    while (done < count) {
        long submitted = syscall(__NR_io_uring_enter, ring.descriptor, to_submit, count - done, IORING_ENTER_GETEVENTS, NULL, 0);
        if (submitted < 0 && errno != EINTR) {
            perror("io_uring_enter");
            exit(1);
        }
        if (submitted > 0)
            to_submit -= (unsigned)submitted;
        unsigned head = atomic_load_explicit(ring.complete_head, memory_order_relaxed);
        unsigned tail = atomic_load_explicit(ring.complete_tail, memory_order_acquire);
        for (; head != tail; head++, done++) {
            struct io_uring_cqe *completion = &ring.completions[head & *ring.complete_mask];
            on_sent((int)completion->user_data, completion->res);
        }
        atomic_store_explicit(ring.complete_head, head, memory_order_release);
    }
}

void uring_push(const struct push *push, const int *members, size_t count)
{
    if (!registered)
        register_members(members, count);
    for (size_t i = 0; i < count;) {
        unsigned tail = atomic_load_explicit(ring.submit_tail, memory_order_relaxed);
        unsigned batch = 0;
        for (; batch < BATCH && i < count; batch++, i++, tail++) {
            unsigned slot = tail & *ring.submit_mask;
            struct io_uring_sqe *entry = &ring.entries[slot];
            memset(entry, 0, sizeof *entry);
            entry->opcode = IORING_OP_SEND;
            entry->flags = IOSQE_FIXED_FILE;
            entry->fd = (int)i;
            entry->addr = (uintptr_t)push->bytes;
            entry->len = (unsigned)push->length;
            entry->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT;
            entry->user_data = (unsigned)members[i];
            ring.submit_array[slot] = slot;
        }
        atomic_store_explicit(ring.submit_tail, tail, memory_order_release);
        submit_and_wait(batch);
    }
}
