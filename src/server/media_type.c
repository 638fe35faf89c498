#include "media_type.h"

#include <string.h>

static const char mov[] = "mov,mp4,m4a,3gp,3g2,mj2", matroska[] = "matroska,webm";

/* Of each container the most usual first. */
static const struct {
    const char *extension, *container, *type;
} types[] = {
    {"mp4", mov, "video/mp4"},
    {"m4v", mov, "video/mp4"},
    {"mov", mov, "video/quicktime"},
    {"qt", mov, "video/quicktime"},
    {"3gp", mov, "video/3gpp"},
    {"3g2", mov, "video/3gpp2"},
    {"mj2", mov, "video/mj2"},
    {"mkv", matroska, "video/x-matroska"},
    {"webm", matroska, "video/webm"},
    {"avi", "avi", "video/x-msvideo"},
    {"divx", "avi", "video/x-msvideo"},
    {"ts", "mpegts", "video/mp2t"},
    {"mts", "mpegts", "video/mp2t"},
    {"m2ts", "mpegts", "video/mp2t"},
    {"m2t", "mpegts", "video/mp2t"},
    {"mpg", "mpeg", "video/mpeg"},
    {"mpeg", "mpeg", "video/mpeg"},
    {"vob", "mpeg", "video/mpeg"},
    {"m2v", "mpegvideo", "video/mpeg"},
    {"wmv", "asf", "video/x-ms-wmv"},
    {"asf", "asf", "video/x-ms-asf"},
    {"flv", "flv", "video/x-flv"},
    {"f4v", "flv", "video/x-f4v"},
    {"ogv", "ogg", "video/ogg"},
    {"ogg", "ogg", "video/ogg"},
    {"ogm", "ogg", "video/ogg"},
    {"mxf", "mxf", "application/mxf"},
    {"rm", "rm", "application/vnd.rn-realmedia"},
    {"rmvb", "rm", "application/vnd.rn-realmedia-vbr"},
    {"dv", "dv", "video/dv"},
};

const char *media_type(const char *path, const char *container)
{
    char extension[16];
    const char *by_container = NULL, *by_extension = NULL;
    path_extension(path, extension, sizeof extension);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        bool named = strcmp(types[i].extension, extension) == 0;
        bool found = container && strcmp(types[i].container, container) == 0;
        if (named && found)
            return types[i].type;
        if (found && !by_container)
            by_container = types[i].type;
        if (named)
            by_extension = types[i].type;
    }
    if (by_container)
        return by_container;
    return by_extension ? by_extension : "application/octet-stream";
}

void media_content_disposition(struct buf *out, const char *path, bool attachment)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$&+-.^_`|~"; /* attr-char */
    const char *name = path_name(path);
    struct buf text = {0};
    buf_puts(out, attachment ? "attachment; filename=\"" : "inline; filename=\"");
    for (const char *at = name; *at; at++) {
        /* '%' too: some would decode it. */
        bool safe = *at >= 0x20 && *at < 0x7f && !strchr("\"\\%/", *at);
        /* One '_' for a character of several bytes. */
        if (((unsigned char)*at & 0xc0) != 0x80)
            buf_append(out, safe ? at : "_", 1);
    }
    buf_puts(out, "\"; filename*=UTF-8''");
    utf8_append_lossy(&text, name, strlen(name));
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c && strchr(plain, c))
            buf_append(out, &c, 1);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
    out->failed = out->failed || text.failed;
    buf_free(&text);
}
