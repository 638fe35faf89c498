#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "tour.h"
#include "tree.h"

static void a_nasty_tree(void **state)
{
    (void)state;
    char *folder = tree_new();
    char long_name[256];
    memset(long_name, 'n', 255);
    memcpy(long_name + 251, ".mp4", 5);
    tree_text(folder, "x", "plain.mp4");
    tree_text(folder, "x", "UPPER.MKV");
    tree_text(folder, "x", "new\nline.mp4");
    tree_text(folder, "x", "quote'\".mp4");
    tree_text(folder, "x", "bad \xff\xfe.mp4");
    tree_text(folder, "x", "%s", long_name);
    tree_text(folder, "x", "sub/deeper/one.mp4");
    tree_text(folder, "x", "folder.mp4/two.mkv");
    tree_text(folder, "x", ".hidden.mp4");
    tree_text(folder, "x", ".hidden/inside.mp4");
    tree_text(folder, "x", "notes.txt");
    tree_text(folder, "x", "mp4");
    char path[512];
    snprintf(path, sizeof path, "%s/fifo.mp4", folder);
    assert_int_equal(mkfifo(path, 0644), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket.mp4", folder);
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof address), 0);
    close(sock);
    const char *links[][2] = {{"nowhere.mp4", "dangling.mp4"},
                              {"loop.mp4", "loop.mp4"},
                              {"plain.mp4", "link.mp4"},
                              {"..", "sub/up"},
                              {"/", "sub/all"},
                              {"sub", "sub-link"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, links[i][1]);
        assert_int_equal(symlink(links[i][0], path), 0);
    }

    struct tour tour;
    tour_open(&tour, folder, &(struct tour_way){0});
    tour_all(&tour);
    assert_true(tour_told(&tour, "file plain.mp4"));
    assert_true(tour_told(&tour, "file UPPER.MKV"));
    assert_true(tour_told(&tour, "file new\nline.mp4"));
    assert_true(tour_told(&tour, "file quote'\".mp4"));
    assert_true(tour_told(&tour, "file bad \xff\xfe.mp4"));
    char line[300];
    snprintf(line, sizeof line, "file %s", long_name);
    assert_true(tour_told(&tour, line));
    assert_true(tour_told(&tour, "file sub/deeper/one.mp4"));
    assert_true(tour_told(&tour, "file folder.mp4/two.mkv"));
    assert_true(tour_told(&tour, "file fifo.mp4"));
    assert_true(tour_told(&tour, "file socket.mp4"));
    assert_int_equal(tour.told.count, 10);
    tour_close(&tour);

    tour_open(&tour, folder, &(struct tour_way){.flat = true});
    tour_all(&tour);
    assert_int_equal(tour.told.count, 8);
    tour_close(&tour);
    tree_remove(folder);
}

/* A chain of `depth` folders with a file in each and a second branch below every hundredth. */
static void make_chain(const char *folder, int depth)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < depth; i++) {
        assert_int_equal(mkdirat(dir, "down", 0755), 0);
        int next = openat(dir, "down", O_RDONLY | O_DIRECTORY);
        close(openat(next, "file.mp4", O_WRONLY | O_CREAT, 0644));
        if (i % 100 == 0) {
            assert_int_equal(mkdirat(dir, "zz-later", 0755), 0);
            int later = openat(dir, "zz-later", O_RDONLY | O_DIRECTORY);
            close(openat(later, "file.mp4", O_WRONLY | O_CREAT, 0644));
            close(later);
        }
        close(dir);
        dir = next;
    }
    close(dir);
}

static void two_thousand_deep(void **state)
{
    (void)state;
    char *folder = tree_new();
    make_chain(folder, 2000);
    struct tour tour;
    tour_open(&tour, folder, &(struct tour_way){0});
    tour_all(&tour);
    assert_int_equal(tour.told.count, 2000 + 20);
    assert_int_equal(tour.directories, 1 + 2000 + 20);
    assert_true(tour.most_descriptors <= 40);
    tour_close(&tour);
    tree_remove(folder);
}

static void a_folder_deleted_while_it_is_walked(void **state)
{
    (void)state;
    /* Whatever the step at which it vanishes, the walk ends, and what is beside it is told. */
    for (int steps = 0; steps < 40; steps += 3) {
        char *folder = tree_new();
        for (int i = 0; i < 4; i++)
            tree_text(folder, "x", "b/c%d/d/%d.mp4", i, i);
        tree_text(folder, "x", "a/first.mp4");
        tree_text(folder, "x", "z/last.mp4");
        struct tour tour;
        tour_open(&tour, folder, &(struct tour_way){0});
        bool more = true;
        for (int i = 0; i < steps && more; i++)
            more = tour_step(&tour);
        char command[512];
        snprintf(command, sizeof command, "rm -rf '%s/b'", folder);
        assert_int_equal(system(command), 0);
        tour_all(&tour);
        assert_true(tour_told(&tour, "file a/first.mp4"));
        assert_true(tour_told(&tour, "file z/last.mp4"));
        for (size_t i = 0; i < tour.told.count; i++)
            assert_true(strncmp(tour.told.sorted[i], "file ", 5) == 0);
        tour_close(&tour);
        tree_remove(folder);
    }
}

static void a_folder_replaced_by_a_link(void **state)
{
    (void)state;
    char *folder = tree_new(), *outside = tree_new();
    tree_text(folder, "x", "a/first.mp4");
    tree_text(folder, "x", "b/second.mp4");
    tree_text(outside, "x", "secret.mp4");
    struct tour tour;
    tour_open(&tour, folder, &(struct tour_way){0});
    tour_step(&tour); /* the folder's names are read; then b becomes a way out */
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s/b'; ln -s '%s' '%s/b'", folder, outside, folder);
    assert_int_equal(system(command), 0);
    tour_all(&tour);
    assert_int_equal(tour.told.count, 1);
    assert_true(tour_told(&tour, "file a/first.mp4"));
    tour_close(&tour);

    assert_int_not_equal(beneath_open_root(&tour.root, "/nowhere at all"), 0);
    snprintf(command, sizeof command, "%s/b", folder);
    assert_int_not_equal(beneath_open_root(&tour.root, command), 0); /* a link is no folder */
    tree_remove(folder);
    tree_remove(outside);
}

/* Exit status of a child that walks `folder` as nobody. */
static int walk_as_nobody(const char *folder)
{
    if (setegid(65534) != 0 || seteuid(65534) != 0)
        return 77;
    struct tour tour;
    tour_open(&tour, folder, &(struct tour_way){0});
    tour_all(&tour);
    bool right = tour.told.count == 2 && tour_told(&tour, "problem closed") &&
                 tour_told(&tour, "file open.mp4");
    tour_close(&tour);
    return right ? 0 : 1;
}

static void an_unreadable_folder_is_one_problem(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_text(folder, "x", "open.mp4");
    tree_text(folder, "x", "closed/inside.mp4");
    char path[512];
    snprintf(path, sizeof path, "%s/closed", folder);
    chmod(path, 0);
    if (geteuid() != 0) {
        assert_int_equal(walk_as_nobody(folder) % 77, 0);
    } else {
        pid_t child = fork();
        if (child == 0)
            _exit(walk_as_nobody(folder));
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    tree_remove(folder);
}

static void without_descriptors_it_waits(void **state)
{
    (void)state;
    char *folder = tree_new();
    for (int i = 0; i < 5; i++)
        tree_text(folder, "x", "a%d/b/c.mp4", i);
    struct tour tour;
    tour_open(&tour, folder, &(struct tour_way){0});
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    bool busy = false;
    for (int i = 0; i < 20; i++) {
        struct walk_entry entry;
        walk_next(tour.walk, &entry);
        assert_int_not_equal(entry.kind, WALK_END);
        busy |= entry.kind == WALK_BUSY;
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    tour_all(&tour);
    assert_true(busy);
    assert_int_equal(tour.told.count, 5);
    tour_close(&tour);
    tree_remove(folder);
}

static void beneath_never_leaves(void **state)
{
    (void)state;
    char *folder = tree_new();
    tree_text(folder, "x", "a/b/file.mp4");
    char path[512];
    snprintf(path, sizeof path, "%s/a/link", folder);
    assert_int_equal(symlink("/etc", path), 0);
    for (int plain = 0; plain < 2; plain++) {
        struct beneath root;
        assert_int_equal(beneath_open_root(&root, folder), 0);
        root.plain = plain; /* as on a kernel without openat2 */
        int fd = beneath_open(&root, "a/b/file.mp4", O_RDONLY);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(beneath_open(&root, "a/link/passwd", O_RDONLY), -1);
        assert_int_equal(beneath_open(&root, "a/none/file.mp4", O_RDONLY), -1);
        assert_int_equal(errno, ENOENT);
        beneath_close(&root);
    }
    tree_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nasty_tree),
        cmocka_unit_test(two_thousand_deep),
        cmocka_unit_test(a_folder_deleted_while_it_is_walked),
        cmocka_unit_test(a_folder_replaced_by_a_link),
        cmocka_unit_test(an_unreadable_folder_is_one_problem),
        cmocka_unit_test(without_descriptors_it_waits),
        cmocka_unit_test(beneath_never_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
