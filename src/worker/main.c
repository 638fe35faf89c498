/* reeld-worker: reads media files that the daemon hands over, one after the other, confined. */
#include <unistd.h>

#include "reeld/media.h"

#include "worker.h"

static enum failure_code probe(const struct wire_request *request, int fd, struct media_info *out,
                               char error[MEDIA_ERROR_SIZE])
{
    return media_probe(fd, request->name_hint, out, error);
}

static enum failure_code picture(const struct wire_request *request, int fd, struct picture *out,
                                 char error[MEDIA_ERROR_SIZE])
{
    return media_picture(fd, request->name_hint, &request->picture, out, error);
}

int main(int argc, char **argv)
{
    const struct worker_parts parts = {
        .init = media_init,
        .version = media_version,
        .probe = probe,
        .picture = picture,
        .confine = sandbox_confine,
    };
    /* Not exit(): what libraries run at the end is no longer allowed, nor needed. */
    _exit(worker_run(argc, argv, &parts));
}
