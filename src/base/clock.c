#include <string.h>
#include <time.h>

#include "reeld/base.h"

static int64_t clock_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_mono_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t clock_thread_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

int64_t clock_mono_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* `count` decimal digits at `at`. */
static void put_digits(char *at, int count, int64_t value)
{
    while (count-- > 0) {
        at[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

enum { DAYS_IN_400_YEARS = 146097 };

/* The day of the Gregorian calendar that is `days` after March 1st of the year -400. Years begin in
 * March here, so that the day that comes and goes is the last of one. */
static void put_date(char *at, int64_t days)
{
    int64_t era = days / DAYS_IN_400_YEARS - 1, day = days % DAYS_IN_400_YEARS;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= year * 365 + year / 4 - year / 100;
    int64_t month = (day * 5 + 2) / 153;
    day -= (month * 153 + 2) / 5;
    put_digits(at, 4, era * 400 + year + (month >= 10));
    put_digits(at + 5, 2, (month + 2) % 12 + 1);
    put_digits(at + 8, 2, day + 1);
}

/* By hand: a list has three times in each of its rows, and gmtime_r and snprintf were most of it.
 */
void clock_rfc3339(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    const int64_t first = -62167219200000, last = 253402300799999; /* years 0000 and 9999 */
    const int64_t day_ms = 86400000;
    if (wall_ms < first)
        wall_ms = first;
    if (wall_ms > last)
        wall_ms = last;
    /* January and February of the year 0 have 60 days. */
    int64_t since = wall_ms - first + (DAYS_IN_400_YEARS - 60) * day_ms;
    int64_t ms = since % day_ms;
    memcpy(out, "0000-00-00T00:00:00.000Z", sizeof "0000-00-00T00:00:00.000Z");
    put_date(out, since / day_ms);
    put_digits(out + 11, 2, ms / 3600000);
    put_digits(out + 14, 2, ms / 60000 % 60);
    put_digits(out + 17, 2, ms / 1000 % 60);
    put_digits(out + 20, 3, ms % 1000);
}
