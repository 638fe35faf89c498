/* text: strings from files into the fixed fields of media_info. */
#ifndef REELD_MEDIA_TEXT_H
#define REELD_MEDIA_TEXT_H

#include <stddef.h>

/* Copies `from` (NULL: nothing) into `to` as well-formed UTF-8, cut at a character to fit `size`
 * bytes with the NUL. Spaces at both ends go. */
void text_copy(char *to, size_t size, const char *from);

#endif
