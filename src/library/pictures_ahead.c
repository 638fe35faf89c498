/* Pictures that are made before anybody asks and before the job begins: a file that comes into a
 * watched root is looked at by somebody, most likely. */
#include <stdio.h>
#include <string.h>

#include "pictures.h"

/* One worker stays free for what comes next. */
static uint32_t at_once(const struct library *library)
{
    int spare = library->pool_now.workers - 1;
    return spare > 1 ? (uint32_t)spare : 1;
}

void pictures_ahead(struct library *library, const char *id)
{
    struct pictures *pictures = library->pictures;
    if (!library->config.thumbnails || pictures->store.why[0] || pictures->n_waiting == AHEAD_MAX)
        return;
    snprintf(pictures->ahead[pictures->n_waiting++], ID_TEXT_SIZE, "%s", id);
}

bool pictures_ahead_busy(const struct library *library)
{
    return library->pictures->n_waiting + library->pictures->n_ahead > 0;
}

static void take(struct library *library, const char *id)
{
    struct picture_subject subject = {0};
    if (catalog_picture_get(library->catalog, id, &subject) == RL_OK) {
        struct picture_key key = picture_usual(library, &subject);
        if (subject.thumbnail == THUMBNAIL_PENDING &&
            !picture_store_has(&library->pictures->store, &key))
            pictures_make(library, &subject); /* or else the job does */
    }
    picture_subject_clear(&subject);
}

bool pictures_ahead_ready(const struct library *library)
{
    const struct pictures *pictures = library->pictures;
    return pictures->n_waiting && pictures->n_ahead < at_once(library);
}

void pictures_ahead_step(struct library *library)
{
    struct pictures *pictures = library->pictures;
    while (pictures_ahead_ready(library)) {
        char id[ID_TEXT_SIZE];
        memcpy(id, pictures->ahead[0], sizeof id);
        pictures->n_waiting--;
        memmove(pictures->ahead[0], pictures->ahead[1], pictures->n_waiting * ID_TEXT_SIZE);
        take(library, id);
    }
}
