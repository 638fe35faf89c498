/* watch_table: the directories that are watched, as a tree of names: a directory that moves takes
 * what is below it along. Job thread. */
#ifndef REELD_LIBRARY_WATCH_TABLE_H
#define REELD_LIBRARY_WATCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#define HASH_NONFATAL_OOM 1 /* what could not be added has no table */
#include <uthash.h>

#include "reeld/base.h"

struct watch_root;

struct watch_node {
    int wd; /* inotify(7) */
    struct watch_root *root;
    struct watch_node *parent; /* NULL: a root's own, or one that is on its way (watch_table_cut) */
    struct watch_node *child, *next, *before;
    char *key; /* the parent's address, then the name with its NUL; owned */
    UT_hash_handle by_wd, by_name;
};

/* All zero: empty. `left` is told of each watch that is given up. */
struct watch_table {
    struct watch_node *by_wd, *by_name;
    size_t count;
    void (*left)(void *ctx, struct watch_node *node);
    void *ctx;
};

struct watch_node *watch_table_wd(const struct watch_table *table, int wd);
struct watch_node *watch_table_child(const struct watch_table *table,
                                     const struct watch_node *parent, const char *name);

/* The node at the absolute path `path`, which is `top`'s or beneath it, by names alone; `len` of
 * its bytes. NULL: that folder is not watched. */
struct watch_node *watch_table_at(const struct watch_table *table, struct watch_node *top,
                                  const char *top_path, const char *path, size_t len);

/* A new node; `name` is the root's path when `parent` is NULL. NULL: out of memory. */
struct watch_node *watch_table_add(struct watch_table *table, struct watch_root *root, int wd,
                                   struct watch_node *parent, const char *name);

/* Takes the node, with what is below it, from its place; and puts it into another. False: out of
 * memory; it is in no place then. */
void watch_table_cut(struct watch_table *table, struct watch_node *node);
bool watch_table_put(struct watch_table *table, struct watch_node *node, struct watch_node *parent,
                     const char *name);

/* Forgets the node and what is below it. */
void watch_table_drop(struct watch_table *table, struct watch_node *node);

/* Its absolute path into `out`, which is cleared before; false: it has none (it is on its way). */
bool watch_table_path(const struct watch_node *node, struct buf *out);

const char *watch_node_name(const struct watch_node *node);

#endif
