/* What this process, others and the whole machine have used, as Linux's /proc tells. */
#pragma once
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"

static double own_cpu_s(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* CPU time of processes, all their threads together. */
static double processes_cpu_s(const int *pids, int count)
{
    unsigned long sum = 0;
    for (int i = 0; i < count; i++) {
        char name[64], text[1024] = "", *end;
        unsigned long user = 0, system = 0;
        snprintf(name, sizeof name, "/proc/%d/stat", pids[i]);
        FILE *file = fopen(name, "r");
        if (!file)
            continue;
        if (fgets(text, sizeof text, file) && (end = strrchr(text, ')')))
            sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
        sum += user + system;
        fclose(file);
    }
    return (double)sum / (double)sysconf(_SC_CLK_TCK);
}

/* Resident memory of processes. */
static double processes_memory_kib(const int *pids, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        char name[64];
        long size, resident;
        snprintf(name, sizeof name, "/proc/%d/statm", pids[i]);
        FILE *file = fopen(name, "r");
        if (!file)
            continue;
        if (fscanf(file, "%ld %ld", &size, &resident) == 2)
            sum += (double)(resident * (sysconf(_SC_PAGESIZE) / 1024));
        fclose(file);
    }
    return sum;
}

/* CPU time that the whole machine has spent, on anything. */
static double machine_cpu_s(void)
{
    unsigned long long user = 0, nice = 0, system = 0, idle, wait, irq = 0, softirq = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (!file)
        return 0;
    if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait, &irq, &softirq) != 7)
        user = nice = system = irq = softirq = 0;
    fclose(file);
    return (double)(user + nice + system + irq + softirq) / (double)sysconf(_SC_CLK_TCK);
}

/* All of that at one moment. */
typedef struct {
    uint64_t at_ns;
    double own_s, servers_s, machine_s;
} Usage;

static Usage usage_now(const int *pids, int count)
{
    return (Usage){now_ns(), own_cpu_s(), processes_cpu_s(pids, count), machine_cpu_s()};
}

/* Print how long it was since then, and the cores that were busy meanwhile: with us, the servers, anything else. */
static void print_usage(Usage begun, Usage ended)
{
    double seconds = (double)(ended.at_ns - begun.at_ns) / 1e9, own_s = ended.own_s - begun.own_s;
    double servers_s = ended.servers_s - begun.servers_s, others_s = ended.machine_s - begun.machine_s - own_s - servers_s;
    printf("\"seconds\":%.4f,\"client_cpu\":%.3f,\"server_cpu\":%.3f,\"other_cpu\":%.3f", seconds, own_s / seconds,
           servers_s / seconds, others_s > 0 ? others_s / seconds : 0);
}
