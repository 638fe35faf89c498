/* insert_floor: the bare row of a video with its indexes, through SQLite alone, without search
 * index, feed, streams and folders: what catalogue_fill is measured against.
 *
 *   insert_floor FILE VIDEOS   256 rows a transaction, WAL, synchronous NORMAL; prints JSON */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "generated.h"

enum { GROUP = 256, VIDEOS_A_FOLDER = 20 };

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
    "CREATE TABLE videos (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " directory INTEGER NOT NULL, name BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER,"
    " inode INTEGER, sequence INTEGER, created_at INTEGER, duration_us INTEGER, bit_rate INTEGER,"
    " width INTEGER, height INTEGER, rate_num INTEGER, rate_den INTEGER, container TEXT,"
    " video_codec TEXT, audio_codec TEXT, title TEXT, UNIQUE (directory, name));"
    "CREATE INDEX videos_sequence ON videos (sequence);";

static const char insert[] = "INSERT INTO videos (id, directory, name, size, mtime_ns, inode,"
                             " sequence, created_at, duration_us, bit_rate, width, height,"
                             " rate_num, rate_den, container, video_codec, audio_codec, title)"
                             " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

static void insist(sqlite3 *db, int rc)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE)
        return;
    fprintf(stderr, "insert_floor: %s\n", sqlite3_errmsg(db));
    exit(EXIT_FAILURE);
}

static void run(sqlite3 *db, const char *sql)
{
    insist(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static void put(sqlite3 *db, sqlite3_stmt *add, uint64_t number, const struct buf *name,
                const struct media_summary *summary)
{
    uuid_t id;
    uuid_generate_time(id);
    const int64_t numbers[] = {
        generated_size(number), generated_mtime_ns(number), (int64_t)number,        (int64_t)number,
        clock_wall_ms(),        summary->duration_us,       summary->bit_rate,      summary->width,
        summary->height,        summary->frame_rate.num,    summary->frame_rate.den};
    const char *texts[] = {summary->container, summary->video_codec, summary->audio_codec,
                           summary->title};
    sqlite3_bind_blob(add, 1, id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_int64(add, 2, (int64_t)(number / VIDEOS_A_FOLDER));
    sqlite3_bind_blob64(add, 3, name->data, name->len, SQLITE_STATIC);
    int column = 4;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sqlite3_bind_int64(add, column++, numbers[i]);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        sqlite3_bind_text(add, column++, texts[i], -1, SQLITE_STATIC);
    insist(db, sqlite3_step(add));
    insist(db, sqlite3_reset(add));
}

int main(int argc, char **argv)
{
    uint64_t videos = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (!videos) {
        fprintf(stderr, "insert_floor FILE VIDEOS\n");
        return 2;
    }
    sqlite3 *db;
    sqlite3_stmt *add;
    insist(NULL,
           sqlite3_open_v2(argv[1], &db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
    run(db, schema);
    insist(db, sqlite3_prepare_v2(db, insert, -1, &add, NULL));
    int64_t spent_ns = 0;
    struct buf name = {0};
    for (uint64_t number = 0; number < videos; number++) {
        struct media_info info;
        buf_clear(&name);
        generated_name(number, &name);
        if (name.failed || generated_info(number, &info))
            abort();
        int64_t begun_ns = clock_mono_ns();
        if (number % GROUP == 0)
            run(db, "BEGIN IMMEDIATE");
        put(db, add, number, &name, &info.summary);
        if (number % GROUP == GROUP - 1 || number == videos - 1)
            run(db, "COMMIT");
        spent_ns += clock_mono_ns() - begun_ns;
        media_info_clear(&info);
    }
    buf_free(&name);
    sqlite3_finalize(add);
    sqlite3_close(db);
    printf("{\"rate\":%.1f}\n", (double)videos * 1e9 / (double)spent_ns);
    return 0;
}
