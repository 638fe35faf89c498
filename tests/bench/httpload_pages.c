#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "httpload.h"

static bool find_group(struct load *load, const char *name, unsigned *out)
{
    if (!load->groups)
        load->groups = calloc(GROUPS_MAX, sizeof *load->groups);
    if (!load->groups)
        return false;
    for (*out = 0; *out < load->n_groups; (*out)++) {
        if (strcmp(load->groups[*out].name, name) == 0)
            return true;
    }
    if (load->n_groups == GROUPS_MAX || strlen(name) >= GROUP_NAME_SIZE)
        return false;
    snprintf(load->groups[load->n_groups++].name, GROUP_NAME_SIZE, "%s", name);
    return true;
}

bool load_add(struct load *load, const char *path, const char *headers)
{
    if (load->n_pages == load->pages_cap) {
        size_t cap = load->pages_cap ? load->pages_cap * 2 : 64;
        struct load_page *more = realloc(load->pages, cap * sizeof *more);
        if (!more)
            return false;
        load->pages = more;
        load->pages_cap = cap;
    }
    struct load_page *page = &load->pages[load->n_pages];
    struct buf request = {0};
    buf_printf(&request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n", path, load->port,
               headers);
    *page = (struct load_page){.len = request.len};
    page->request = buf_steal(&request);
    if (!page->request)
        return false;
    load->n_pages++;
    return true;
}

static bool add_line(struct load *load, char *line, const char *headers)
{
    char *path = strrchr(line, '\t');
    if (path)
        *path++ = '\0';
    if (!load_add(load, path ? path : line, headers))
        return false;
    struct load_page *page = &load->pages[load->n_pages - 1];
    char *rest = NULL;
    char *group = path ? strtok_r(line, "\t", &rest) : NULL;
    for (; group; group = strtok_r(NULL, "\t", &rest)) {
        if (page->n_groups == PAGE_GROUPS_MAX ||
            !find_group(load, group, &page->groups[page->n_groups++]))
            return false;
    }
    return true;
}

bool load_add_file(struct load *load, const char *file, const char *headers)
{
    FILE *lines = fopen(file, "re");
    char *line = NULL;
    size_t cap = 0;
    bool ok = lines != NULL;
    while (ok && getline(&line, &cap, lines) > 0) {
        line[strcspn(line, "\n")] = '\0';
        ok = add_line(load, line, headers);
    }
    free(line);
    if (lines)
        fclose(lines);
    return ok && load->n_pages > 0;
}

void load_free(struct load *load)
{
    for (size_t i = 0; i < load->n_pages; i++)
        free(load->pages[i].request);
    free(load->pages);
    free(load->groups);
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        free(load->connections[i].answer);
}
