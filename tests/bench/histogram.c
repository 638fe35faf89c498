#include "histogram.h"

enum { STEP_BITS = 6 }; /* of HISTOGRAM_STEPS */

void histogram_add(struct histogram *histogram, int64_t ns)
{
    uint64_t value = ns > 0 ? (uint64_t)ns : 0;
    unsigned index = (unsigned)value;
    if (value >= HISTOGRAM_STEPS) {
        unsigned octave = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
        index =
            (octave + 1) * HISTOGRAM_STEPS + (unsigned)((value >> octave) & (HISTOGRAM_STEPS - 1));
    }
    histogram->buckets[index]++;
    histogram->count++;
    if (ns > histogram->highest)
        histogram->highest = ns;
}

double histogram_ms(const struct histogram *histogram, double percent)
{
    uint64_t wanted = (uint64_t)((double)histogram->count * percent / 100), seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen <= wanted)
            continue;
        if (i < HISTOGRAM_STEPS)
            return (double)i / 1e6;
        unsigned octave = i / HISTOGRAM_STEPS - 1;
        double low = (double)((uint64_t)(HISTOGRAM_STEPS + i % HISTOGRAM_STEPS) << octave);
        return (low + (double)(1ull << octave) / 2) / 1e6;
    }
    return (double)histogram->highest / 1e6;
}
