/*
 * The load: opens WebSocket connections to this machine, waits until all of them are subscribed, then counts what the
 * server pushes and how late it comes. One thread, epoll, nothing but the C library.
 *
 * Latency is the time of reading minus the CLOCK_MONOTONIC nanoseconds that the publisher wrote into the message, so
 * both have to run on one machine. A counter per product tells what is missing. All numbers in a message are integers,
 * so a message is read as the sequence of its numbers: see `LAYOUTS` in counting.h.
 *
 * Says "ready" when all connections are subscribed, "measured" when the time is over, then its figures as one line of
 * JSON. Who started it starts and ends the publisher at these moments.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <sys/resource.h>

#include "connection.h"
#include "machine.h"

enum { PRODUCTS_MAX = 4096, PIDS_MAX = 32 };
enum { QUIET_S = 3 }; /* so long without a message, and what has not come by then is lost */

/* ---- what was asked for */
static int wanted = 100, at_once = 64, total, pids[PIDS_MAX], pid_count;
static double warm_up_s = 1, measured_s = 3, resume_s = 0, timeout_s = 60;

static Connection *connections;

/* ---- a whole run */
static void open_some(int limit)
{
    static int next;
    while (next < limit && opening < at_once)
        open_connection(&connections[next++]);
}

static void open_all(void)
{
    for (uint64_t end_ns = now_ns() + (uint64_t)(timeout_s * 1e9); ready < wanted;) {
        open_some(wanted);
        turn(20);
        if (closed || now_ns() > end_ns) {
            fprintf(stderr, "load: %d of %d connections are ready, %d were closed\n", ready, wanted, closed);
            exit(3);
        }
    }
}

/* Open `total` connections, `at_once` at a time, and close each as soon as it is ready. */
static void connect_and_leave(void)
{
    int started = 0, left = 0;
    Usage begun = usage_now(pids, pid_count);
    while (left < total) {
        for (Connection *each = connections; each < connections + at_once; each++) {
            if (each->state == READY) {
                send_frame(each, 8, "\x03\xe8", 2);
                ready--;
                left++;
                each->state = UNUSED;
                close(each->fd);
            }
            if (each->state == UNUSED && started < total) {
                started++;
                open_connection(each);
            }
        }
        turn(20);
        if (closed || now_ns() - begun.at_ns > (uint64_t)(timeout_s * 1e9))
            fail("not all connections became ready");
    }
    Usage ended = usage_now(pids, pid_count);
    print_quantiles("connect_us", &connect_times);
    print_usage(begun, ended);
    printf(",\"per_s\":%.1f", total / ((double)(ended.at_ns - begun.at_ns) / 1e9));
}

static bool all_here(void)
{
    bool quiet = last_come_ns && now_ns() - last_come_ns > QUIET_S * 1000000000ull;
    return expected && (complete == wanted - stalled || quiet);
}

/* Read what the stalled connections have waiting; return by how much the newest they then know is behind the others'. */
static int64_t resume(void)
{
    int64_t newest = 0, oldest = INT64_MAX;
    for (int i = 0; i < stalled; i++)
        watch(&connections[i], EPOLL_CTL_ADD, EPOLLIN);
    turn_for(resume_s);
    for (int i = 0; i < wanted; i++) {
        int64_t known = connections[i].counters[0];
        newest = known > newest ? known : newest;
        if (i < stalled && known < oldest)
            oldest = known;
    }
    return stalled ? newest - oldest : 0;
}

static void print_figures(void)
{
    uint64_t fewest = UINT64_MAX, most = 0;
    for (int i = stalled; i < wanted; i++)
        if (!connections[i].apart) {
            fewest = connections[i].messages < fewest ? connections[i].messages : fewest;
            most = connections[i].messages > most ? connections[i].messages : most;
            missing += (uint64_t)expected > connections[i].messages ? (uint64_t)expected - connections[i].messages : 0;
        }
    print_quantiles("connect_us", &connect_times);
    print_quantiles("latency_us", &latency);
    print_quantiles("private_us", &urgent);
    printf("\"messages\":%llu,\"bytes\":%llu,\"reads\":%llu,\"missing\":%llu,\"repeated\":%llu,\"sequence_gaps\":%llu,"
           "\"fewest\":%llu,\"most\":%llu,\"closed\":%d,\"burst_ms\":%.3f,",
           (unsigned long long)messages, (unsigned long long)bytes, (unsigned long long)reads,
           (unsigned long long)missing, (unsigned long long)repeated, (unsigned long long)sequence_gaps,
           (unsigned long long)fewest, (unsigned long long)most, closed,
           messages ? (double)(last_come_ns - first_sent_ns) / 1e6 : 0);
}

static void subscribe_and_count(void)
{
    double memory_kib = processes_memory_kib(pids, pid_count);
    uint64_t begun_ns = now_ns();
    open_all();
    double connect_s = (double)(now_ns() - begun_ns) / 1e9;
    double ready_kib = processes_memory_kib(pids, pid_count);
    Usage begun = usage_now(pids, pid_count);
    if (expected) { /* a burst is too short to tell what others do meanwhile, and has no warm-up: look before it */
        turn_for(warm_up_s);
        measuring = true;
    }
    puts("ready");
    fflush(stdout);
    if (!expected) {
        turn_for(warm_up_s);
        begun = usage_now(pids, pid_count);
    }
    busy_ns = 0;
    measuring = true;
    while (now_ns() - begun.at_ns < (uint64_t)(measured_s * 1e9) && !all_here())
        turn(20);
    measuring = false;
    Usage ended = usage_now(pids, pid_count);
    double end_kib = processes_memory_kib(pids, pid_count);
    puts("measured");
    fflush(stdout);
    int64_t behind = resume();
    putchar('{');
    print_figures();
    print_usage(begun, ended);
    printf(",\"client_busy\":%.3f", (double)busy_ns / (double)(ended.at_ns - begun.at_ns));
    printf(",\"connect_s\":%.3f,\"memory_kib\":%.1f,\"grown_kib\":%.1f,\"behind\":%lld", connect_s, end_kib - memory_kib,
           end_kib - ready_kib, (long long)behind);
}

static void read_script(const char *name)
{
    FILE *file = fopen(name, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    if (!file)
        fail("the script cannot be read");
    while ((length = getline(&line, &room, file)) > 0) {
        line[length - (line[length - 1] == '\n')] = 0;
        script = realloc(script, sizeof *script * (size_t)(script_lines + 1));
        script[script_lines++] = strdup(line);
    }
    fclose(file);
}

static void read_options(int count, char **arguments)
{
    enum { PORT = 'a', PATH, SCRIPT, LAYOUT, CONNECTIONS, AT_ONCE, PRODUCTS, WARM_UP, SECONDS, EXPECT, STALL, RESUME,
           TIMEOUT, PIDS, SPIN, TOTAL, PRIVATE };
    static const struct option options[] = {
        {"port", 1, 0, PORT}, {"path", 1, 0, PATH}, {"script", 1, 0, SCRIPT}, {"layout", 1, 0, LAYOUT},
        {"connections", 1, 0, CONNECTIONS}, {"at-once", 1, 0, AT_ONCE}, {"products", 1, 0, PRODUCTS},
        {"warm-up", 1, 0, WARM_UP}, {"seconds", 1, 0, SECONDS}, {"expect", 1, 0, EXPECT}, {"stall", 1, 0, STALL},
        {"resume", 1, 0, RESUME}, {"timeout", 1, 0, TIMEOUT}, {"pids", 1, 0, PIDS}, {"spin", 0, 0, SPIN},
        {"total", 1, 0, TOTAL}, {"private", 1, 0, PRIVATE}, {0}};
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;)
        switch (option) {
        case PORT: port = atoi(optarg); break;
        case PATH: path = optarg; break;
        case SCRIPT: read_script(optarg); break;
        case LAYOUT: layout = &LAYOUTS[!strcmp(optarg, "event")]; break;
        case CONNECTIONS: wanted = atoi(optarg); break;
        case AT_ONCE: at_once = atoi(optarg); break;
        case PRODUCTS: products = atoi(optarg); break;
        case WARM_UP: warm_up_s = atof(optarg); break;
        case SECONDS: measured_s = atof(optarg); break;
        case EXPECT: expected = atoi(optarg); break;
        case STALL: stalled = atoi(optarg); break;
        case RESUME: resume_s = atof(optarg); break;
        case TIMEOUT: timeout_s = atof(optarg); break;
        case SPIN: spin = 1; break;
        case TOTAL: total = atoi(optarg); break;
        case PRIVATE: private_word = optarg; break;
        case PIDS:
            for (char *pid = strtok(optarg, ","); pid && pid_count < PIDS_MAX; pid = strtok(NULL, ","))
                pids[pid_count++] = atoi(pid);
            break;
        default: exit(2);
        }
    if (wanted < 1 || at_once < 1 || products < 1 || products > PRODUCTS_MAX || stalled >= wanted)
        fail("these numbers make no sense");
}

int main(int count, char **arguments)
{
    struct rlimit files;
    read_options(count, arguments);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(0);
    buffer = malloc(2 * READ_BYTES);
    int slots = total ? at_once : wanted;
    connections = calloc((size_t)slots, sizeof *connections);
    for (int i = 0; i < slots; i++) {
        connections[i].number = i;
        connections[i].apart = i < stalled || (private_word && i == slots - 1);
        connections[i].counters = calloc((size_t)products, sizeof(int64_t));
    }
    if (total) {
        putchar('{');
        connect_and_leave();
    } else
        subscribe_and_count();
    printf("}\n");
    return 0;
}
