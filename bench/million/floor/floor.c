// The kernel's floor of bench/million.sh: floor PAIRS SOCKETS BYTES
// PAIRS senders with SOCKETS sockets each send BYTES bytes to every socket, one send(2) after another; as many readers hold the other ends and read them in
// the same order. Prints the seconds of three rounds, from the first send to the last read. Loopback only; it ends after five minutes at most.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { Rounds = 3, MaxPairs = 250, MaxSockets = 19000, MaxBytes = 65536, TimeLimit = 300, Pause = 2000, SocketsOfAnAddress = 9500 };

/// What the processes share.
static struct shared {
    atomic_int connected, round, done;
    in_port_t ports[MaxPairs];
    atomic_int listening;
} *shared;

static int pairs, sockets, bytes;
static char buffer[MaxBytes];

static void fail(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    kill(0, SIGTERM);
    exit(1);
}

static void *need(void *memory) {
    if (memory == NULL || memory == MAP_FAILED) fail("memory");
    return memory;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void wait_until(atomic_int *counter, int value) {
    while (atomic_load(counter) < value) usleep(Pause);
}

static struct sockaddr_in loopback(unsigned offset, in_port_t port) {
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + offset) };
}

static void send_all(int pair) {
    int *descriptors = need(calloc((size_t)sockets, sizeof(int)));
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(0, 0);
    socklen_t length = sizeof address;
    if (listener < 0 || bind(listener, (void *)&address, length) || listen(listener, 4096) || getsockname(listener, (void *)&address, &length)) fail("listen");
    shared->ports[pair] = address.sin_port;
    atomic_fetch_add(&shared->listening, 1);
    for (int i = 0; i < sockets; i++)
        if ((descriptors[i] = accept(listener, NULL, NULL)) < 0) fail("accept");
    for (int round = 1; round <= Rounds; round++) {
        wait_until(&shared->round, round);
        for (int i = 0; i < sockets; i++)
            if (send(descriptors[i], buffer, (size_t)bytes, MSG_NOSIGNAL) != bytes) fail("send");
    }
}

static void read_all(int pair) {
    int *descriptors = need(calloc((size_t)sockets, sizeof(int)));
    for (int i = 0; i < sockets; i++) {
        int yes = 1, descriptor = socket(AF_INET, SOCK_STREAM, 0);
        // Finding a free port takes long when half of an address's ports are in use.
        struct sockaddr_in from = loopback(256u * (1 + (unsigned)(i / SocketsOfAnAddress)), 0), to = loopback(0, shared->ports[pair]);
        if (descriptor < 0 || setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) || bind(descriptor, (void *)&from, sizeof from)
            || connect(descriptor, (void *)&to, sizeof to)) fail("connect");
        descriptors[i] = descriptor;
        atomic_fetch_add(&shared->connected, 1);
    }
    for (int round = 1; round <= Rounds; round++) {
        wait_until(&shared->round, round);
        for (int i = 0; i < sockets; i++)
            if (recv(descriptors[i], buffer, (size_t)bytes, MSG_WAITALL) != bytes) fail("recv");
        atomic_fetch_add(&shared->done, 1);
    }
}

static void start(void (*body)(int), int pair) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(TimeLimit);
    body(pair);
    _exit(0);
}

static int number(const char *text, int most) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end || value < 1 || value > most) {
        fprintf(stderr, "floor: %s is not a number from 1 to %d.\n", text, most);
        exit(2);
    }
    return (int)value;
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: floor PAIRS SOCKETS BYTES\n");
        return 2;
    }
    pairs = number(arguments[1], MaxPairs);
    sockets = number(arguments[2], MaxSockets);
    bytes = number(arguments[3], MaxBytes);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    setpgid(0, 0);
    signal(SIGCHLD, SIG_IGN);
    alarm(TimeLimit);
    shared = need(mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

    for (int pair = 0; pair < pairs; pair++) start(send_all, pair);
    wait_until(&shared->listening, pairs);
    double began = seconds();
    for (int pair = 0; pair < pairs; pair++) start(read_all, pair);
    wait_until(&shared->connected, pairs * sockets);
    printf("%d sockets connected in %.1f s\n", pairs * sockets, seconds() - began);
    for (int round = 1; round <= Rounds; round++) {
        usleep(1000000);
        began = seconds();
        atomic_store(&shared->round, round);
        wait_until(&shared->done, round * pairs);
        printf("%d bytes to each: %.2f s\n", bytes, seconds() - began);
        fflush(stdout);
    }
    return 0;
}
