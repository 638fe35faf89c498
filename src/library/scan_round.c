#include "scan_round.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_ROOM "library"
#include "room.h"
#include "roots.h"
#include "scan.h"
#include "turns.h"
#include "watch.h"

enum {
    LINGER_MS = 500, /* so long after the last change a burst is over */
    AGAIN_MS = 50,   /* when descriptors or memory ran out */
};

bool scan_round_more(const struct scan *scan)
{
    return scan->round.at < scan->round.places.count;
}

static void close_folder(struct scan_round *round)
{
    if (round->open)
        beneath_close(&round->ground);
    round->open = false;
    names_free(&round->names);
}

void scan_round_walked(struct scan *scan)
{
    close_folder(&scan->round);
}

bool scan_round_part(const struct scan *scan, const char *path)
{
    const struct scan_round *round = &scan->round;
    return round->open && strcmp(round->folder.data, path) == 0;
}

void scan_round_free(struct scan_round *round)
{
    close_folder(round);
    places_free(&round->places);
    buf_free(&round->folder);
}

/* Opens the folder of the next places, without going through a link. 0, or an errno. */
static int open_folder(struct scan *scan)
{
    struct scan_round *round = &scan->round;
    size_t top = strlen(scan->folder);
    top -= top == 1;
    const char *inside = round->folder.len > top ? round->folder.data + top + 1 : "";
    int fd = beneath_open(&scan->root, inside, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return errno;
    round->ground = scan->root;
    round->ground.fd = fd;
    round->open = true;
    round->number = 0;
    if (*inside &&
        candidates_directory(&scan->candidates, 0, inside, strlen(inside), &round->number))
        return ENOMEM;
    return 0;
}

/* Takes the places of one folder as the names that are to be walked. 0, or an errno. */
static int take_folder(struct scan *scan, size_t end)
{
    struct scan_round *round = &scan->round;
    const struct places *places = &round->places;
    names_free(&round->names);
    buf_clear(&round->folder);
    buf_append(&round->folder, places->paths[round->at], places_folder(places, round->at));
    bool kept = !round->folder.failed;
    for (size_t i = round->at; kept && i < end; i++)
        kept = names_add(&round->names, path_name(places->paths[i]));
    return kept && names_sort(&round->names) ? open_folder(scan) : ENOMEM;
}

static bool walk_places(struct scan *scan)
{
    struct scan_round *round = &scan->round;
    const struct library_config *config = &scan->library->config;
    size_t end = places_same_folder(&round->places, round->at);
    int error = take_folder(scan, end);
    struct walk_options options = {.path = round->folder.data,
                                   .some = &round->names,
                                   .recursive = true,
                                   .extensions = config->extensions,
                                   .top = roots_top(config->roots, round->folder.data),
                                   .keep = config->keep,
                                   .entered = watch_entered,
                                   .ctx = scan->library};
    if (!error && !watch_reaches(scan->library, round->folder.data)) {
        error = ENOENT; /* by now it is passed over itself */
    } else if (!error) {
        enum rl_err err = walk_new(&round->ground, &options, &scan->walk);
        error = err == RL_ENOTFOUND ? ENOENT : err ? ENOMEM : 0;
    }
    if (error)
        close_folder(round);
    if (error == EMFILE || error == ENFILE || error == ENOMEM) {
        scan->walk_after_ms = clock_mono_ms() + AGAIN_MS;
        return false;
    }
    /* What is not there any more, or a link by now, was a change of the folder above. */
    round->at = end;
    return true;
}

/* Opens the root and takes up what changed since the last round. False: the scan is over. */
static bool begin(struct scan *scan)
{
    struct scan_round *round = &scan->round;
    const struct library_config *config = &scan->library->config;
    int error = beneath_open_root(&scan->root, scan->folder);
    if (error == EMFILE || error == ENFILE || error == ENOMEM) {
        scan->walk_after_ms = clock_mono_ms() + AGAIN_MS;
        return true;
    }
    if (error) {
        missing_root_gone(scan);
        watch_root_gone(scan->entry->watched);
        scan_end(scan, JOB_FAILED, "the root is gone or cannot be read");
        return false;
    }
    scan->root.follow = config->follow_symlinks;
    scan->root.roots = config->roots;
    round->resting = false;
    watch_take(scan->entry->watched, &round->places);
    places_sort(&round->places);
    return true;
}

/* Forgets all that was of this round alone. */
static void put_away(struct scan *scan)
{
    struct scan_round *round = &scan->round;
    char words[JOB_ERROR_SIZE];
    memcpy(words, scan->missing.words, sizeof words);
    missing_free(&scan->missing);
    scan->missing = (struct missing){0};
    memcpy(scan->missing.words, words, sizeof words);
    candidates_free(&scan->candidates);
    candidates_free(&scan->late);
    scan->candidates = scan->late = (struct candidates){0};
    number_set_free(&scan->displaced);
    scan->displaced = (struct number_set){0};
    plan_free(&scan->plan);
    known_free(scan->again);
    scan->again = NULL;
    if (scan->directory_fd >= 0)
        close(scan->directory_fd);
    scan->directory_fd = -1;
    places_free(&round->places);
    round->at = round->looked = 0;
    beneath_close(&scan->root); /* nobody shall be kept from unmounting it */
    scan->root.fd = -1;
}

bool scan_round_step(struct scan *scan)
{
    struct scan_round *round = &scan->round;
    int64_t now = clock_mono_ms();
    bool pending = watch_pending(scan->entry->watched);
    if (round->places.count == 0) {
        if (!pending && (now >= round->until_ms || turns_waiting(scan->library))) {
            char words[JOB_ERROR_SIZE];
            memcpy(words, scan->missing.words, sizeof words);
            scan_end(scan, JOB_COMPLETE, words);
            return false;
        }
        if (pending && now >= scan->walk_after_ms && !begin(scan))
            return false;
    }
    while (!scan->walk && !scan->err && scan_round_more(scan) && now >= scan->walk_after_ms) {
        if (!walk_places(scan))
            break;
    }
    return true;
}

void scan_round_over(struct scan *scan)
{
    put_away(scan);
    scan->round.resting = true;
    scan->round.until_ms = clock_mono_ms() + LINGER_MS;
}

int64_t scan_round_due(const struct scan *scan)
{
    int64_t now = clock_mono_ms();
    if (watch_pending(scan->entry->watched) || turns_waiting(scan->library))
        return scan->walk_after_ms > now ? scan->walk_after_ms : now;
    return scan->round.until_ms;
}
