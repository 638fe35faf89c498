/* vocabulary: the words of src/events/vocabulary.def as C enums. Any room may include it; the
 * functions that give the words are in the events room. */
#ifndef REELD_VOCABULARY_H
#define REELD_VOCABULARY_H

enum event_topic { TOPIC_META, TOPIC_JOBS, TOPIC_LIBRARY };

enum event_type {
#define EVENT(name, topic, durable) EVENT_##name,
#include "../../src/events/vocabulary.def"
    EVENT_TYPES
};

enum job_status {
#define JOB_STATUS(name, word, terminal) JOB_##name,
#include "../../src/events/vocabulary.def"
    JOB_STATUSES
};

enum job_type {
#define JOB_TYPE(name, word) JOB_TYPE_##name,
#include "../../src/events/vocabulary.def"
    JOB_TYPES
};

enum job_phase {
#define JOB_PHASE(name, word) PHASE_##name,
#include "../../src/events/vocabulary.def"
    JOB_PHASES
};

enum job_trigger {
#define JOB_TRIGGER(name, word) TRIGGER_##name,
#include "../../src/events/vocabulary.def"
    JOB_TRIGGERS
};

enum outcome {
    OUTCOME_NONE, /* nothing was decided yet */
#define OUTCOME(name, word) OUTCOME_##name,
#include "../../src/events/vocabulary.def"
    OUTCOMES
};

enum failure_code {
    FAILURE_NONE, /* it did not fail */
#define FAILURE(name, meaning) FAILURE_##name,
#include "../../src/events/vocabulary.def"
    FAILURES
};

/* Why a file is in the catalogue, or is not. */
enum path_status {
#define PATH_STATUS(name, word) PATH_STATUS_##name,
#include "../../src/events/vocabulary.def"
    PATH_STATUSES
};

#endif
