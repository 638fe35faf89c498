/* What media_probe says of files that are no video, and that it opens nothing but the file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "../test.h"
#include "media_files.h"

static enum failure_code judge(const void *bytes, size_t len, const char *hint)
{
    struct media_info info;
    char error[MEDIA_ERROR_SIZE];
    enum failure_code code = media_probe_bytes(bytes, len, hint, &info, error);
    media_info_clear(&info);
    return code;
}

static void test_no_media(void **state)
{
    (void)state;
    static const struct {
        const char *hint, *text;
    } table[] = {
        {"mkv", "this is not a video"},
        {"ts", "export const answer: number = 42;\nexport type Word = string;\n"},
        {"ts", "GGGGGGGGGGGGG G is also the sync byte\n"},
        {"mp4", "<!DOCTYPE html><html><body>404 Not Found</body></html>"},
        {"srt", "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n00:00:03,000 --> 00:00:04,000\nx\n"},
        {"m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.ts\n#EXT-X-ENDLIST\n"},
        {"mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.ts\n#EXT-X-ENDLIST\n"},
        {"mp4", "ffconcat version 1.0\nfile a.mp4\n"},
        {"mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n"},
        {"mp4", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"},
        {"", "GIF89a"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(judge(table[i].text, strlen(table[i].text), table[i].hint),
                         FAILURE_NOT_MEDIA);
    assert_int_equal(judge("", 0, "mp4"), FAILURE_EMPTY);
}

static void test_noise(void **state)
{
    (void)state;
    enum { LEN = 300000 };
    static const char *const hints[] = {"mp4", "mp3", "ts", "mpg", "avi", "mkv", "vob", ""};
    unsigned char *bytes = calloc(1, LEN);
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        assert_int_equal(judge(bytes, LEN, hints[i]), FAILURE_NOT_MEDIA);
    srand(7);
    for (int round = 0; round < 24; round++) {
        for (size_t i = 0; i < LEN; i++)
            bytes[i] = (unsigned char)(rand() >> 8);
        const char *hint = hints[(size_t)round % (sizeof hints / sizeof *hints)];
        assert_int_equal(judge(bytes, LEN, hint), FAILURE_NOT_MEDIA);
    }
    free(bytes);
}

/* The box of `type` in an MP4: the offset of its size field. */
static size_t box_find(const struct media_bytes *file, const char *type)
{
    for (size_t i = 4; i + 4 < file->len; i++) {
        if (memcmp(file->bytes + i, type, 4) == 0)
            return i - 4;
    }
    fail_msg("no box %s", type);
    return 0;
}

static void test_cut_files(void **state)
{
    (void)state;
    struct media_bytes late = media_make("late.mp4", "-c:v libx264 -c:a aac");
    struct media_bytes early = media_make("early.mp4", "-c:v libx264 -c:a aac -movflags faststart");
    struct media_bytes mkv = media_make("cut.mkv", "-c:v libx264 -c:a aac");
    size_t moov = box_find(&late, "moov"), mdat = box_find(&early, "mdat");
    assert_int_equal(judge(late.bytes, late.len, "mp4"), FAILURE_NONE);
    assert_int_equal(judge(late.bytes, moov - 100, "mp4"), FAILURE_TRUNCATED); /* in mdat */
    assert_int_equal(judge(late.bytes, moov, "mp4"), FAILURE_TRUNCATED);       /* no moov */
    assert_int_equal(judge(late.bytes, moov + 60, "mp4"), FAILURE_TRUNCATED);  /* in moov */
    assert_int_equal(judge(early.bytes, 300, "mp4"), FAILURE_TRUNCATED);
    assert_int_equal(judge(early.bytes, mdat + 2000, "mp4"), FAILURE_NONE);
    assert_int_equal(judge(mkv.bytes, 60, "mkv"), FAILURE_TRUNCATED);
    assert_int_equal(judge(mkv.bytes, mkv.len * 2 / 3, "mkv"), FAILURE_NONE);
    media_bytes_free(&late);
    media_bytes_free(&early);
    media_bytes_free(&mkv);
}

static void test_sound_only(void **state)
{
    (void)state;
    static const char *const names[] = {"a.m4v", "b.mkv", "c.mp3", "d.wav", "e.ogg", "f.ts"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct media_bytes file = media_make(names[i], "-vn");
        assert_int_equal(judge(file.bytes, file.len, names[i] + 2), FAILURE_NO_VIDEO_STREAM);
        media_bytes_free(&file);
    }
    struct media_bytes cover = media_make(
        "cover.m4v", "-map 1 -map 0 -c:v mjpeg -frames:v 1 -disposition:v attached_pic -f mp4");
    assert_int_equal(judge(cover.bytes, cover.len, "m4v"), FAILURE_NO_VIDEO_STREAM);
    media_bytes_free(&cover);
}

static void test_no_file(void **state)
{
    (void)state;
    struct media_info info;
    char error[MEDIA_ERROR_SIZE];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(media_probe(ends[0], "mp4", &info, error), FAILURE_NOT_A_FILE);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(media_probe(-1, "mp4", &info, error), FAILURE_IO_ERROR);
    char name[] = "/tmp/reeld-media-XXXXXX";
    int fd = mkstemp(name);
    assert_int_equal(write(fd, "text", 4), 4);
    close(fd);
    fd = open(name, O_WRONLY);
    assert_int_equal(media_probe(fd, "mp4", &info, error), FAILURE_IO_ERROR);
    assert_non_null(strstr(error, "Bad file descriptor"));
    close(fd);
    unlink(name);
}

static void test_nothing_else_is_opened(void **state)
{
    (void)state;
    static const struct {
        const char *hint, *format; /* %1$s: the path of the file that is not to be opened */
    } table[] = {
        {"m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n%1$s\n#EXT-X-ENDLIST\n"},
        {"m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile:%1$s\n"},
        {"ffconcat", "ffconcat version 1.0\nfile '%1$s'\n"},
        {"mpd",
         "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\">"
         "<Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\">"
         "<BaseURL>file://%1$s?GGG</BaseURL></Representation></AdaptationSet></Period></MPD>"},
        {"sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=%1$s\nm=video 5004 RTP/AVP 96\n"},
        {"idx", "# VobSub index file, v7\nid: en, index: 0\ntimestamp: 0:0:0:0, filepos: 0 %1$s\n"},
    };
    static const char *const hints[] = {NULL, "mp4", "mkv"};
    struct media_bytes video = media_make("victim.mp4", "-c:v libx264 -c:a aac");
    /* A name for a file that is in no directory, so that no other program happens to open it. */
    char dir[] = "/tmp/reeld-victim-XXXXXX", victim[64], target[64];
    int fd = media_file(video.bytes, video.len);
    assert_non_null(mkdtemp(dir));
    snprintf(victim, sizeof victim, "%s/victim.ts", dir);
    snprintf(target, sizeof target, "/proc/%d/fd/%d", (int)getpid(), fd);
    assert_int_equal(symlink(target, victim), 0);
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(watch, victim, IN_OPEN | IN_ACCESS) >= 0);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[1024];
        snprintf(text, sizeof text, table[i].format, victim);
        for (size_t j = 0; j < sizeof hints / sizeof *hints; j++)
            assert_int_equal(judge(text, strlen(text), hints[j] ? hints[j] : table[i].hint),
                             FAILURE_NOT_MEDIA);
    }
    char event[512];
    assert_int_equal(read(watch, event, sizeof event), -1);
    /* The watch does see an open. */
    close(open(victim, O_RDONLY));
    assert_true(read(watch, event, sizeof event) > 0);
    close(watch);
    close(fd);
    unlink(victim);
    rmdir(dir);
    media_bytes_free(&video);
}

static int prepare(void **state)
{
    (void)state;
    media_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_media),  cmocka_unit_test(test_noise),
        cmocka_unit_test(test_cut_files), cmocka_unit_test(test_sound_only),
        cmocka_unit_test(test_no_file),   cmocka_unit_test(test_nothing_else_is_opened),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
