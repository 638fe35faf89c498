/* support: a catalogue in a folder of its own, and records to put into it. */
#ifndef REELD_TEST_CATALOG_SUPPORT_H
#define REELD_TEST_CATALOG_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reeld/catalog.h"

/* A folder under $TMPDIR or /tmp with a writer, a job and a place for a reader. */
struct fixture {
    char folder[128];
    char path[160];  /* of the database */
    char mount[160]; /* an empty folder, for a test that mounts something small */
    struct catalog *writer, *reader;
    struct job job;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Opens, or fails the test with the reason. A reader has a minute for each call. */
struct catalog *open_catalog(const char *path, enum catalog_mode mode);

/* Removes a folder and what is in it. */
void remove_folder(const char *folder);

/* A job of type scan that is running, not yet in the catalogue. */
void job_make(struct job *job, const char *path);

/* A video with every member of its summary set from `seed`, three streams and two chapters. */
void video_make(struct video *video, const char *path, uint32_t seed);

/* Makes, puts and clears a video; returns its outcome. `id` (may be NULL) receives its id. */
enum outcome put_video(struct catalog *writer, const char *path, uint32_t seed, int64_t job,
                       char *id);

/* The integer that a query gives; a statement run: both through a connection of their own. */
int64_t query_int(const char *path, const char *sql);
void query_exec(const char *path, const char *sql);

/* Fails the test unless `err` is RL_OK, with the catalogue's words. */
void assert_ok(struct catalog *catalog, enum rl_err err);

#endif
