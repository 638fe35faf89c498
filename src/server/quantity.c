#include <string.h>

#include "quantity.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Appends a digit to the number in *value; false: too large. */
static bool append_digit(int64_t *value, int digit)
{
    bool fits = *value <= (INT64_MAX - 9) / 10;
    if (fits)
        *value = *value * 10 + digit;
    return fits;
}

bool quantity_decimal(const char *text, int places, int64_t max, int64_t *out)
{
    int64_t value = 0;
    bool whole = is_digit(*text);
    while (is_digit(*text)) {
        if (!append_digit(&value, *text++ - '0'))
            return false;
    }
    bool decimals = *text == '.' && is_digit(text[1]);
    text += decimals;
    for (int i = 0; i < places; i++) {
        int digit = decimals && is_digit(*text) ? *text++ - '0' : 0;
        if (!append_digit(&value, digit))
            return false;
    }
    while (decimals && is_digit(*text))
        text++;
    *out = value;
    return whole && !*text && value <= max;
}

/* So many digits, as a number between min and max; moves *at behind them. */
static bool read_digits(const char **at, int count, int min, int max, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!is_digit(**at))
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return *out >= min && *out <= max;
}

static bool read_one_of(const char **at, const char *letters)
{
    return **at && strchr(letters, *(*at)++);
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01 to a day of the Gregorian calendar, years 0 to 9999. */
static int64_t days_since_1970(int year, int month, int day)
{
    /* Years begin in March here, so that the day that comes and goes is the last of one. */
    int y = year + 400 - (month < 3), m = (month + 9) % 12;
    int64_t days = (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1;
    return days - 719468 - 146097;
}

/* ".5", or nothing: the milliseconds. */
static bool read_fraction(const char **at, int *ms)
{
    *ms = 0;
    if (**at != '.')
        return true;
    (*at)++;
    int scale = 100;
    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++, scale /= 10)
        *ms += (**at - '0') * scale;
    return true;
}

/* "Z" or "+01:00": how many minutes the time is ahead of UTC. */
static bool read_zone(const char **at, int *minutes)
{
    int hour, minute;
    bool behind = **at == '-';
    *minutes = 0;
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        return true;
    }
    if (!read_one_of(at, "+- ") || !read_digits(at, 2, 0, 23, &hour) || !read_one_of(at, ":") ||
        !read_digits(at, 2, 0, 59, &minute))
        return false;
    *minutes = (hour * 60 + minute) * (behind ? -1 : 1);
    return true;
}

static bool read_rfc3339(const char *at, int64_t *wall_ms)
{
    int year, month, day, hour, minute, second, ms, zone;
    if (!read_digits(&at, 4, 0, 9999, &year) || !read_one_of(&at, "-") ||
        !read_digits(&at, 2, 1, 12, &month) || !read_one_of(&at, "-") ||
        !read_digits(&at, 2, 1, month_days(year, month), &day) || !read_one_of(&at, "Tt ") ||
        !read_digits(&at, 2, 0, 23, &hour) || !read_one_of(&at, ":") ||
        !read_digits(&at, 2, 0, 59, &minute) || !read_one_of(&at, ":") ||
        !read_digits(&at, 2, 0, 60, &second) || !read_fraction(&at, &ms) || !read_zone(&at, &zone))
        return false;
    int64_t minutes = days_since_1970(year, month, day) * 1440 + hour * 60 + minute - zone;
    *wall_ms = (minutes * 60 + second) * 1000 + ms;
    return *at == '\0';
}

bool quantity_time(const char *text, int64_t *wall_ms)
{
    const int64_t last = INT64_C(253402300799999); /* of the year 9999 */
    return quantity_decimal(text, 3, last, wall_ms) || read_rfc3339(text, wall_ms);
}
