#include <string.h>
#include <sys/stat.h>

#include "ignore_read.h"
#include "look_again.h"
#include "roots.h"

static void get_ready(struct onlooker *looker)
{
    const struct library_config *config = &looker->library->config;
    looker->ground =
        (struct beneath){.fd = -1, .follow = config->follow_symlinks, .roots = config->roots};
    looker->ready = true;
}

/* Whether a walk of the folder passes the file at `path` over. Where that cannot be said it does
 * not: then the file stays as it is known. */
static bool passed_over(struct onlooker *looker, const char *path)
{
    const struct library_config *config = &looker->library->config;
    if (looker->single || !path_beneath(looker->folder, path))
        return false;
    if (looker->ignored.len && path_beneath(looker->ignored.data, path))
        return true;
    struct ignore_way way = {.top = roots_top(config->roots, path),
                             .from = looker->folder,
                             .path = path,
                             .keep = config->keep};
    struct ignore ignore = {0};
    struct ignore_reason reason;
    enum rl_err err = ignore_read_above(&ignore, &way, &reason);
    ignore_free(&ignore);
    if (err || reason.why == IGNORE_NOT)
        return false;
    /* Files come folder by folder: the others in it need not be looked at one by one. */
    if (path[reason.len] == '/') {
        buf_clear(&looker->ignored);
        buf_append(&looker->ignored, path, reason.len);
        if (looker->ignored.failed)
            buf_clear(&looker->ignored);
    }
    return true;
}

/* Nothing is there: where is it that nothing is? */
static void look_above(struct onlooker *looker, struct sight *out)
{
    dev_t device;
    if (beneath_device_above(&looker->ground, out->place.path, &device, NULL))
        return; /* it cannot be said that it is gone */
    out->look = LOOK_GONE;
    out->device = device;
    out->elsewhere = out->place.folder_device && out->place.folder_device != out->device;
}

enum rl_err look_again(struct onlooker *looker, int64_t number, struct sight *out)
{
    if (!looker->ready)
        get_ready(looker);
    *out = (struct sight){.look = LOOK_THERE};
    enum rl_err err = catalog_place_get(looker->library->catalog, number, &out->place);
    if (err || out->place.missing_since_ms)
        return err == RL_ENOTFOUND ? RL_OK : err;
    struct stat stat;
    int error = beneath_look(&looker->ground, out->place.path, &stat);
    if (beneath_nothing(error) || (!error && !S_ISREG(stat.st_mode)))
        look_above(looker, out);
    else if (!error && passed_over(looker, out->place.path))
        out->look = LOOK_IGNORED;
    return RL_OK;
}

void sight_clear(struct sight *sight)
{
    video_place_clear(&sight->place);
}

void onlooker_free(struct onlooker *looker)
{
    buf_free(&looker->ignored);
}
