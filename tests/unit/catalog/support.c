#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "../../../src/catalog/private.h"
#include "support.h"

void assert_ok(struct catalog *catalog, enum rl_err err)
{
    if (err != RL_OK)
        fail_msg("%s: %s", rl_err_text(err), catalog_error(catalog));
}

struct catalog *open_catalog(const char *path, enum catalog_mode mode)
{
    char why[CATALOG_WHY_SIZE];
    struct catalog *catalog = NULL;
    if (catalog_open(path, mode, &catalog, why) != RL_OK)
        fail_msg("%s", why);
    /* The clock of a busy machine must not decide a test of something else. */
    if (mode == CATALOG_READER)
        catalog_set_budget(catalog, 60000);
    return catalog;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

void remove_folder(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    const char *place = getenv("TMPDIR");
    snprintf(fixture->folder, sizeof fixture->folder, "%s/reeld-catalog-XXXXXX",
             place ? place : "/tmp");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/reeld.db", fixture->folder);
    snprintf(fixture->mount, sizeof fixture->mount, "%s/mount", fixture->folder);
    assert_int_equal(mkdir(fixture->mount, 0755), 0);
    fixture->writer = open_catalog(fixture->path, CATALOG_WRITER);
    job_make(&fixture->job, "/media");
    assert_ok(fixture->writer, catalog_begin(fixture->writer));
    assert_ok(fixture->writer, catalog_job_insert(fixture->writer, &fixture->job));
    assert_ok(fixture->writer, catalog_commit(fixture->writer));
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    catalog_close(fixture->reader);
    catalog_close(fixture->writer);
    job_clear(&fixture->job);
    umount2(fixture->mount, MNT_DETACH); /* where a test has mounted and then failed */
    remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

void job_make(struct job *job, const char *path)
{
    *job = (struct job){.type = JOB_TYPE_SCAN,
                        .status = JOB_RUNNING,
                        .phase = PHASE_PROBING,
                        .trigger = TRIGGER_API,
                        .path = strdup(path),
                        .recursive = true,
                        .submitted_at_ms = clock_wall_ms()};
    id_new(job->id);
    assert_non_null(job->path);
}

static void stream_make(struct media_stream *stream, int32_t index, int32_t kind, uint32_t seed)
{
    *stream = (struct media_stream){
        .index = index,
        .kind = kind,
        .disposition = MEDIA_DISPOSITION_DEFAULT | MEDIA_DISPOSITION_FORCED,
        .rotation = 90,
        .width = (int32_t)(seed % 4000),
        .height = 1080,
        .bit_depth = 10,
        .channels = 6,
        .sample_rate = 48000,
        .sample_aspect = {4, 3},
        .frame_rate = {30000, 1001},
        .average_frame_rate = {24000, 1001},
        .bit_rate = kind == MEDIA_SUBTITLE ? MEDIA_UNKNOWN : (int64_t)seed * 1000,
        .duration_us = (int64_t)seed * 40000,
        .frames = MEDIA_UNKNOWN,
        .codec = "codec",
        .profile = "Main 10",
        .language = "ger",
        .pixel_format = "yuv420p10le",
        .color_range = "tv",
        .color_space = "bt2020nc",
        .color_primaries = "bt2020",
        .color_transfer = "smpte2084",
        .channel_layout = "5.1(side)",
        .hdr = "hdr10",
        .title = "F\xc3\xbc"
                 "r alle",
    };
}

static void summary_make(struct media_summary *summary, uint32_t seed)
{
    *summary = (struct media_summary){
        .duration_us = (int64_t)seed * 1000,
        .frames = seed,
        .bit_rate = seed % 3 ? (int64_t)seed * 7 : MEDIA_UNKNOWN,
        .taken_at_ms = seed % 2 ? -1000 : MEDIA_UNKNOWN,
        .fingerprint = UINT64_C(0xfedcba9876543210) ^ seed,
        .frame_rate = {30000, 1001},
        .width = 1920,
        .height = 1080,
        .rotation = 270,
        .video_index = 0,
        .audio_index = 1,
        .video_count = 1,
        .audio_count = 1,
        .subtitle_count = 1,
        .data_count = 2,
        .attachment_count = 3,
        .stream_count = 8,
        .chapter_count = 2,
        .container = "matroska,webm",
        .video_codec = "hevc",
        .audio_codec = "eac3",
        .hdr = "hdr10",
        .title = "Title",
    };
}

void video_make(struct video *video, const char *path, uint32_t seed)
{
    *video = (struct video){
        .path = strdup(path),
        .stamp = {.size = seed,
                  .mtime_ns = INT64_C(1700000000123456789) + seed,
                  .device = UINT64_MAX - seed,
                  .inode = UINT64_C(0x8000000000000001) + seed},
    };
    struct media_info *info = &video->info;
    info->streams = calloc(3, sizeof *info->streams);
    info->chapters = calloc(2, sizeof *info->chapters);
    assert_non_null(video->path);
    assert_non_null(info->streams);
    assert_non_null(info->chapters);
    info->n_streams = 3;
    info->n_chapters = 2;
    summary_make(&info->summary, seed);
    stream_make(&info->streams[0], 0, MEDIA_VIDEO, seed);
    stream_make(&info->streams[1], 1, MEDIA_AUDIO, seed);
    stream_make(&info->streams[2], 4, MEDIA_SUBTITLE, seed);
    info->chapters[0] = (struct media_chapter){0, 1000000, "One"};
    info->chapters[1] = (struct media_chapter){1000000, MEDIA_UNKNOWN, "Two"};
}

enum outcome put_video(struct catalog *writer, const char *path, uint32_t seed, int64_t job,
                       char *id)
{
    struct video video;
    enum outcome outcome = OUTCOME_NONE;
    video_make(&video, path, seed);
    assert_ok(writer, catalog_video_put(writer, &video, job, &outcome));
    if (id)
        memcpy(id, video.id, ID_TEXT_SIZE);
    video_clear(&video);
    return outcome;
}

int64_t query_int(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

void query_exec(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}
