/* cpu_time: what the process has worked so far. Budgets go by it, so that a file gets the same
 * picture however busy the machine is. */
#ifndef REELD_MEDIA_CPU_TIME_H
#define REELD_MEDIA_CPU_TIME_H

#include <stdint.h>

/* Microseconds of processor time. */
int64_t media_cpu_us(void);

#endif
