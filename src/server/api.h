/* api: the handlers of the routes, one file a subject. Loop thread. */
#ifndef REELD_SERVER_API_H
#define REELD_SERVER_API_H

#include "http.h"

void api_scan(struct exchange *exchange);
void api_jobs_list(struct exchange *exchange);
void api_jobs_get(struct exchange *exchange);
void api_jobs_wait(struct exchange *exchange);
void api_jobs_cancel(struct exchange *exchange);
void api_jobs_pause(struct exchange *exchange);
void api_jobs_resume(struct exchange *exchange);
void api_jobs_failures(struct exchange *exchange);
void api_videos_list(struct exchange *exchange);
void api_videos_search(struct exchange *exchange);
void api_videos_get(struct exchange *exchange);
void api_videos_duplicates(struct exchange *exchange);
void api_videos_picture(struct exchange *exchange);
void api_videos_file(struct exchange *exchange);
void api_videos_delete(struct exchange *exchange);
void api_stats(struct exchange *exchange);
void api_videos_purge(struct exchange *exchange);
void api_explain(struct exchange *exchange);
void api_roots(struct exchange *exchange);
void api_roots_add(struct exchange *exchange);
void api_roots_delete(struct exchange *exchange);
void api_roots_accept(struct exchange *exchange);
void api_changes(struct exchange *exchange);
void api_events(struct exchange *exchange);
void api_backup(struct exchange *exchange);
void api_directories(struct exchange *exchange);
void api_session(struct exchange *exchange);
void api_health_live(struct exchange *exchange);
void api_health_ready(struct exchange *exchange);
void api_metrics(struct exchange *exchange);
void api_upgrade_required(struct exchange *exchange);

/* The two documents, and files of the page: whatever stands at request.path. */
void files_openapi(struct exchange *exchange);
void files_asyncapi(struct exchange *exchange);
void files_page(struct exchange *exchange);

/* The job as it is now: the live one, else the catalogue's. The caller clears *out. */
enum rl_err api_job_read(struct server *server, const char *id, struct job *out);

/* library_resolve, with its errors as problems of `path`. The caller frees *real. */
bool api_resolve(struct server *server, const char *path, char **real, struct problem *problem);

/* The bytes of the path that was asked, by `path` or `path_uri`; false: `problem` says why not. */
bool api_requested_path(const char *path, const char *path_uri, struct buf *out,
                        struct problem *problem);

/* The number of the root in the path; 0: it is none. And the answer then. */
int64_t api_root_number(const struct request *request);
void api_no_root(struct answer *answer);

/* The root as GET /roots gives it; NULL: there is none of this number, or out of memory. */
struct json_object *api_root(struct server *server, int64_t number);

/* A request that may have no arguments, or no body: false, and the answer says what is wrong. */
bool api_no_args(struct exchange *exchange);
bool api_no_body(struct exchange *exchange);

/* The id in the path, or NULL with the answer 404 when it is not one. */
const char *api_id(struct exchange *exchange);

#endif
