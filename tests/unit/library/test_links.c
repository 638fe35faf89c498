#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "harness.h"
#include "tour.h"
#include "tree.h"

static void link_to(const char *target, const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(symlink(target, path), 0);
}

static void check_tour(const char *folder, const struct tour_way *way, const char *expected)
{
    char *told = tour_text(folder, way);
    assert_string_equal(told, expected);
    free(told);
}

static void links_of_all_kinds(void **state)
{
    (void)state;
    char *folder = tree_new(), *outside = tree_new();
    char real[512];
    snprintf(real, sizeof real, "%s/real", folder);
    tree_text(folder, "x", "real/film.mp4");
    tree_text(outside, "x", "secret.mp4");
    tree_text(outside, "x", "film.mp4");
    link_to(outside, folder, "out");
    link_to("real/film.mp4", folder, "film.mp4");
    link_to("film.mp4", folder, "again.mp4"); /* a link to a link */
    link_to("real/film.mp4", folder, "film.txt");
    link_to("nowhere", folder, "dangling.mp4");
    link_to("loop.mp4", folder, "loop.mp4");
    link_to("/dev/null", folder, "device.mp4");
    link_to("..", real, "up");
    link_to("/", real, "slash");
    char secret[512];
    snprintf(secret, sizeof secret, "%s/secret.mp4", outside);
    link_to(secret, folder, "secret.mp4");

    check_tour(folder, &(struct tour_way){0}, "file real/film.mp4\n");
    const char *const roots[] = {folder, NULL}, *const both[] = {folder, outside, NULL};
    const char *inside = "file again.mp4\nfile film.mp4\nfile real/film.mp4\n";
    check_tour(folder, &(struct tour_way){.follow = true, .roots = roots}, inside);
    check_tour(folder, &(struct tour_way){.follow = true, .roots = both},
               "file again.mp4\nfile film.mp4\nfile out/film.mp4\nfile out/secret.mp4\n"
               "file real/film.mp4\nfile secret.mp4\n");
    unlink(strcat(real, "/slash"));
    check_tour(folder, &(struct tour_way){.follow = true},
               "file again.mp4\nfile film.mp4\nfile out/film.mp4\nfile out/secret.mp4\n"
               "file real/film.mp4\nfile secret.mp4\n");
    tree_remove(folder);
    tree_remove(outside);
}

static void a_folder_is_entered_once(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_text(folder, "x", "m/sub/film.mp4");
    link_to("m/sub", folder, "a");
    link_to("m", folder, "z");
    /* The way that comes first in the order of the names wins, whatever is a link. */
    check_tour(folder, &(struct tour_way){.follow = true}, "file a/film.mp4\n");
    tree_text(folder, "a\n", ".reeldignore");
    check_tour(folder, &(struct tour_way){.follow = true}, "file m/sub/film.mp4\n");
    tree_text(folder, "a\nm/\n", ".reeldignore");
    check_tour(folder, &(struct tour_way){.follow = true}, "file z/sub/film.mp4\n");
    tree_text(folder, "a\nm/\nz/\n", ".reeldignore");
    check_tour(folder, &(struct tour_way){.follow = true}, "");
    tree_remove(folder);
}

/* Folders that were closed meanwhile are found again through the link that led to them. */
static void deep_below_a_link(void **state)
{
    (void)state;
    char *folder = tree_new(), *far = tree_new();
    int dir = open(far, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(mkdirat(dir, "down", 0755), 0);
        assert_int_equal(mkdirat(dir, "later", 0755), 0);
        int later = openat(dir, "later", O_RDONLY | O_DIRECTORY);
        close(openat(later, "film.mp4", O_WRONLY | O_CREAT, 0644));
        close(later);
        int next = openat(dir, "down", O_RDONLY | O_DIRECTORY);
        close(dir);
        dir = next;
    }
    close(dir);
    link_to(far, folder, "far");
    struct tour tour;
    tour_open(&tour, folder, &(struct tour_way){.follow = true});
    tour_all(&tour);
    assert_int_equal(tour.told.count, 100);
    assert_int_equal(tour.directories, 202);
    tour_close(&tour);
    tree_remove(folder);
    tree_remove(far);
}

static void a_link_swapped_on_the_way(void **state)
{
    (void)state;
    char *folder = tree_new(), *outside = tree_new();
    const char *const roots[] = {folder, NULL};
    tree_text(outside, "x", "secret.mp4");
    for (int steps = 0; steps < 8; steps++) {
        tree_text(folder, "x", "in/film.mp4");
        link_to("in", folder, "way");
        struct tour tour;
        tour_open(&tour, folder, &(struct tour_way){.follow = true, .roots = roots});
        for (int i = 0; i < steps; i++)
            tour_step(&tour);
        char path[512];
        snprintf(path, sizeof path, "%s/way", folder);
        assert_int_equal(unlink(path), 0);
        link_to(outside, folder, "way");
        tour_all(&tour);
        for (size_t i = 0; i < tour.told.count; i++)
            assert_null(strstr(tour.told.sorted[i], "secret"));
        tour_close(&tour);
        assert_int_equal(unlink(path), 0);
    }

    struct beneath root;
    assert_int_equal(beneath_open_root(&root, folder), 0);
    root.follow = true;
    root.roots = roots;
    link_to(outside, folder, "way");
    link_to("in", folder, "inner");
    link_to("in/film.mp4", folder, "one.mp4");
    for (int plain = 0; plain < 2; plain++) {
        root.plain = plain; /* as on a kernel without openat2 */
        assert_int_equal(beneath_open(&root, "way/secret.mp4", O_RDONLY), -1);
        assert_int_equal(errno, ELOOP);
        assert_int_equal(beneath_open(&root, "way", O_PATH), -1);
        assert_int_equal(beneath_open(&root, "way", O_PATH | O_DIRECTORY), -1);
        static const char *const right[] = {"inner/film.mp4", "one.mp4", "inner/../one.mp4"};
        for (int i = 0; i < 2; i++) {
            struct stat stat;
            int fd = beneath_open(&root, right[i], i ? O_PATH : O_RDONLY);
            assert_true(fd >= 0);
            assert_int_equal(fstat(fd, &stat), 0);
            assert_true(S_ISREG(stat.st_mode));
            close(fd);
        }
        int fd = beneath_open(&root, "inner", O_PATH | O_DIRECTORY);
        assert_true(fd >= 0);
        close(fd);
    }
    beneath_close(&root);
    tree_remove(folder);
    tree_remove(outside);
}

/* The whole way: walked, opened, looked at again, and known at the next scan. */
static void a_scan_through_links(void **state)
{
    (void)state;
    char *folder = tree_new(), *far = tree_new();
    tree_video(far, "sub/one.mkv");
    tree_video(far, "two.mkv");
    char target[512];
    snprintf(target, sizeof target, "%s/two.mkv", far);
    link_to(target, folder, "linked.mkv");
    link_to(far, folder, "far");
    struct harness harness;
    harness_start(&harness, &(struct library_config){.follow_symlinks = true});
    struct job job;
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.status, JOB_COMPLETE);
    assert_int_equal(job.added, 3);
    job_clear(&job);
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.skipped, 3);
    assert_int_equal(job.processed, 3);
    job_clear(&job);
    harness_end(&harness);

    const char *const roots[] = {folder, NULL};
    harness_start(&harness, &(struct library_config){.follow_symlinks = true, .roots = roots});
    harness_scan_all(&harness, folder, &job);
    assert_int_equal(job.processed, 0);
    job_clear(&job);
    harness_end(&harness);
    tree_remove(folder);
    tree_remove(far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_of_all_kinds),   cmocka_unit_test(a_folder_is_entered_once),
        cmocka_unit_test(deep_below_a_link),    cmocka_unit_test(a_link_swapped_on_the_way),
        cmocka_unit_test(a_scan_through_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
