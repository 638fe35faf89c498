/* harness: a real library on a real catalogue with real workers, and a client that takes its
 * messages. */
#ifndef REELD_TEST_HARNESS_H
#define REELD_TEST_HARNESS_H

#include "reeld/library.h"

struct harness {
    char *data; /* folder of the catalogue */
    struct library *library;
    struct catalog *reader;
    int wake_fd;
    uint64_t ticket;
    bool unwritable; /* the test made the catalogue so: ends of jobs cannot be written */
    struct library_message **messages; /* all that came, oldest first; owned */
    size_t count, cap;
};

/* Fields that are 0 are set to what most tests want. */
void harness_start(struct harness *harness, const struct library_config *config);

/* The same on an existing folder, which it takes over. */
void harness_start_in(struct harness *harness, char *data, const struct library_config *config);

/* Stops and starts again on the same catalogue; messages are kept. */
void harness_restart(struct harness *harness, const struct library_config *config);

void harness_stop(struct harness *harness); /* keeps the data */
void harness_end(struct harness *harness);  /* stops, if it runs, and removes the data */

/* Takes messages until there is one with this property, and returns the first, which the harness
 * owns; from is the index at which to begin. Fails the test after a minute. */
const struct library_message *harness_reply(struct harness *harness, uint64_t ticket);
const struct library_message *harness_event(struct harness *harness, size_t from,
                                            enum event_type type, const char *job_id);

/* The terminal event of a job. Checks on the way what every scan has to keep: one terminal event,
 * progress that never falls, rows before events, guarantee 3. */
const struct library_message *harness_terminal(struct harness *harness, const char *job_id);

/* Asks for a scan; the id of its job, valid as long as the harness. */
const char *harness_scan(struct harness *harness, const char *path);
const char *harness_scan_with(struct harness *harness, const struct scan_request *request);

/* Scans and waits for the end; the job as the catalogue has it, to be cleared by the caller. */
void harness_scan_all(struct harness *harness, const char *path, struct job *out);

/* The job as it is in the catalogue. */
void harness_job(struct harness *harness, const char *id, struct job *out);

/* Whether the event's text contains `text`. */
bool harness_says(const struct library_message *message, const char *text);

/* scanned = new + updated + moved + skipped + failed, and so on. */
void harness_check_counts(const struct job *job);

#endif
