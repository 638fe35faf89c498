#include <string.h>

#include "reeld/base.h"

#include "transport.h"

bool transport_name(const char *name)
{
    char extension[8];
    path_extension(name, extension, sizeof extension);
    return strcmp(extension, "ts") == 0 || strcmp(extension, "mts") == 0;
}

enum transport_look transport_look(const unsigned char *start, size_t len)
{
    static const size_t strides[] = {188, 192, 204};
    for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) {
        for (size_t offset = 0; offset < strides[s]; offset++) {
            size_t hits = 0, places = 0;
            for (size_t at = offset; at < len; at += strides[s], places++)
                hits += start[at] == 0x47;
            if (places >= 2 && hits == places)
                return TRANSPORT_YES;
        }
    }
    return memchr(start, 0, len) ? TRANSPORT_MAYBE : TRANSPORT_NO;
}
