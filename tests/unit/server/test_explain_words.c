/* What follows from what is known of a path, for every combination: a status that agrees with the
 * lists, and words. */
#include <string.h>

#include "../test.h"
#include "reeld/base.h"
#include "reeld/events.h"

#include "explain_words.h"

enum knowledge {
    NOTHING,
    VIDEO,
    VIDEO_FAILED,
    MISSING,
    MISSING_FAILED,
    ONLY_FAILED,
    NO_MEDIA,
    KNOWLEDGES
};

static const struct file_stamp now = {.size = 5, .mtime_ns = 7, .device = 1, .inode = 9},
                               before = {.size = 4, .mtime_ns = 7, .device = 1, .inode = 9};

static struct path_about known(enum knowledge knowledge, const struct file_stamp *stamp)
{
    struct path_about about = {.stamp = before, .failure_stamp = before};
    bool video = knowledge >= VIDEO && knowledge <= MISSING_FAILED;
    if (video) {
        strcpy(about.video_id, "01890000-0000-7000-8000-000000000001");
        about.stamp = *stamp;
    }
    if (knowledge == MISSING || knowledge == MISSING_FAILED)
        about.missing_since_ms = 1000;
    if (knowledge == VIDEO_FAILED || knowledge == MISSING_FAILED || knowledge == ONLY_FAILED) {
        about.failure = FAILURE_TRUNCATED;
        about.failure_stamp = *stamp;
        strcpy(about.error, "it ends at 12 of 40 seconds");
    }
    if (knowledge == NO_MEDIA) {
        about.failure = FAILURE_NOT_MEDIA;
        about.not_media = true;
        about.failure_stamp = *stamp;
    }
    return about;
}

static bool has_stamp(enum path_verdict verdict)
{
    return verdict != PATH_GONE && verdict != PATH_OUTSIDE && verdict != PATH_LINK;
}

static enum path_status expected(enum path_verdict verdict, enum knowledge knowledge, bool same)
{
    static const enum path_status plain[] = {
        [PATH_FOLDER] = PATH_STATUS_FOLDER,
        [PATH_GONE] = PATH_STATUS_NOT_FOUND,
        [PATH_UNREADABLE] = PATH_STATUS_UNREADABLE,
        [PATH_IGNORED] = PATH_STATUS_IGNORED,
        [PATH_NOT_A_VIDEO] = PATH_STATUS_NOT_A_VIDEO,
        [PATH_NOT_A_FILE] = PATH_STATUS_NOT_A_FILE,
        [PATH_LINK] = PATH_STATUS_LINK,
    };
    if (verdict == PATH_OUTSIDE)
        return PATH_STATUS_OUTSIDE_ROOTS;
    if (knowledge == VIDEO || knowledge == VIDEO_FAILED)
        return PATH_STATUS_INDEXED;
    if (knowledge == MISSING || knowledge == MISSING_FAILED)
        return PATH_STATUS_MISSING;
    if (verdict != PATH_WANTED && verdict != PATH_SETTLING)
        return plain[verdict];
    if (verdict == PATH_SETTLING && (knowledge == NOTHING || !same))
        return PATH_STATUS_SETTLING;
    return knowledge == NOTHING    ? PATH_STATUS_NOT_SCANNED
           : knowledge == NO_MEDIA ? PATH_STATUS_NOT_MEDIA
                                   : PATH_STATUS_FAILED;
}

static void check(enum path_verdict verdict, enum knowledge knowledge, bool same)
{
    char rule_file[] = "/films/\xff/.reeldignore";
    struct path_finding finding = {
        .path = "/films/caf\xe9.mp4",
        .disk = {.verdict = verdict, .at = 6, .rule = "*.\xff", .rule_line = 3},
        .known = known(knowledge, same ? &now : &before),
    };
    if (verdict == PATH_IGNORED)
        finding.disk.rule_file = rule_file;
    if (has_stamp(verdict))
        finding.disk.stamp = now;
    finding_decide(&finding);
    assert_int_equal(finding.status, expected(verdict, knowledge, same));
    /* One that is missing and there again has changed, whatever its stamp. */
    bool missing = knowledge == MISSING || knowledge == MISSING_FAILED;
    bool is_known = knowledge != NOTHING;
    bool changed = verdict == PATH_GONE  ? knowledge != NOTHING && knowledge != MISSING
                   : !has_stamp(verdict) ? false
                   : missing             ? true
                                         : is_known && !same;
    if (finding.changed != changed)
        fail_msg("verdict %d, knowledge %d, %d", verdict, knowledge, same);
    bool coded = finding.status == PATH_STATUS_FAILED || knowledge == VIDEO_FAILED;
    if (verdict != PATH_OUTSIDE && coded)
        assert_int_equal(finding.code, FAILURE_TRUNCATED);
    if (finding.status == PATH_STATUS_NOT_MEDIA || knowledge == VIDEO)
        assert_int_equal(finding.code, FAILURE_NONE);
    struct buf words = {0};
    finding_words(&finding, &words);
    assert_false(words.failed);
    assert_in_range(words.len, 15, 400);
    assert_true(utf8_valid(words.data, words.len));
    assert_null(strchr(words.data, '\n'));
    buf_free(&words);
}

static void every_combination_has_a_status_and_words(void **state)
{
    (void)state;
    for (int verdict = 0; verdict <= PATH_SETTLING; verdict++)
        for (int knowledge = 0; knowledge < KNOWLEDGES; knowledge++)
            for (int same = 0; same < 2; same++)
                check((enum path_verdict)verdict, (enum knowledge)knowledge, same);
}

static void words_name_what_it_is_about(void **state)
{
    (void)state;
    char rule_file[] = "/films/.reeldignore";
    struct path_finding finding = {
        .path = "/films/deep/a.mp4",
        .disk = {.verdict = PATH_IGNORED,
                 .at = strlen("/films/deep"),
                 .rule = "deep/",
                 .rule_line = 12,
                 .rule_file = rule_file},
    };
    struct buf words = {0};
    finding_decide(&finding);
    finding_words(&finding, &words);
    assert_string_equal(words.data,
                        "line 12 of /films/.reeldignore has scans pass over /films/deep; take it "
                        "away, or scan the file by its own path");
    buf_clear(&words);
    finding.disk = (struct path_explanation){.verdict = PATH_IGNORED, .at = 99, .rule = "*.part"};
    finding_words(&finding, &words);
    assert_non_null(strstr(words.data, "--keep '*.part'"));
    assert_non_null(strstr(words.data, "/films/deep/a.mp4"));
    buf_clear(&words);
    finding = (struct path_finding){.path = "/films/a.mp4",
                                    .disk = {.verdict = PATH_WANTED, .stamp = now},
                                    .known = known(ONLY_FAILED, &now)};
    finding_decide(&finding);
    finding_words(&finding, &words);
    assert_non_null(strstr(words.data, "it ends at 12 of 40 seconds"));
    buf_clear(&words);
    finding.known.error[0] = '\0';
    finding_words(&finding, &words);
    assert_non_null(strstr(words.data, failure_meaning(FAILURE_TRUNCATED)));
    buf_clear(&words);
    /* A video whose file was written over with a text. */
    finding.known = known(VIDEO, &before);
    finding.known.not_media = true;
    finding.known.failure_stamp = now;
    finding_decide(&finding);
    finding_words(&finding, &words);
    assert_int_equal(finding.status, PATH_STATUS_INDEXED);
    assert_non_null(strstr(words.data, "what the file holds now is no video"));
    buf_free(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_has_a_status_and_words),
        cmocka_unit_test(words_name_what_it_is_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
