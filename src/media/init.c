#include <iconv.h>
#include <libavcodec/version.h>
#include <libavformat/version.h>
#include <libavutil/avutil.h>
#include <libavutil/cpu.h>
#include <libavutil/log.h>
#include <libavutil/macros.h>
#include <stdlib.h>
#include <time.h>

#include "cpu_time.h"
#include "reeld/media.h"

/* Counts up when the same file would be judged, described or pictured otherwise. */
#define PROBE_VERSION "1"

/* Names of programmes in a DVB stream are in one of these (EN 300 468, annex A), and libavformat
 * converts them with iconv, which loads a module from disk at first use and drops it some time
 * after the last. A converter that stays open for as long as the process lives keeps its module, so
 * that nothing has to be opened later on. */
static const char *const dvb_charsets[] = {
    "ISO6937",     "ISO-8859-1",  "ISO-8859-2",  "ISO-8859-3",  "ISO-8859-4",  "ISO-8859-5",
    "ISO-8859-6",  "ISO-8859-7",  "ISO-8859-8",  "ISO-8859-9",  "ISO-8859-10", "ISO-8859-11",
    "ISO-8859-13", "ISO-8859-14", "ISO-8859-15", "ISO-8859-16", "UCS-2BE",     "UTF-16BE",
    "KSC_5601",    "GB2312",      "BIG5",        "UTF-8",
};

static void iconv_preload(void)
{
    enum { CHARSETS = sizeof dvb_charsets / sizeof *dvb_charsets };
    static iconv_t kept[CHARSETS];
    for (size_t i = 0; i < CHARSETS; i++) {
        if (!kept[i])
            kept[i] = iconv_open("UTF-8", dvb_charsets[i]);
    }
}

void media_init(void)
{
    av_log_set_level(AV_LOG_QUIET);
    /* Dates without a zone count as UTC, and no zone file is looked up. */
    setenv("TZ", "UTC0", 1);
    tzset();
    av_get_cpu_flags();
    av_cpu_count();
    iconv_preload();
}

int64_t media_cpu_us(void)
{
    struct timespec time = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

const char *media_version(void)
{
    return PROBE_VERSION "/" AV_STRINGIFY(LIBAVFORMAT_VERSION) "/" AV_STRINGIFY(LIBAVCODEC_VERSION);
}
