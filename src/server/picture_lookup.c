#include "picture_lookup.h"

#include <stdlib.h>
#include <string.h>

/* The last two hexadecimal digits of an id are random (RFC 9562 §5.7). */
static struct picture_found *slot_of(struct picture_lookup *lookup, const char *id)
{
    size_t len = strlen(id);
    unsigned long digits = strtoul(len < 2 ? "" : id + len - 2, NULL, 16);
    return &lookup->slots[digits % PICTURE_LOOKUP_SLOTS];
}

static void forget_older(struct picture_lookup *lookup)
{
    uint64_t commits = catalog_commits();
    if (lookup->commits == commits)
        return;
    for (size_t i = 0; i < PICTURE_LOOKUP_SLOTS; i++)
        lookup->slots[i].id[0] = '\0';
    lookup->commits = commits;
}

enum rl_err picture_lookup(struct picture_lookup *lookup, struct catalog *reader, const char *id,
                           struct picture_found *out)
{
    forget_older(lookup);
    struct picture_found *slot = slot_of(lookup, id);
    if (strcmp(slot->id, id) != 0) {
        struct picture_subject subject;
        enum rl_err err = catalog_picture_get(reader, id, &subject);
        if (err)
            return err;
        *slot = (struct picture_found){.number = subject.number,
                                       .version = subject.version,
                                       .thumbnail_width = subject.thumbnail_width};
        memcpy(slot->id, subject.id, sizeof slot->id);
        picture_subject_clear(&subject);
    }
    *out = *slot;
    return RL_OK;
}
