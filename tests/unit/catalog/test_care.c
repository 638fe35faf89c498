#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../../../src/catalog/private.h"
#include "support.h"

/* ---- network file systems ------------------------------------------------------------------ */

/* What statfs says instead of the truth; 0: the truth. */
static uint32_t pretended;

int __real_statfs(const char *path, struct statfs *out);
int __wrap_statfs(const char *path, struct statfs *out);
int __wrap_statfs(const char *path, struct statfs *out)
{
    int result = __real_statfs(path, out);
    if (pretended)
        out->f_type = (__typeof__(out->f_type))pretended;
    return result;
}

static void test_network_kinds(void **state)
{
    (void)state;
    assert_string_equal(place_network(0x6969), "NFS");
    assert_string_equal(place_network(0xff534d42), "SMB (CIFS)");
    assert_string_equal(place_network(0xfe534d42), "SMB");
    assert_string_equal(place_network(0x65735546), "FUSE");
    assert_null(place_network(0xef53));     /* ext4 */
    assert_null(place_network(0x9123683e)); /* btrfs */
    assert_null(place_network(0x01021994)); /* tmpfs */
    assert_null(place_network(0x794c7630)); /* overlayfs */
    assert_null(place_network(0));
}

/* What opening and closing the catalogue writes to the log. */
static void opening_log(const char *path, enum catalog_mode mode, char out[4096])
{
    int log = memfd_create("log", 0), before = dup(STDERR_FILENO);
    assert_true(log >= 0 && before >= 0);
    dup2(log, STDERR_FILENO);
    catalog_close(open_catalog(path, mode));
    dup2(before, STDERR_FILENO);
    ssize_t len = pread(log, out, 4095, 0);
    out[len > 0 ? len : 0] = '\0';
    close(log);
    close(before);
}

static void test_network_is_warned_of(void **state)
{
    struct fixture *fixture = *state;
    char log[4096];
    catalog_close(fixture->writer);
    fixture->writer = NULL;
    opening_log(fixture->path, CATALOG_WRITER, log);
    assert_string_equal(log, "");
    pretended = 0x6969;
    opening_log(fixture->path, CATALOG_WRITER, log);
    pretended = 0;
    assert_non_null(strstr(log, "warn  catalog: the database"));
    assert_non_null(strstr(log, "reeld.db is on NFS: its write-ahead log needs memory"));
    assert_ptr_equal(strchr(log, '\n'), log + strlen(log) - 1);
    pretended = 0x6969;
    opening_log(fixture->path, CATALOG_READER, log); /* said once, by the writer */
    pretended = 0;
    assert_string_equal(log, "");
}

/* ---- the copy before an upgrade, with a real file ------------------------------------------ */

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t n; (n = read(in, bytes, sizeof bytes)) > 0;)
        assert_int_equal(write(out, bytes, (size_t)n), n);
    close(in);
    close(out);
}

/* Brings the file one step further than there is. */
static enum rl_err climb(const char *path, char why[CATALOG_WHY_SIZE])
{
    struct schema_step steps[32];
    assert_true(schema_version < 32);
    memcpy(steps, schema_steps, (size_t)schema_version * sizeof *steps);
    steps[schema_version] = (struct schema_step){
        {"ALTER TABLE videos ADD COLUMN later INTEGER; UPDATE videos SET later = number;"}};
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(schema_functions(db), RL_OK);
    enum rl_err err = schema_upgrade(db, path, steps, schema_version + 1, why);
    sqlite3_close(db);
    return err;
}

static void fill_disk(const char *folder, int64_t leave)
{
    struct statvfs info;
    char path[256], block[4096] = {1};
    snprintf(path, sizeof path, "%s/ballast", folder);
    assert_int_equal(statvfs(folder, &info), 0);
    int64_t bytes = (int64_t)info.f_bavail * (int64_t)info.f_frsize - leave;
    int fd = open(path, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    for (; bytes > 0; bytes -= (int64_t)sizeof block)
        assert_int_equal(write(fd, block, sizeof block), sizeof block);
    close(fd);
}

static void test_upgrade_on_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    char path[256], name[300], why[CATALOG_WHY_SIZE] = "";
    if (mount("tmpfs", fixture->mount, "tmpfs", 0, "size=4m") != 0) {
        print_message("not permitted to mount: a full disk was not tried\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/1.db", fixture->mount);
    copy_file(VERSIONS "/1.db", path);
    fill_disk(fixture->mount, 40960);
    assert_int_equal(climb(path, why), RL_EFULL);
    assert_non_null(strstr(why, "before its upgrade"));
    assert_non_null(strstr(why, "make room"));
    assert_int_equal(query_int(path, "PRAGMA user_version"), 1);
    snprintf(name, sizeof name, "%s.v1", path);
    assert_int_not_equal(access(name, F_OK), 0);
    snprintf(name, sizeof name, "%s.v1.part", path);
    assert_int_not_equal(access(name, F_OK), 0);
    snprintf(name, sizeof name, "%s/ballast", fixture->mount);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(climb(path, why), RL_OK);
    assert_int_equal(query_int(path, "PRAGMA user_version"), schema_version + 1);
    assert_int_equal(query_int(path, "SELECT sum(later = number) FROM videos"), 7);
    snprintf(name, sizeof name, "%s.v1", path);
    assert_int_equal(query_int(name, "PRAGMA user_version"), 1);
    assert_int_equal(query_int(name, "SELECT count(*) FROM videos"), 7);
}

/* ---- the mark ------------------------------------------------------------------------------ */

static int64_t clean(const char *path)
{
    return query_int(path, "SELECT ifnull((SELECT value FROM meta WHERE key = 'clean'), -1)");
}

static void commit_one(struct catalog *writer)
{
    assert_ok(writer, catalog_begin(writer));
    catalog_next_sequence(writer);
    assert_ok(writer, catalog_commit(writer));
}

static void test_mark(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(clean(fixture->path), -1); /* new, and never closed */
    catalog_close(fixture->writer);
    assert_int_equal(clean(fixture->path), 1);
    fixture->writer = open_catalog(fixture->path, CATALOG_WRITER);
    assert_int_equal(clean(fixture->path), 1);
    /* A transaction that is taken back takes the mark with it; the next one has it again. */
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    catalog_rollback(fixture->writer);
    assert_int_equal(clean(fixture->path), 1);
    commit_one(fixture->writer);
    assert_int_equal(clean(fixture->path), 0);
    /* It is written by the first commit alone. */
    int changes = sqlite3_total_changes(fixture->writer->db);
    commit_one(fixture->writer);
    assert_int_equal(sqlite3_total_changes(fixture->writer->db), changes + 1); /* the sequence */
    catalog_close(fixture->writer);
    assert_int_equal(clean(fixture->path), 1);
    fixture->writer = NULL;
    /* A reader leaves it alone. */
    catalog_close(open_catalog(fixture->path, CATALOG_READER));
    assert_int_equal(clean(fixture->path), 1);
}

static void test_damage_met_while_open(void **state)
{
    struct fixture *fixture = *state;
    commit_one(fixture->writer);
    fixture->writer->damaged = true; /* as statement_step sets it */
    assert_int_equal(catalog_begin(fixture->writer), RL_EIO);
    assert_non_null(strstr(catalog_error(fixture->writer), "damaged; start reeld again"));
    assert_int_equal(catalog_ping(fixture->writer), RL_EIO);
    catalog_close(fixture->writer);
    fixture->writer = NULL;
    assert_int_not_equal(clean(fixture->path), 1);
    catalog_close(open_catalog(fixture->path, CATALOG_WRITER)); /* is checked, and sound */
    assert_int_equal(clean(fixture->path), 1);
    struct catalog *reader = open_catalog(fixture->path, CATALOG_READER);
    reader->damaged = true;
    catalog_close(reader);
    assert_int_equal(clean(fixture->path), 0);
}

/* ---- backup -------------------------------------------------------------------------------- */

static void wake(void *arg)
{
    sem_post(arg);
}

/* Freed at whichever moment, it leaves nothing in the folder. */
static void test_backup_is_cancelled(void **state)
{
    struct fixture *fixture = *state;
    sem_t over;
    for (int i = 0; i < 50; i++) {
        struct catalog_backup *backup;
        sem_init(&over, 0, 0);
        assert_int_equal(catalog_backup_start(fixture->path, fixture->mount, wake, &over, &backup),
                         RL_OK);
        if (i % 2)
            sem_wait(&over);
        else
            usleep((useconds_t)i * 20); /* not to wait for anything: any moment is the test */
        assert_true(catalog_backup_over(backup) || i % 2 == 0);
        catalog_backup_free(backup);
        sem_destroy(&over);
    }
    assert_int_equal(rmdir(fixture->mount), 0); /* only when it is empty */
    assert_int_equal(mkdir(fixture->mount, 0755), 0);
}

/* Commits during the copy neither are in it nor make it begin anew. */
static void test_backup_is_a_snapshot(void **state)
{
    struct fixture *fixture = *state;
    struct catalog *writer = fixture->writer;
    sem_t over;
    sem_init(&over, 0, 0);
    assert_ok(writer, catalog_begin(writer));
    for (uint32_t i = 0; i < 3000; i++) {
        char path[64];
        snprintf(path, sizeof path, "/media/%u.mkv", i);
        put_video(writer, path, i, fixture->job.number, NULL);
    }
    assert_ok(writer, catalog_commit(writer));
    struct catalog_backup *backup;
    assert_int_equal(catalog_backup_start(fixture->path, fixture->mount, wake, &over, &backup),
                     RL_OK);
    for (uint32_t i = 3000; sem_trywait(&over) != 0; i++) {
        char path[64];
        snprintf(path, sizeof path, "/media/%u.mkv", i);
        assert_ok(writer, catalog_begin(writer));
        put_video(writer, path, i, fixture->job.number, NULL);
        assert_ok(writer, catalog_commit(writer));
    }
    int fd;
    int64_t size;
    const char *why;
    char copy[64];
    if (catalog_backup_take(backup, &fd, &size, &why) != RL_OK)
        fail_msg("%s", why);
    assert_true(size > 100 * 4096 && lseek(fd, 0, SEEK_END) == size);
    char path[200];
    snprintf(copy, sizeof copy, "/proc/self/fd/%d", fd);
    snprintf(path, sizeof path, "%s/copy.db", fixture->folder);
    copy_file(copy, path);
    close(fd);
    catalog_backup_free(backup);
    sem_destroy(&over);
    int64_t videos = query_int(path, "SELECT count(*) FROM videos");
    assert_true(videos >= 3000 && videos == query_int(path, "SELECT max(number) FROM videos"));
    assert_int_equal(query_int(path, "SELECT value FROM meta WHERE key = 'sequence'"), videos);
    assert_true(videos < query_int(fixture->path, "SELECT count(*) FROM videos"));
    assert_int_equal(query_int(path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network_kinds),
        cmocka_unit_test_setup_teardown(test_network_is_warned_of, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_upgrade_on_a_full_disk, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_mark, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_damage_met_while_open, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_backup_is_cancelled, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_backup_is_a_snapshot, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
