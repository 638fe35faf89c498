/* The change feed, held against a model that keeps everything: pages of random length while the
 * catalogue goes on changing between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/catalog/private.h"
#include "support.h"

enum { PATHS = 60, ENTRIES_MAX = 4000 };

/* A video that was there once; `removed` at `sequence`, or last put there. */
struct entry {
    char id[ID_TEXT_SIZE];
    int64_t sequence;
    bool removed;
    int path;
    uint32_t seed;
};

struct model {
    struct entry entries[ENTRIES_MAX];
    size_t count;
    int64_t sequence;
    uint32_t random;
};

static uint32_t draw(struct model *model, uint32_t below)
{
    model->random = model->random * 1664525 + 1013904223;
    return (model->random >> 8) % below;
}

static struct entry *find_id(struct entry *entries, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].id, id) == 0)
            return &entries[i];
    }
    return NULL;
}

static struct entry *find_present(struct model *model, int path)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->entries[i].path == path && !model->entries[i].removed)
            return &model->entries[i];
    }
    return NULL;
}

static void path_text(int path, char out[64])
{
    snprintf(out, 64, "/films/%d/%d.mkv", path % 7, path);
}

static void put_one(struct fixture *fixture, struct model *model, int path, uint32_t seed)
{
    char text[64];
    path_text(path, text);
    struct video video;
    enum outcome outcome;
    video_make(&video, text, seed);
    assert_ok(fixture->writer,
              catalog_video_put(fixture->writer, &video, fixture->job.number, &outcome));
    struct entry *entry = find_present(model, path);
    if (!entry) {
        assert_true(model->count < ENTRIES_MAX);
        entry = &model->entries[model->count++];
        assert_null(find_id(model->entries, model->count - 1, video.id));
        *entry = (struct entry){.path = path};
        memcpy(entry->id, video.id, sizeof entry->id);
    }
    assert_string_equal(entry->id, video.id);
    entry->seed = seed;
    entry->sequence = video.sequence;
    assert_true(video.sequence > model->sequence);
    model->sequence = video.sequence;
    video_clear(&video);
}

static void delete_one(struct fixture *fixture, struct model *model, int path)
{
    struct entry *entry = find_present(model, path);
    if (!entry)
        return;
    struct video was;
    assert_ok(fixture->writer, catalog_video_delete(fixture->writer, entry->id, &was));
    entry->removed = true;
    model->sequence = entry->sequence = was.sequence;
    video_clear(&was);
}

/* One transaction; one in five is taken back and has changed nothing. Some sequence numbers go to
 * events that are no change of a video. */
static void change(struct fixture *fixture, struct model *model)
{
    struct model *before = malloc(sizeof *before);
    assert_non_null(before);
    *before = *model;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (uint32_t left = 1 + draw(model, 12); left > 0; left--) {
        int path = (int)draw(model, PATHS);
        switch (draw(model, 5)) {
        case 0:
            delete_one(fixture, model, path);
            break;
        case 1:
            model->sequence = catalog_next_sequence(fixture->writer);
            break;
        default:
            put_one(fixture, model, path, draw(model, 1000));
        }
    }
    if (draw(model, 5) == 0) {
        before->random = model->random;
        *model = *before;
        catalog_rollback(fixture->writer);
    } else {
        assert_ok(fixture->writer, catalog_commit(fixture->writer));
    }
    free(before);
}

static int by_sequence(const void *a, const void *b)
{
    const struct entry *one = a, *other = b;
    return (one->sequence > other->sequence) - (one->sequence < other->sequence);
}

static void check_change(const struct change *change, const struct entry *entry)
{
    assert_int_equal(change->sequence, entry->sequence);
    assert_int_equal(change->removed, entry->removed);
    assert_string_equal(change->id, entry->id);
    if (change->removed)
        return;
    char path[64];
    path_text(entry->path, path);
    assert_string_equal(change->video.id, entry->id);
    assert_string_equal(change->video.path, path);
    assert_int_equal(change->video.sequence, entry->sequence);
    assert_int_equal(change->video.stamp.size, entry->seed);
    assert_int_equal(change->video.info.summary.duration_us, (int64_t)entry->seed * 1000);
    assert_int_equal(change->video.info.n_streams, 1); /* the subtitles, as in a page */
    assert_int_equal(change->video.info.streams[0].kind, MEDIA_SUBTITLE);
}

/* Reads one page and holds it against the model; the caller clears it. */
static void read_page(struct catalog *reader, const struct model *model, int64_t since, int limit,
                      struct change_list *out)
{
    struct entry *due = calloc(model->count + 1, sizeof *due);
    size_t count = 0;
    assert_non_null(due);
    for (size_t i = 0; i < model->count; i++) {
        if (model->entries[i].sequence > since)
            due[count++] = model->entries[i];
    }
    qsort(due, count, sizeof *due, by_sequence);
    assert_ok(reader, catalog_changes(reader, since, limit, out));
    assert_int_equal(out->sequence, model->sequence);
    assert_int_equal(out->more, count > (size_t)limit);
    assert_int_equal(out->count, count > (size_t)limit ? (size_t)limit : count);
    for (size_t i = 0; i < out->count; i++)
        check_change(&out->changes[i], &due[i]);
    free(due);
}

/* What a client that follows the feed knows. */
struct client {
    struct entry entries[ENTRIES_MAX];
    size_t count;
    int64_t since;
};

/* Reads one page into the client; true when there are more. */
static bool follow(struct client *client, struct catalog *reader, const struct model *model,
                   int limit)
{
    struct change_list list;
    read_page(reader, model, client->since, limit, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct change *change = &list.changes[i];
        struct entry *entry = find_id(client->entries, client->count, change->id);
        if (change->removed) {
            if (entry)
                *entry = client->entries[--client->count];
            continue;
        }
        if (!entry) {
            assert_true(client->count < ENTRIES_MAX);
            entry = &client->entries[client->count++];
        }
        memcpy(entry->id, change->id, sizeof entry->id);
        entry->seed = (uint32_t)change->video.stamp.size;
    }
    bool more = list.more;
    client->since = more ? list.changes[list.count - 1].sequence : list.sequence;
    change_list_clear(&list);
    return more;
}

static void check_client(struct client *client, const struct model *model)
{
    size_t present = 0;
    for (size_t i = 0; i < model->count; i++) {
        const struct entry *entry = &model->entries[i];
        const struct entry *known = find_id(client->entries, client->count, entry->id);
        assert_int_equal(known != NULL, !entry->removed);
        if (known)
            assert_int_equal(known->seed, entry->seed);
        present += !entry->removed;
    }
    assert_int_equal(client->count, present);
}

static void test_client_follows(void **state)
{
    struct fixture *fixture = *state;
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    struct model *model = calloc(1, sizeof *model);
    struct client *clients = calloc(3, sizeof *clients);
    assert_non_null(model);
    assert_non_null(clients);
    model->random = 20261122;
    for (int round = 0; round < 300; round++) {
        change(fixture, model);
        for (int i = 0; i < 2; i++) { /* the third one sleeps until the end */
            if (draw(model, 3) == 0)
                follow(&clients[i], fixture->reader, model, 1 + (int)draw(model, 40));
        }
    }
    for (int i = 0; i < 3; i++) {
        while (follow(&clients[i], fixture->reader, model, 7)) {
        }
        check_client(&clients[i], model);
    }
    free(clients);
    free(model);
}

static void test_any_point(void **state)
{
    struct fixture *fixture = *state;
    struct model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    model->random = 7;
    for (int round = 0; round < 20; round++)
        change(fixture, model);
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    for (int64_t since = 0; since <= model->sequence + 2; since++) {
        for (int limit = 1; limit <= 1000; limit = limit * 3 + 1) {
            struct change_list list;
            read_page(fixture->reader, model, since, limit, &list);
            change_list_clear(&list);
        }
    }
    struct change_list list;
    read_page(fixture->writer, model, 0, 1000, &list); /* the writer may ask too */
    change_list_clear(&list);
    read_page(fixture->reader, model, INT64_MAX, 1, &list);
    assert_int_equal(list.count, 0);
    change_list_clear(&list);
    free(model);
}

static void test_missing_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    put_one(fixture, model, 1, 5);
    put_one(fixture, model, 2, 6);
    assert_ok(fixture->writer, catalog_video_missing(fixture->writer, 1, 0, NULL));
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    struct change_list list;
    assert_ok(fixture->writer, catalog_changes(fixture->writer, 0, 10, &list));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.changes[0].video.missing_since_ms, 0);
    assert_true(list.changes[1].video.missing_since_ms > 0);
    assert_int_equal(list.changes[1].sequence, 3);
    change_list_clear(&list);
    free(model);
}

static void test_bad_arguments(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        int64_t since;
        int limit;
    } cases[] = {{-1, 1}, {INT64_MIN, 1}, {0, 0}, {0, -1}, {0, 1001}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct change_list list;
        assert_int_equal(catalog_changes(fixture->writer, cases[i].since, cases[i].limit, &list),
                         RL_EINVAL);
        assert_null(list.changes);
        assert_int_equal(list.count, 0);
    }
}

/* The feed is read out of its index as far as the page goes, and sorted by nobody: the catalogue
 * may be large, and the loop asks. */
static void test_plan(void **state)
{
    struct fixture *fixture = *state;
    struct change_list list;
    assert_ok(fixture->writer, catalog_changes(fixture->writer, 0, 1, &list));
    change_list_clear(&list);
    struct buf sql = {0};
    buf_printf(&sql, "EXPLAIN QUERY PLAN %s", sqlite3_sql(fixture->writer->statements[ST_CHANGES]));
    assert_false(sql.failed);
    sqlite3_stmt *plan = NULL;
    assert_int_equal(sqlite3_prepare_v2(fixture->writer->db, sql.data, -1, &plan, NULL), SQLITE_OK);
    int searches = 0;
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(plan, 3);
        assert_null(strstr(detail, "TEMP B-TREE"));
        assert_null(strstr(detail, "SCAN"));
        searches += strstr(detail, "SEARCH") != NULL;
    }
    assert_int_equal(searches, 2);
    sqlite3_finalize(plan);
    buf_free(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_client_follows, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_any_point, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_missing_is_told, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bad_arguments, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_plan, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
