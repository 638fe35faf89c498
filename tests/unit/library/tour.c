#include <string.h>

#include "test.h"

#include "tour.h"

static const char *const extensions[] = {"mp4", "mkv", NULL};

void tour_open(struct tour *tour, const char *folder, const struct tour_way *way)
{
    *tour = (struct tour){.folder = folder};
    assert_int_equal(beneath_open_root(&tour->root, folder), 0);
    tour->root.follow = way->follow;
    tour->root.roots = way->roots;
    struct walk_options options = {.path = folder,
                                   .recursive = !way->flat,
                                   .extensions = extensions,
                                   .top = way->top,
                                   .keep = way->keep};
    assert_int_equal(walk_new(&tour->root, &options, &tour->walk), RL_OK);
}

/* One step; false at the end. */
bool tour_step(struct tour *tour)
{
    struct walk_entry entry;
    walk_next(tour->walk, &entry);
    size_t held = walk_descriptors(tour->walk);
    if (held > tour->most_descriptors)
        tour->most_descriptors = held;
    tour->directories += entry.kind == WALK_DIRECTORY;
    if (entry.kind == WALK_FILE || entry.kind == WALK_PROBLEM) {
        struct buf line = {0};
        buf_puts(&line, entry.kind == WALK_FILE ? "file " : "problem ");
        struct buf path = {0};
        path_join(&path, entry.directory, entry.name ? entry.name : "");
        buf_puts(&line, path.data + strlen(tour->folder) + 1);
        assert_true(names_add(&tour->told, line.data));
        buf_free(&path);
        buf_free(&line);
    }
    return entry.kind != WALK_END;
}

void tour_all(struct tour *tour)
{
    while (tour_step(tour))
        ;
    assert_true(names_sort(&tour->told));
}

bool tour_told(const struct tour *tour, const char *line)
{
    for (size_t i = 0; i < tour->told.count; i++) {
        if (strcmp(tour->told.sorted[i], line) == 0)
            return true;
    }
    return false;
}

void tour_close(struct tour *tour)
{
    walk_free(tour->walk);
    beneath_close(&tour->root);
    names_free(&tour->told);
}

char *tour_text(const char *folder, const struct tour_way *way)
{
    struct tour tour;
    tour_open(&tour, folder, way);
    tour_all(&tour);
    struct buf text = {0};
    buf_puts(&text, "");
    for (size_t i = 0; i < tour.told.count; i++) {
        buf_puts(&text, tour.told.sorted[i]);
        buf_puts(&text, "\n");
    }
    tour_close(&tour);
    assert_false(text.failed);
    return buf_steal(&text);
}
