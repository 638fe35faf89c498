/* library_stub: the door of the library without a thread, a walk or a worker behind it. One job
 * runs for ever; a scan is queued and done at once; nothing is ever found to be deleted. Loop
 * thread. */
#ifndef REELD_FUZZ_LIBRARY_STUB_H
#define REELD_FUZZ_LIBRARY_STUB_H

#include "reeld/library.h"
#include "reeld/server.h"

#define STUB_RUNNING "01890000-0000-7000-8000-000000000001" /* the id of the job that runs */
#define STUB_ENDED "01890000-0000-7000-8000-000000000002"   /* of the one that each scan is */

/* `catalog` and `server` must outlive it. NULL: out of memory. */
struct library *library_stub_new(struct catalog *catalog, struct server *server);

#endif
