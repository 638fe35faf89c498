#include <string.h>

#include "reeld/base.h"

bool path_beneath(const char *root, const char *path)
{
    size_t len = strlen(root);
    while (len > 0 && root[len - 1] == '/')
        len--;
    if (strncmp(root, path, len) != 0)
        return false;
    return path[len] == '/' || path[len] == '\0';
}

void path_join(struct buf *out, const char *dir, const char *name)
{
    size_t len = strlen(dir);
    buf_append(out, dir, len);
    if (len == 0 || dir[len - 1] != '/')
        buf_append(out, "/", 1);
    buf_puts(out, name);
}

enum rl_err path_tidy(struct buf *out, const char *path)
{
    size_t start = out->len;
    if (path[0] != '/')
        return RL_EINVAL;
    for (size_t len; *path; path += len) {
        path += strspn(path, "/");
        len = strcspn(path, "/");
        if (len == 2 && path[0] == '.' && path[1] == '.') {
            while (out->len > start && out->data[--out->len] != '/')
                ;
        } else if (len > 0 && !(len == 1 && path[0] == '.')) {
            buf_append(out, "/", 1);
            buf_append(out, path, len);
        }
    }
    if (out->len == start)
        buf_append(out, "/", 1);
    if (out->failed)
        return RL_ENOMEM;
    out->data[out->len] = '\0';
    return RL_OK;
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void path_extension(const char *path, char *out, size_t size)
{
    const char *name = path_name(path);
    const char *dot = strrchr(name, '.');
    size_t n = 0;
    if (dot && dot != name) {
        for (const char *p = dot + 1; *p && n + 1 < size; p++, n++)
            out[n] = (char)(*p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p);
    }
    if (size)
        out[n] = '\0';
}

static bool uri_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '/';
}

void path_uri_encode(struct buf *out, const char *path)
{
    static const char hex[] = "0123456789ABCDEF";
    for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
        if (uri_unreserved(*p)) {
            buf_append(out, p, 1);
        } else {
            char escape[3] = {'%', hex[*p >> 4], hex[*p & 15]};
            buf_append(out, escape, sizeof escape);
        }
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum rl_err path_uri_decode(struct buf *out, const char *uri)
{
    for (const char *p = uri; *p; p++) {
        char c = *p;
        if (c == '%') {
            int high = hex_value(p[1]);
            int low = high < 0 ? -1 : hex_value(p[2]);
            if (low < 0 || (high == 0 && low == 0))
                return RL_EINVAL;
            c = (char)(high * 16 + low);
            p += 2;
        }
        buf_append(out, &c, 1);
    }
    return out->failed ? RL_ENOMEM : RL_OK;
}
