#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "guard.h"

enum { HOST_MAX = 255 };

struct authority {
    char name[HOST_MAX + 1]; /* without brackets */
    int port;                /* -1: none given */
    bool literal;            /* an address */
};

static bool is_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static bool parse_port(const char *text, int *out)
{
    size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
        return false;
    *out = atoi(text);
    return *out > 0 && *out <= 65535;
}

/* host [":" port], where an IPv6 address stands in brackets. */
static bool parse_authority(const char *text, struct authority *out)
{
    const char *rest;
    size_t len;
    *out = (struct authority){.port = -1};
    if (*text == '[') {
        text++;
        len = strcspn(text, "]");
        if (text[len] != ']')
            return false;
        rest = text + len + 1;
    } else {
        len = strcspn(text, ":");
        rest = text + len;
    }
    if (len == 0 || len > HOST_MAX || (*rest && *rest != ':'))
        return false;
    memcpy(out->name, text, len);
    out->name[len] = '\0';
    out->literal = is_address(out->name);
    return !*rest || parse_port(rest + 1, &out->port);
}

static bool is_wildcard(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static bool own_name(const struct guard *guard, const struct authority *host)
{
    if (strcasecmp(host->name, guard->listen) == 0)
        return true;
    if (is_wildcard(guard->listen)) {
        /* A name can be made to point anywhere; an address is what it is. */
        return host->literal || strcasecmp(host->name, "localhost") == 0;
    }
    if (!is_loopback(guard->listen))
        return false;
    return strcasecmp(host->name, "localhost") == 0 || (host->literal && is_loopback(host->name));
}

static bool listed(const struct guard *guard, const struct authority *host)
{
    for (size_t i = 0; guard->hosts && guard->hosts[i]; i++) {
        struct authority entry;
        if (!parse_authority(guard->hosts[i], &entry) || strcasecmp(entry.name, host->name) != 0)
            continue;
        if (entry.port == host->port || (entry.port < 0 && host->port == guard->port))
            return true;
    }
    return false;
}

bool guard_host_allowed(const struct guard *guard, const char *host)
{
    struct authority asked;
    if (!parse_authority(host, &asked))
        return false;
    bool own_port = asked.port == guard->port || (asked.port < 0 && guard->port == 80);
    return (own_port && own_name(guard, &asked)) || listed(guard, &asked);
}

bool guard_origin_allowed(const char *origin, const char *host)
{
    if (!*origin)
        return true;
    const char *rest = NULL;
    if (strncasecmp(origin, "http://", 7) == 0)
        rest = origin + 7;
    else if (strncasecmp(origin, "https://", 8) == 0)
        rest = origin + 8;
    return rest && strcasecmp(rest, host) == 0;
}

bool guard_site_allowed(const char *fetch_site)
{
    return !*fetch_site || strcmp(fetch_site, "same-origin") == 0 ||
           strcmp(fetch_site, "none") == 0;
}

bool guard_secret_equal(const char *secret, const char *given)
{
    /* Runs over what was given, so that the time tells its length and nothing else. */
    size_t secret_len = strlen(secret), len = strlen(given);
    unsigned differs = secret_len != len || secret_len == 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char expected = (unsigned char)secret[secret_len ? i % secret_len : 0];
        differs |= (unsigned)(expected ^ (unsigned char)given[i]);
    }
    return differs == 0;
}

const char *guard_bearer(const char *authorization)
{
    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    const char *token = authorization + 7;
    token += strspn(token, " ");
    return *token ? token : NULL;
}
