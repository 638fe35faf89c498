/* reeld-worker-attack: the real worker, with the same sandbox, that runs the attack a file names
 * ("ATTACK:<name>\n" at its beginning) before it probes it. Every other file it probes as the real
 * one does. An attack that succeeds is answered with success and the title "escaped": no test can
 * miss it.
 *
 * --test-mode=MODE changes the worker as a whole:
 *   unconfined   no sandbox: attacks succeed, and nonsense reaches the daemon
 *   fail         it cannot confine itself
 *   no-landlock  as on a kernel without Landlock
 *   exit-early   it ends before it greets
 *   exit-idle    it ends soon after it greeted
 *   largest      it answers every file with as much as an answer can hold
 *   <attack>     this attack for every file
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "attacks.h"
#include "reeld/media.h"
#include "worker/worker.h"

static const char *test_mode = "";

static bool mode_is(const char *mode)
{
    return strcmp(test_mode, mode) == 0;
}

static enum sandbox_state confine(uint64_t memory, int channel, char words[SANDBOX_WORDS_SIZE])
{
    words[0] = '\0';
    if (mode_is("exit-early"))
        _exit(1);
    if (mode_is("fail")) {
        snprintf(words, SANDBOX_WORDS_SIZE, "asked to fail");
        return SANDBOX_FAILED;
    }
    if (mode_is("unconfined"))
        return SANDBOX_FULL;
    if (mode_is("exit-idle")) {
        setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 20000}, NULL);
        return SANDBOX_FULL;
    }
    enum sandbox_state state = sandbox_confine(memory, channel, words);
    if (mode_is("no-landlock")) {
        snprintf(words, SANDBOX_WORDS_SIZE, "asked to have no Landlock");
        return SANDBOX_NO_LANDLOCK;
    }
    return state;
}

/* The attack that the file or the mode asks for, or NULL. */
static const struct attack *attack_asked(int fd)
{
    static const char marker[] = "ATTACK:";
    char head[64];
    ssize_t got = pread(fd, head, sizeof head - 1, 0);
    head[got > 0 ? got : 0] = '\0';
    if (strncmp(head, marker, sizeof marker - 1) != 0)
        return attack_find(test_mode);
    char *name = head + sizeof marker - 1;
    name[strcspn(name, "\n")] = '\0';
    return attack_find(name);
}

static enum failure_code describe_largest(struct media_info *out)
{
    out->streams = calloc(MEDIA_STREAMS_MAX, sizeof *out->streams);
    out->chapters = calloc(MEDIA_CHAPTERS_MAX, sizeof *out->chapters);
    if (!out->streams || !out->chapters)
        return FAILURE_OOM;
    out->n_streams = out->summary.stream_count = MEDIA_STREAMS_MAX;
    out->n_chapters = out->summary.chapter_count = MEDIA_CHAPTERS_MAX;
    return FAILURE_NONE;
}

static enum failure_code probe(const struct wire_request *request, int fd, struct media_info *out,
                               char error[MEDIA_ERROR_SIZE])
{
    const struct attack *attack = attack_asked(fd);
    if (mode_is("largest"))
        return describe_largest(out);
    if (attack) {
        switch (attack->run(fd, request->header.number)) {
        case ATTACK_CONTAINED:
            break;
        case ATTACK_NO_MEMORY:
            snprintf(error, MEDIA_ERROR_SIZE, "out of memory");
            return FAILURE_OOM;
        case ATTACK_ESCAPED:
            snprintf(out->summary.title, sizeof out->summary.title, "escaped");
            return FAILURE_NONE;
        }
    }
    return media_probe(fd, request->name_hint, out, error);
}

static enum failure_code picture(const struct wire_request *request, int fd, struct picture *out,
                                 char error[MEDIA_ERROR_SIZE])
{
    const struct attack *attack = attack_asked(fd);
    if (attack && attack->run(fd, request->header.number) == ATTACK_NO_MEMORY) {
        snprintf(error, MEDIA_ERROR_SIZE, "out of memory");
        return FAILURE_OOM;
    }
    return media_picture(fd, request->name_hint, &request->picture, out, error);
}

int main(int argc, char **argv)
{
    static const char option[] = "--test-mode=";
    if (argc > 1 && strncmp(argv[argc - 1], option, sizeof option - 1) == 0) {
        test_mode = argv[argc - 1] + sizeof option - 1;
        argv[--argc] = NULL;
    }
    const struct worker_parts parts = {
        .init = media_init,
        .version = media_version,
        .probe = probe,
        .picture = picture,
        .confine = confine,
    };
    _exit(worker_run(argc, argv, &parts));
}
