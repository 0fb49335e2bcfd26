/* How late things are: a histogram of nanoseconds with 64 steps per power of two, so every figure is 1.6 % exact. */
#pragma once
#include <stdint.h>
#include <stdio.h>

enum { STEPS = 64, STEP_BITS = 6 };
typedef struct {
    uint64_t bins[64 * STEPS], count, largest;
} Histogram;

static int bin_of(uint64_t value)
{
    if (value < STEPS)
        return (int)value;
    int power = 63 - __builtin_clzll(value);
    return (power - STEP_BITS + 1) * STEPS + (int)((value >> (power - STEP_BITS)) - STEPS);
}

static uint64_t value_of(int bin)
{
    if (bin < STEPS)
        return (uint64_t)bin;
    int power = bin / STEPS + STEP_BITS - 1;
    return ((uint64_t)(bin % STEPS + STEPS) << (power - STEP_BITS)) + (1ull << (power - STEP_BITS)) / 2;
}

static void note(Histogram *histogram, uint64_t value)
{
    histogram->bins[bin_of(value)]++;
    histogram->count++;
    if (value > histogram->largest)
        histogram->largest = value;
}

static double quantile_us(const Histogram *histogram, double part)
{
    uint64_t rank = (uint64_t)(part * (double)histogram->count), seen = 0;
    for (int bin = 0; bin < 64 * STEPS; bin++)
        if ((seen += histogram->bins[bin]) > rank)
            return (double)(value_of(bin) < histogram->largest ? value_of(bin) : histogram->largest) / 1e3;
    return (double)histogram->largest / 1e3;
}

static void print_quantiles(const char *name, const Histogram *histogram)
{
    printf("\"%s\":{\"count\":%llu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f},", name,
           (unsigned long long)histogram->count, quantile_us(histogram, .5), quantile_us(histogram, .9),
           quantile_us(histogram, .99), quantile_us(histogram, .999), (double)histogram->largest / 1e3);
}
