/* root_table: the roots as they are: which is offline and why, and what was refused in it. Kept in
 * the catalogue, but for the refused videos, which are known until the daemon stops. Others read it
 * by library_roots. Job thread, where nothing else is said. */
#ifndef REELD_LIBRARY_ROOT_TABLE_H
#define REELD_LIBRARY_ROOT_TABLE_H

#include "room.h"
#include "root_guard.h"

struct root_entry {
    struct root_state state; /* what others see; written under the lock */
    char *refused_in;        /* the folder whose scan was refused, or NULL; owned */
    bool refused_single;     /* it was one of a single file */
    int64_t *refused;        /* numbers of the videos; owned */
    size_t n_refused;
};

/* Reads what the catalogue has, and puts the configured roots into it. Before the thread starts.
 * Where the catalogue cannot be written, a root gets its row later. */
void roots_init(struct library *library);
enum rl_err roots_load(struct library *library);
void roots_free(struct library *library);

/* The path of the root that holds `folder`: the outermost one that is configured; else that is
 * known; else the folder itself. */
const char *roots_path_of(const struct library *library, const char *folder);

/* The root at this path, or of this number; NULL: none is known. */
struct root_entry *roots_at(const struct library *library, const char *path);
struct root_entry *roots_number(const struct library *library, int64_t number);

/* The root is offline: it could not be opened. ROOT_OFFLINE, when it was not yet; adds the root
 * when it is not known. What was refused is forgotten. After a failure library->why says what is
 * wrong; likewise below. */
enum rl_err roots_gone(struct library *library, const char *path, const char *correlation_id);

/* What a scan refused. */
struct root_refused {
    const char *folder; /* that was scanned */
    bool recursive;     /* with all that is below it */
    bool single;        /* one file of it alone */
    enum guard_reason reason;
    int64_t *numbers; /* of the videos; taken over in any case */
    size_t count;
    const char *correlation_id;
};

/* The same for this reason, and keeps what was refused under a new token, which is in *out. Where
 * the root is offline already and the scan did not see all that was refused before, that stays
 * refused too: the token is for both, and the one of before where nothing was added. */
enum rl_err roots_refuse(struct library *library, const char *path,
                         const struct root_refused *refused, struct job_refusal *out);

/* What ended well. */
struct root_scan {
    const char *folder; /* that was scanned */
    bool recursive;
    struct root_look look; /* at the root that holds it */
    const char *correlation_id;
};

/* A scan ended and nothing was refused. Where it was one of the whole root, what was seen of it is
 * kept, and it is added when it is not known. It is online again (ROOT_ONLINE) when the scan saw
 * all that was refused, or when what was wrong was the root itself and is not any more. */
enum rl_err roots_scanned(struct library *library, const struct root_scan *scan);

/* What was refused was accepted: it is online, with the device that it has now. */
enum rl_err roots_accepted(struct library *library, struct root_entry *entry,
                           const char *correlation_id);

/* Writes the root's state `next`; *entry NULL: it is a new one, which *entry is then. */
enum rl_err roots_write(struct library *library, struct root_entry **entry,
                        const struct root *next);

/* Forgets the root, which is not one of the configuration. */
enum rl_err roots_remove(struct library *library, struct root_entry *entry);

/* Forgets what was refused: from now on its token is stale. */
void roots_forget_refused(struct library *library, struct root_entry *entry);

#endif
