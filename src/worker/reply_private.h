/* reply_private: what reply.c and reply_picture.c share. */
#ifndef REELD_WORKER_REPLY_PRIVATE_H
#define REELD_WORKER_REPLY_PRIVATE_H

#include "reply.h"

struct text_field {
    size_t offset, size;
};

#define TEXT(type, member)                                                                         \
    {                                                                                              \
        offsetof(type, member), sizeof(((type *)0)->member)                                        \
    }

/* Makes every text of `record` a proper one; RL_EINVAL when one has no end. */
enum rl_err reply_texts_check(void *record, const struct text_field *fields, size_t count);

/* Whether a worker may give this code for a file that was asked for with `kind`. */
bool reply_code_possible(int32_t code, enum wire_kind kind);

/* That a message is of `kind` and answers `number`; `*why` says what it is else. */
enum rl_err reply_header_check(const struct wire_header *header, enum wire_kind kind,
                               uint64_t number, const char **why);

#endif
