/* histogram: times in log-linear buckets, 64 to the octave (exact to 1.6 %). */
#ifndef REELD_BENCH_HISTOGRAM_H
#define REELD_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = 60 * HISTOGRAM_STEPS };

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    int64_t highest; /* ns */
};

void histogram_add(struct histogram *histogram, int64_t ns); /* less than 0 counts as 0 */

/* The value below which `percent` of all lie, in ms; 0 when there are none. */
double histogram_ms(const struct histogram *histogram, double percent);

#endif
