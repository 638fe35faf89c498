#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../src/catalog/private.h"
#include "support.h"

static void expect_refusal(const char *path, enum catalog_mode mode, enum rl_err expected,
                           const char *word)
{
    char why[CATALOG_WHY_SIZE] = "";
    struct catalog *catalog = NULL;
    enum rl_err err = catalog_open(path, mode, &catalog, why);
    if (err == RL_OK)
        catalog_close(catalog);
    if (err != expected || !strstr(why, word))
        fail_msg("%s: %s, '%s' without '%s'", path, rl_err_text(err), why, word);
    assert_null(catalog);
}

static void write_file(const char *path, const char *bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, strlen(bytes), file), strlen(bytes));
    assert_int_equal(fclose(file), 0);
}

static void test_new_file(void **state)
{
    struct fixture *fixture = *state;
    assert_true(strlen(catalog_id(fixture->writer)) >= 6);
    assert_int_equal(strspn(catalog_id(fixture->writer), "0123456789abcdef"),
                     strlen(catalog_id(fixture->writer)));
    int64_t sequence = -1;
    assert_ok(fixture->writer, catalog_sequence(fixture->writer, &sequence));
    assert_int_equal(sequence, 0);
    assert_ok(fixture->writer, catalog_ping(fixture->writer));
    sqlite3_stmt *mode;
    assert_int_equal(sqlite3_prepare_v2(fixture->writer->db,
                                        "SELECT journal_mode, synchronous, foreign_keys,"
                                        " trusted_schema FROM pragma_journal_mode,"
                                        " pragma_synchronous, pragma_foreign_keys,"
                                        " pragma_trusted_schema",
                                        -1, &mode, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(mode), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(mode, 0), "wal");
    assert_int_equal(sqlite3_column_int(mode, 1), 2);
    assert_int_equal(sqlite3_column_int(mode, 2), 1);
    assert_int_equal(sqlite3_column_int(mode, 3), 0);
    sqlite3_finalize(mode);
}

static void test_id_and_sequence_stay(void **state)
{
    struct fixture *fixture = *state;
    char id[32];
    snprintf(id, sizeof id, "%s", catalog_id(fixture->writer));
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_int_equal(catalog_next_sequence(fixture->writer), 1);
    assert_int_equal(catalog_next_sequence(fixture->writer), 2);
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_int_equal(catalog_next_sequence(fixture->writer), 3);
    catalog_rollback(fixture->writer);
    catalog_close(fixture->writer);
    fixture->writer = open_catalog(fixture->path, CATALOG_WRITER);
    assert_string_equal(catalog_id(fixture->writer), id);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_int_equal(catalog_next_sequence(fixture->writer), 3);
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    int64_t sequence = 0;
    assert_ok(fixture->reader, catalog_sequence(fixture->reader, &sequence));
    assert_int_equal(sequence, 3);
}

static void test_transaction_rules(void **state)
{
    struct fixture *fixture = *state;
    struct video video;
    enum outcome outcome;
    video_make(&video, "/media/a.mkv", 1);
    assert_int_equal(catalog_video_put(fixture->writer, &video, 1, &outcome), RL_EINVAL);
    assert_int_equal(catalog_commit(fixture->writer), RL_EINVAL);
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_int_equal(catalog_begin(fixture->writer), RL_ECONFLICT);
    catalog_rollback(fixture->writer);
    catalog_rollback(fixture->writer);
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    assert_int_equal(catalog_begin(fixture->reader), RL_EPERM);
    video_clear(&video);
}

static void test_refusals(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    snprintf(path, sizeof path, "%s/none/reeld.db", fixture->folder);
    expect_refusal(path, CATALOG_WRITER, RL_ENOTFOUND, "create it");
    expect_refusal(fixture->folder, CATALOG_WRITER, RL_EINVAL, "folder");
    expect_refusal("", CATALOG_WRITER, RL_EINVAL, "empty");
    snprintf(path, sizeof path, "%s/absent.db", fixture->folder);
    expect_refusal(path, CATALOG_READER, RL_ENOTFOUND, "No such file");
    snprintf(path, sizeof path, "%s/reeld.db/x.db", fixture->folder);
    expect_refusal(path, CATALOG_WRITER, RL_EINVAL, "cannot open");
    snprintf(path, sizeof path, "%s/text.db", fixture->folder);
    write_file(path, "hello");
    expect_refusal(path, CATALOG_WRITER, RL_EINVAL, "not a catalogue");
    char long_text[9000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    write_file(path, long_text);
    expect_refusal(path, CATALOG_WRITER, RL_EINVAL, "not a catalogue");
    snprintf(path, sizeof path, "%s/fifo.db", fixture->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refusal(path, CATALOG_WRITER, RL_EINVAL, "pipe");
    snprintf(path, sizeof path, "%s/other.db", fixture->folder);
    query_exec(path, "CREATE TABLE notes (text)");
    expect_refusal(path, CATALOG_WRITER, RL_EVERSION, "another program");
    assert_int_equal(query_int(path, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void test_empty_file_becomes_catalogue(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    snprintf(path, sizeof path, "%s/zero.db", fixture->folder);
    write_file(path, "");
    catalog_close(open_catalog(path, CATALOG_WRITER));
    catalog_close(open_catalog(path, CATALOG_READER));
}

static void test_read_only_place(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = fixture->mount;
    char path[256];
    snprintf(path, sizeof path, "%s/reeld.db", folder);
    if (mount("tmpfs", folder, "tmpfs", MS_RDONLY, "size=64k") != 0) {
        print_message("not permitted to mount: a read-only place was not tried\n");
        skip();
    }
    expect_refusal(path, CATALOG_WRITER, RL_EPERM, "writable");
    assert_int_equal(umount(folder), 0);
}

static void test_newer_version(void **state)
{
    struct fixture *fixture = *state;
    catalog_close(fixture->writer);
    fixture->writer = NULL;
    query_exec(fixture->path, "PRAGMA user_version = 999");
    expect_refusal(fixture->path, CATALOG_WRITER, RL_EVERSION, "newer reeld");
    expect_refusal(fixture->path, CATALOG_READER, RL_EVERSION, "newer reeld");
}

static void test_damaged(void **state)
{
    struct fixture *fixture = *state;
    catalog_close(fixture->writer);
    fixture->writer = NULL;
    FILE *file = fopen(fixture->path, "r+");
    assert_non_null(file);
    fseek(file, 100, SEEK_SET);
    for (int i = 0; i < 3000; i++)
        fputc(0xa5, file);
    assert_int_equal(fclose(file), 0);
    expect_refusal(fixture->path, CATALOG_WRITER, RL_EIO, "damaged");
}

static void test_two_writers(void **state)
{
    struct fixture *fixture = *state;
    char word[64], link_path[256];
    snprintf(word, sizeof word, "process %ld", (long)getpid());
    expect_refusal(fixture->path, CATALOG_WRITER, RL_EBUSY, word);
    snprintf(link_path, sizeof link_path, "%s/link.db", fixture->folder);
    assert_int_equal(symlink(fixture->path, link_path), 0);
    expect_refusal(link_path, CATALOG_WRITER, RL_EBUSY, word);
    catalog_close(fixture->writer);
    fixture->writer = open_catalog(link_path, CATALOG_WRITER);
}

/* A writer that is killed leaves no lock behind. */
static void test_lock_of_killed_writer(void **state)
{
    struct fixture *fixture = *state;
    catalog_close(fixture->writer);
    fixture->writer = NULL;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        char why[CATALOG_WHY_SIZE];
        struct catalog *writer;
        char good = catalog_open(fixture->path, CATALOG_WRITER, &writer, why) == RL_OK;
        if (write(ready[1], &good, 1) == 1)
            pause();
        _exit(1);
    }
    char good = 0;
    assert_int_equal(read(ready[0], &good, 1), 1);
    assert_true(good);
    expect_refusal(fixture->path, CATALOG_WRITER, RL_EBUSY, "another reeld");
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fixture->writer = open_catalog(fixture->path, CATALOG_WRITER);
    close(ready[0]);
    close(ready[1]);
}

/* ---- the ladder ---------------------------------------------------------------------------- */

static const struct schema_step ladder[] = {
    {{"CREATE TABLE a (x); INSERT INTO a VALUES (1);"}},
    {{"ALTER TABLE a ADD COLUMN y;", "UPDATE a SET y = x + 1;"}},
    {{"CREATE TABLE b (z);", "INSERT INTO nowhere VALUES (1);"}},
};

static enum rl_err climb(const char *path, int count, char why[CATALOG_WHY_SIZE])
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    enum rl_err err = schema_upgrade(db, path, ladder, count, why);
    sqlite3_close(db);
    return err;
}

static void test_ladder(void **state)
{
    struct fixture *fixture = *state;
    char path[256], copy[300], why[CATALOG_WHY_SIZE] = "";
    snprintf(path, sizeof path, "%s/ladder.db", fixture->folder);
    snprintf(copy, sizeof copy, "%s.v1", path);
    assert_int_equal(climb(path, 1, why), RL_OK);
    assert_int_not_equal(access(copy, F_OK), 0);
    /* An interrupted copy of an earlier try is in the way. */
    char part[320];
    snprintf(part, sizeof part, "%s.part", copy);
    write_file(part, "half");
    assert_int_equal(climb(path, 2, why), RL_OK);
    assert_int_equal(query_int(path, "SELECT y FROM a"), 2);
    assert_int_equal(query_int(path, "PRAGMA user_version"), 2);
    assert_int_equal(query_int(copy, "PRAGMA user_version"), 1);
    assert_int_equal(query_int(copy, "SELECT x FROM a"), 1);
    assert_int_not_equal(access(part, F_OK), 0);
    /* A step that fails leaves the file at the step before. */
    assert_int_not_equal(climb(path, 3, why), RL_OK);
    assert_non_null(strstr(why, "nowhere"));
    assert_int_equal(query_int(path, "PRAGMA user_version"), 2);
    assert_int_equal(query_int(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
    assert_int_equal(climb(path, 1, why), RL_EVERSION);
}

static void test_budget(void **state)
{
    struct fixture *fixture = *state;
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    for (uint32_t i = 0; i < 3000; i++) {
        char path[64];
        snprintf(path, sizeof path, "/media/%u.mkv", i);
        put_video(fixture->writer, path, i, fixture->job.number, NULL);
    }
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    struct video_query query = {.filter.search = "m", .limit = 10};
    struct video_page page;
    /* A budget that is over before it begins. */
    fixture->reader->budget_ns = 1;
    assert_int_equal(catalog_videos(fixture->reader, &query, &page), RL_EBUSY);
    assert_non_null(strstr(catalog_error(fixture->reader), "time limit"));
    assert_null(page.videos);
    assert_true(sqlite3_get_autocommit(fixture->reader->db));
    catalog_set_budget(fixture->reader, 60000);
    assert_ok(fixture->reader, catalog_videos(fixture->reader, &query, &page));
    assert_int_equal(page.total, 3000);
    video_page_clear(&page);
}

/* The log is emptied again and again, although a reader looks in between. */
static void test_log_stays_bounded(void **state)
{
    struct fixture *fixture = *state;
    fixture->reader = open_catalog(fixture->path, CATALOG_READER);
    char wal[200];
    snprintf(wal, sizeof wal, "%s-wal", fixture->path);
    off_t highest = 0;
    for (uint32_t i = 0; i < 12000; i++) {
        char path[64];
        snprintf(path, sizeof path, "/media/%u/%u.mkv", i % 50, i);
        if (i % 100 == 0)
            assert_ok(fixture->writer, catalog_begin(fixture->writer));
        put_video(fixture->writer, path, i * 2654435761u, fixture->job.number, NULL);
        if (i % 100 == 99) {
            assert_ok(fixture->writer, catalog_commit(fixture->writer));
            struct video_page page;
            struct video_query query = {.limit = 5};
            assert_ok(fixture->reader, catalog_videos(fixture->reader, &query, &page));
            video_page_clear(&page);
            struct stat info;
            assert_int_equal(stat(wal, &info), 0);
            highest = info.st_size > highest ? info.st_size : highest;
        }
    }
    assert_true(highest < 40 * 1024 * 1024);
    assert_int_equal(query_int(fixture->path, "SELECT count(*) FROM videos"), 12000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_file, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_id_and_sequence_stay, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_transaction_rules, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refusals, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_empty_file_becomes_catalogue, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_read_only_place, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_newer_version, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_damaged, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_two_writers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_lock_of_killed_writer, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ladder, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_budget, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_log_stays_bounded, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
