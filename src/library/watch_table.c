#include "watch_table.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PARENT = sizeof(struct watch_node *) };

const char *watch_node_name(const struct watch_node *node)
{
    return node->key + PARENT;
}

static void key_write(char *key, const struct watch_node *parent, const char *name, size_t len)
{
    memcpy(key, &parent, PARENT);
    memcpy(key + PARENT, name, len);
    key[PARENT + len] = '\0';
}

struct watch_node *watch_table_wd(const struct watch_table *table, int wd)
{
    struct watch_node *node;
    HASH_FIND(by_wd, table->by_wd, &wd, sizeof wd, node);
    return node;
}

static struct watch_node *find(const struct watch_table *table, const struct watch_node *parent,
                               const char *name, size_t len)
{
    char key[PARENT + NAME_MAX + 1];
    struct watch_node *node;
    if (len > NAME_MAX)
        return NULL;
    key_write(key, parent, name, len);
    HASH_FIND(by_name, table->by_name, key, PARENT + len, node);
    return node;
}

struct watch_node *watch_table_child(const struct watch_table *table,
                                     const struct watch_node *parent, const char *name)
{
    return find(table, parent, name, strlen(name));
}

struct watch_node *watch_table_at(const struct watch_table *table, struct watch_node *top,
                                  const char *top_path, const char *path, size_t len)
{
    struct watch_node *node = top;
    size_t at = strlen(top_path);
    at -= at == 1; /* "/" */
    while (node && at < len) {
        at++;
        size_t end = at;
        while (end < len && path[end] != '/')
            end++;
        if (end > at)
            node = find(table, node, path + at, end - at);
        at = end;
    }
    return node;
}

/* False: out of memory; it is in no place then. */
static bool link_node(struct watch_table *table, struct watch_node *node, struct watch_node *parent)
{
    node->parent = NULL;
    if (!parent)
        return true;
    HASH_ADD_KEYPTR(by_name, table->by_name, node->key, PARENT + strlen(watch_node_name(node)),
                    node);
    if (!node->by_name.tbl)
        return false;
    node->parent = parent;
    node->before = NULL;
    node->next = parent->child;
    if (node->next)
        node->next->before = node;
    parent->child = node;
    return true;
}

static char *key_new(const struct watch_node *parent, const char *name)
{
    size_t len = strlen(name);
    char *key = malloc(PARENT + len + 1);
    if (key)
        key_write(key, parent, name, len);
    return key;
}

struct watch_node *watch_table_add(struct watch_table *table, struct watch_root *root, int wd,
                                   struct watch_node *parent, const char *name)
{
    struct watch_node *node = calloc(1, sizeof *node);
    char *key = key_new(parent, name);
    if (!node || !key) {
        free(node);
        free(key);
        return NULL;
    }
    node->wd = wd;
    node->root = root;
    node->key = key;
    HASH_ADD(by_wd, table->by_wd, wd, sizeof node->wd, node);
    bool added = node->by_wd.tbl && link_node(table, node, parent);
    if (added) {
        table->count++;
        return node;
    }
    if (node->by_wd.tbl)
        HASH_DELETE(by_wd, table->by_wd, node);
    free(node->key);
    free(node);
    return NULL;
}

void watch_table_cut(struct watch_table *table, struct watch_node *node)
{
    struct watch_node *parent = node->parent;
    if (!parent)
        return;
    HASH_DELETE(by_name, table->by_name, node);
    if (node->before)
        node->before->next = node->next;
    else
        parent->child = node->next;
    if (node->next)
        node->next->before = node->before;
    node->parent = node->next = node->before = NULL;
}

static void set_root(struct watch_node *node, struct watch_root *root)
{
    node->root = root;
    for (struct watch_node *child = node->child; child; child = child->next)
        set_root(child, root);
}

bool watch_table_put(struct watch_table *table, struct watch_node *node, struct watch_node *parent,
                     const char *name)
{
    char *key = key_new(parent, name);
    if (!key)
        return false;
    free(node->key);
    node->key = key;
    if (node->root != parent->root)
        set_root(node, parent->root);
    return link_node(table, node, parent);
}

static void forget(struct watch_table *table, struct watch_node *node)
{
    if (table->left)
        table->left(table->ctx, node);
    HASH_DELETE(by_wd, table->by_wd, node);
    table->count--;
    free(node->key);
    free(node);
}

/* Leaf by leaf, so that no depth is too much for the stack. */
void watch_table_drop(struct watch_table *table, struct watch_node *node)
{
    watch_table_cut(table, node);
    for (struct watch_node *at = node;;) {
        if (at->child) {
            at = at->child;
            continue;
        }
        struct watch_node *parent = at == node ? NULL : at->parent;
        watch_table_cut(table, at);
        forget(table, at);
        if (!parent)
            return;
        at = parent;
    }
}

bool watch_table_path(const struct watch_node *node, struct buf *out)
{
    size_t len = 0;
    const struct watch_node *top = node;
    for (; top->parent; top = top->parent)
        len += strlen(watch_node_name(top)) + 1;
    buf_clear(out);
    const char *root = watch_node_name(top);
    if (root[0] != '/')
        return false;
    size_t start = strlen(root);
    start -= start == 1 && len; /* "/" */
    buf_append(out, root, start);
    for (size_t i = 0; i < len && !out->failed; i++)
        buf_append(out, "/", 1);
    if (out->failed)
        return false;
    size_t end = start + len;
    for (; node->parent; node = node->parent) {
        const char *name = watch_node_name(node);
        size_t size = strlen(name);
        memcpy(out->data + end - size, name, size);
        end -= size + 1;
    }
    return true;
}
