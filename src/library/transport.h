/* transport: tells an MPEG transport stream from a text that only shares its extension (TypeScript
 * also ends in .ts and .mts). Looks at bytes, parses nothing. */
#ifndef REELD_LIBRARY_TRANSPORT_H
#define REELD_LIBRARY_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

enum transport_look {
    TRANSPORT_NO,    /* a text: not a video, whoever asks */
    TRANSPORT_MAYBE, /* no clean run of sync bytes: only a worker can tell */
    TRANSPORT_YES,   /* sync bytes wherever they have to be */
};

/* How much of the start of the file to give; fewer when the file is shorter. */
enum { TRANSPORT_LOOK_SIZE = 1024 };

/* Whether a name has an extension that TypeScript uses as well. */
bool transport_name(const char *name);

/* ISO/IEC 13818-1 §2.4.3.2: packets of 188 bytes start with 0x47; 192 with a time code before each
 * (M2TS), 204 with an error correction after it. */
enum transport_look transport_look(const unsigned char *start, size_t len);

#endif
