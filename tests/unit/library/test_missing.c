#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "harness.h"
#include "tree.h"

static const struct library_config plain = {.settle_ms = 200};

static void remove_file(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(unlink(path), 0);
}

static void rename_file(const char *folder, const char *from, const char *to)
{
    char old[1024], new[1024];
    snprintf(old, sizeof old, "%s/%s", folder, from);
    snprintf(new, sizeof new, "%s/%s", folder, to);
    assert_int_equal(rename(old, new), 0);
}

/* How many videos are there. */
static int64_t present(struct harness *harness)
{
    struct video_query query = {.limit = 1};
    struct video_page page;
    assert_int_equal(catalog_videos(harness->reader, &query, &page), RL_OK);
    int64_t total = page.total;
    video_page_clear(&page);
    return total;
}

static size_t said(const struct harness *harness, size_t from, enum event_type type)
{
    size_t count = 0;
    for (size_t i = from; i < harness->count; i++)
        count += harness->messages[i]->event && harness->messages[i]->event->type == type;
    return count;
}

/* Scans, and checks how many became missing, were refused, and are there after it. */
static void scan(struct harness *harness, const char *path, int64_t missing, int64_t refused,
                 int64_t left, struct job *out)
{
    struct job job;
    size_t from = harness->count;
    harness_scan_all(harness, path, &job);
    assert_int_equal(job.status, JOB_COMPLETE);
    assert_int_equal(job.missing, missing);
    assert_int_equal(job.refusal.count, refused);
    assert_int_equal(job.refusal.root != 0, refused > 0);
    assert_int_equal(job.error[0] != '\0', refused > 0);
    assert_int_equal(said(harness, from, EVENT_VIDEO_MISSING), missing);
    assert_int_equal(present(harness), left);
    if (out)
        *out = job;
    else
        job_clear(&job);
}

/* The one root that there is. */
static struct root_state root(struct harness *harness)
{
    struct root_states states;
    assert_int_equal(library_roots(harness->library, &states), RL_OK);
    assert_int_equal(states.count, 1);
    struct root_state state = states.states[0];
    state.root.path = NULL; /* it is not looked at */
    root_states_clear(&states);
    return state;
}

static const struct library_message *accept(struct harness *harness, int64_t number,
                                            const char *token)
{
    uint64_t ticket = ++harness->ticket;
    assert_int_equal(library_accept_missing(harness->library, ticket, number, token, "test"),
                     RL_OK);
    return harness_reply(harness, ticket);
}

/* Each with a content and size of its own: inodes are given again, and the time is the same. */
static void put_video(const char *folder, int number)
{
    size_t len, more = (size_t)number + 1;
    const void *video = tree_video_bytes(&len);
    char *bytes = calloc(1, len + more);
    assert_non_null(bytes);
    memcpy(bytes, video, len);
    tree_file(folder, bytes, len + more, "d%d/%d.mkv", number % 3, number);
    free(bytes);
}

static char *tree_of(int videos)
{
    char *folder = tree_new();
    for (int i = 0; i < videos; i++)
        put_video(folder, i);
    return folder;
}

static void what_is_gone_is_hidden_and_kept(void **state)
{
    (void)state;
    char *folder = tree_of(30);
    struct harness harness;
    harness_start(&harness, &plain);
    scan(&harness, folder, 0, 0, 30, NULL);
    assert_true(root(&harness).root.device && root(&harness).root.scanned_at_ms);
    remove_file(folder, "d0/0.mkv");
    remove_file(folder, "d1/4.mkv");
    scan(&harness, folder, 2, 0, 28, NULL);
    scan(&harness, folder, 0, 0, 28, NULL);
    put_video(folder, 0);
    put_video(folder, 4);
    struct job job;
    scan(&harness, folder, 0, 0, 30, &job);
    assert_int_equal(job.added, 0);
    assert_int_equal(job.skipped, 28);
    assert_int_equal(job.updated, 2);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

static void a_fifth_is_refused_and_what_came_back_is_not_accepted(void **state)
{
    (void)state;
    char *folder = tree_of(30);
    struct harness harness;
    harness_start(&harness, &plain);
    scan(&harness, folder, 0, 0, 30, NULL);
    rename_file(folder, "d0", ".d0");
    struct job first, second;
    scan(&harness, folder, 0, 10, 30, &first);
    assert_string_equal(first.refusal.reason, "many");
    assert_int_equal(said(&harness, 0, EVENT_ROOT_OFFLINE), 1);
    struct root_state now = root(&harness);
    assert_true(now.root.offline_since_ms > 0 && !now.configured);
    assert_string_equal(now.refusal.token, first.refusal.token);
    scan(&harness, folder, 0, 10, 30, &second);
    assert_int_equal(said(&harness, 0, EVENT_ROOT_OFFLINE), 1);
    assert_string_not_equal(first.refusal.token, second.refusal.token);

    assert_int_equal(accept(&harness, now.root.number + 1, second.refusal.token)->err,
                     RL_ENOTFOUND);
    assert_int_equal(accept(&harness, now.root.number, first.refusal.token)->err, RL_ECONFLICT);
    assert_int_equal(accept(&harness, now.root.number, "")->err, RL_ECONFLICT);
    assert_int_equal(accept(&harness, now.root.number, "nonsense")->err, RL_ECONFLICT);
    put_video(folder, 0);
    put_video(folder, 3);
    put_video(folder, 27);
    size_t from = harness.count;
    const struct library_message *reply = accept(&harness, now.root.number, second.refusal.token);
    assert_int_equal(reply->err, RL_OK);
    assert_int_equal(reply->count, 7);
    assert_int_equal(said(&harness, from, EVENT_VIDEO_MISSING), 7);
    assert_int_equal(said(&harness, from, EVENT_ROOT_ONLINE), 1);
    assert_int_equal(present(&harness), 23);
    now = root(&harness);
    assert_true(now.root.offline_since_ms == 0 && now.refusal.root == 0);
    assert_int_equal(accept(&harness, now.root.number, second.refusal.token)->err, RL_ECONFLICT);
    scan(&harness, folder, 0, 0, 23, NULL);
    job_clear(&first);
    job_clear(&second);
    harness_end(&harness);
    tree_remove(folder);
}

static void a_root_that_is_whole_again_is_online_again(void **state)
{
    (void)state;
    char *folder = tree_of(12);
    struct harness harness;
    harness_start(&harness, &plain);
    scan(&harness, folder, 0, 0, 12, NULL);
    char away[512];
    snprintf(away, sizeof away, "%s.away", folder);
    assert_int_equal(rename(folder, away), 0);
    assert_int_equal(mkdir(folder, 0755), 0);
    struct job job;
    scan(&harness, folder, 0, 12, 12, &job);
    assert_string_equal(job.refusal.reason, "empty");
    /* The state outlives the daemon, the refused set does not. */
    harness_restart(&harness, &plain);
    assert_string_equal(root(&harness).root.reason, "empty");
    assert_int_equal(accept(&harness, job.refusal.root, job.refusal.token)->err, RL_ECONFLICT);
    job_clear(&job);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rename(away, folder), 0);
    size_t from = harness.count;
    scan(&harness, folder, 0, 0, 12, NULL);
    assert_int_equal(said(&harness, from, EVENT_ROOT_ONLINE), 1);
    assert_int_equal(root(&harness).root.offline_since_ms, 0);
    scan(&harness, folder, 0, 0, 12, NULL);
    assert_int_equal(said(&harness, 0, EVENT_ROOT_ONLINE), 1);
    assert_int_equal(said(&harness, 0, EVENT_ROOT_OFFLINE), 1);
    harness_end(&harness);
    tree_remove(folder);
}

/* A part of a root is judged by the whole, and what is refused there stands until that part, or the
 * whole, was seen again. */
static void a_part_is_judged_by_the_whole(void **state)
{
    (void)state;
    char *folder = tree_of(60), part[512], other[512];
    snprintf(part, sizeof part, "%s/d0", folder);
    snprintf(other, sizeof other, "%s/d1", folder);
    const char *roots[] = {folder, NULL};
    struct library_config config = plain;
    config.roots = roots;
    struct harness harness;
    harness_start(&harness, &config);
    assert_true(root(&harness).configured);
    assert_int_equal(root(&harness).root.scanned_at_ms, 0);
    scan(&harness, folder, 0, 0, 60, NULL);
    /* 11 of 20 in the folder, but of 60 in the root */
    char name[64];
    for (int i = 0; i < 33; i += 3) {
        snprintf(name, sizeof name, "d0/%d.mkv", i);
        remove_file(folder, name);
    }
    scan(&harness, part, 11, 0, 49, NULL);
    for (int i = 1; i < 31; i += 3) {
        snprintf(name, sizeof name, "d1/%d.mkv", i);
        remove_file(folder, name);
    }
    scan(&harness, other, 0, 10, 49, NULL);
    scan(&harness, part, 0, 0, 49, NULL);
    assert_string_equal(root(&harness).root.reason, "many");
    assert_int_equal(root(&harness).refusal.count, 10);
    put_video(folder, 1);
    scan(&harness, other, 9, 0, 40, NULL);
    assert_int_equal(root(&harness).root.offline_since_ms, 0);
    harness_end(&harness);
    tree_remove(folder);
}

static void what_is_not_walked_is_left_alone(void **state)
{
    (void)state;
    char *folder = tree_of(9), part[512], file[512];
    tree_video(folder, "top.mkv");
    snprintf(part, sizeof part, "%s/d0", folder);
    snprintf(file, sizeof file, "%s/d1/1.mkv", folder);
    struct harness harness;
    harness_start(&harness, &plain);
    scan(&harness, folder, 0, 0, 10, NULL);
    remove_file(folder, "d1/4.mkv");
    scan(&harness, part, 0, 0, 10, NULL);
    scan(&harness, file, 0, 0, 10, NULL);
    struct scan_request flat = {.path = folder, .timeout_ms = -1};
    struct job job;
    const char *id = harness_scan_with(&harness, &flat);
    harness_terminal(&harness, id);
    harness_job(&harness, id, &job);
    assert_int_equal(job.missing, 0);
    job_clear(&job);
    remove_file(folder, "top.mkv");
    id = harness_scan_with(&harness, &flat);
    harness_terminal(&harness, id);
    harness_job(&harness, id, &job);
    assert_int_equal(job.missing, 1);
    job_clear(&job);
    assert_int_equal(present(&harness), 9);
    scan(&harness, folder, 1, 0, 8, NULL);
    harness_end(&harness);
    tree_remove(folder);
}

static void what_is_ignored_later_is_hidden_until_the_rule_goes(void **state)
{
    (void)state;
    char *folder = tree_of(30);
    struct harness harness;
    harness_start(&harness, &plain);
    scan(&harness, folder, 0, 0, 30, NULL);
    tree_text(folder, "", "d0/.nomedia");
    tree_text(folder, "1?.mkv\n", ".reeldignore");
    scan(&harness, folder, 17, 0, 13, NULL); /* more than a fifth: somebody said so */
    remove_file(folder, ".reeldignore");
    remove_file(folder, "d0/.nomedia");
    struct job job;
    scan(&harness, folder, 0, 0, 30, &job);
    assert_int_equal(job.updated, 17);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

/* A file that failed, and one that failed after it was indexed. */
static void failures_of_what_is_gone_are_forgotten(void **state)
{
    (void)state;
    char *folder = tree_of(3);
    tree_text(folder, "no film", "bad.mkv");
    tree_text(folder, "no film", "sub/bad.mkv");
    struct harness harness;
    harness_start(&harness, &plain);
    scan(&harness, folder, 0, 0, 3, NULL);
    tree_text(folder, "no film any more", "d0/0.mkv");
    struct job job;
    scan(&harness, folder, 0, 0, 3, &job);
    assert_int_equal(job.error_count, 3);
    job_clear(&job);
    struct library_status status;
    library_status(harness.library, &status);
    uint64_t probed = status.pool.probed;
    for (int round = 0; round < 2; round++) {
        rename_file(folder, "bad.mkv", "bad.off");
        rename_file(folder, "sub", ".sub");
        rename_file(folder, "d0/0.mkv", "d0/0.off");
        scan(&harness, folder, round == 0, 0, 2, &job);
        assert_int_equal(job.error_count, 0);
        job_clear(&job);
        rename_file(folder, "bad.off", "bad.mkv");
        rename_file(folder, ".sub", "sub");
        rename_file(folder, "d0/0.off", "d0/0.mkv");
        scan(&harness, folder, 0, 0, 2, &job);
        assert_int_equal(job.error_count, 3);
        job_clear(&job);
        probed += 3;
        library_status(harness.library, &status);
        assert_int_equal(status.pool.probed, probed);
    }
    harness_end(&harness);
    tree_remove(folder);
}

/* Folders that are no more, at any depth, more of them than one query brings. */
static void folders_that_are_gone(void **state)
{
    (void)state;
    char *folder = tree_new();
    for (int i = 0; i < 700; i++)
        tree_video(folder, "%c/%d/deep/%d.mkv", i < 650 ? 'k' : 'v', i, i);
    tree_video(folder, "k.mkv");
    struct harness harness;
    harness_start(&harness, &plain);
    scan(&harness, folder, 0, 0, 701, NULL);
    rename_file(folder, "v", ".v");
    scan(&harness, folder, 50, 0, 651, NULL);
    rename_file(folder, "k", ".k");
    scan(&harness, folder, 0, 650, 651, NULL);
    rename_file(folder, ".k", "k");
    rename_file(folder, ".v", "v");
    struct job job;
    scan(&harness, folder, 0, 0, 701, &job);
    assert_int_equal(job.updated, 50);
    assert_int_equal(job.skipped, 651);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_gone_is_hidden_and_kept),
        cmocka_unit_test(a_fifth_is_refused_and_what_came_back_is_not_accepted),
        cmocka_unit_test(a_root_that_is_whole_again_is_online_again),
        cmocka_unit_test(a_part_is_judged_by_the_whole),
        cmocka_unit_test(what_is_not_walked_is_left_alone),
        cmocka_unit_test(what_is_ignored_later_is_hidden_until_the_rule_goes),
        cmocka_unit_test(failures_of_what_is_gone_are_forgotten),
        cmocka_unit_test(folders_that_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
