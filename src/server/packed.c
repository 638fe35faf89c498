#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <zlib.h>

#include "http.h"
#include "packed.h"

bool packed_admitted(const char *accept_encoding)
{
    bool any = false;
    for (const char *at = accept_encoding; *at; at += strcspn(at, ",")) {
        at += strspn(at, ", \t");
        size_t len = strcspn(at, ",; \t");
        size_t whole = strcspn(at, ",");
        char parameters[64];
        snprintf(parameters, sizeof parameters, "%.*s", (int)(whole - len), at + len);
        const bool admits = !weight_zero(parameters);
        if ((len == 4 && strncasecmp(at, "gzip", len) == 0) ||
            (len == 6 && strncasecmp(at, "x-gzip", len) == 0))
            return admits;
        if (len == 1 && *at == '*')
            any = admits;
    }
    return any;
}

static bool pack(const struct buf *plain, struct buf *out)
{
    enum { GZIP = 16, LEVEL = 9, MEMORY = 8 };
    z_stream stream = {0};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, MAX_WBITS + GZIP, MEMORY, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return false;
    const size_t room = deflateBound(&stream, plain->len);
    bool done = buf_reserve(out, room);
    if (done) {
        stream.next_in = (Bytef *)plain->data;
        stream.avail_in = (uInt)plain->len;
        stream.next_out = (Bytef *)out->data;
        stream.avail_out = (uInt)room;
        done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
        out->len = stream.total_out;
    }
    deflateEnd(&stream);
    return done;
}

static struct packed_file *find(const struct packed *packed, const char *path)
{
    for (size_t i = 0; i < packed->n; i++) {
        if (strcmp(packed->files[i].path, path) == 0)
            return &packed->files[i];
    }
    return NULL;
}

const struct buf *packed_find(const struct packed *packed, const char *path, const char *tag)
{
    const struct packed_file *file = find(packed, path);
    return file && strcmp(file->tag, tag) == 0 ? &file->body : NULL;
}

/* A place in the table for that file; NULL: there is none. */
static struct packed_file *place(struct packed *packed, const char *path)
{
    struct packed_file *file = find(packed, path);
    if (file || packed->n == PACKED_FILES_MAX)
        return file;
    struct packed_file *files = realloc(packed->files, (packed->n + 1) * sizeof *files);
    char *copy = files ? strdup(path) : NULL;
    if (files)
        packed->files = files;
    if (!copy)
        return NULL;
    file = &packed->files[packed->n++];
    *file = (struct packed_file){.path = copy};
    return file;
}

const struct buf *packed_add(struct packed *packed, const char *path, const char *tag,
                             const struct buf *plain)
{
    struct packed_file *file = place(packed, path);
    if (!file)
        return NULL;
    buf_free(&file->body);
    file->body = (struct buf){0};
    snprintf(file->tag, sizeof file->tag, "%s", tag);
    if (!pack(plain, &file->body)) {
        buf_free(&file->body);
        file->body = (struct buf){0};
        file->tag[0] = '\0'; /* tried again when it is next asked for */
        return NULL;
    }
    if (file->body.len >= plain->len)
        buf_clear(&file->body);
    return &file->body;
}

void packed_free(struct packed *packed)
{
    for (size_t i = 0; i < packed->n; i++) {
        free(packed->files[i].path);
        buf_free(&packed->files[i].body);
    }
    free(packed->files);
    *packed = (struct packed){0};
}
