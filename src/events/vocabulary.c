#include <string.h>

#include "reeld/events.h"

static const struct {
    const char *word;
    enum event_topic topic;
    bool durable;
} event_table[] = {
#define EVENT(name, topic, durable) {#name, TOPIC_##topic, durable},
#include "vocabulary.def"
};

static const struct {
    const char *word;
    bool terminal;
} status_table[] = {
#define JOB_STATUS(name, word, terminal) {word, terminal},
#include "vocabulary.def"
};

static const char *const type_words[] = {
#define JOB_TYPE(name, word) word,
#include "vocabulary.def"
};

static const char *const phase_words[] = {
#define JOB_PHASE(name, word) word,
#include "vocabulary.def"
};

static const char *const trigger_words[] = {
#define JOB_TRIGGER(name, word) word,
#include "vocabulary.def"
};

static const char *const outcome_words[] = {
    NULL,
#define OUTCOME(name, word) word,
#include "vocabulary.def"
};

static const struct {
    const char *word, *meaning;
} failure_table[] = {
    {NULL, "it did not fail"},
#define FAILURE(name, meaning) {#name, meaning},
#include "vocabulary.def"
};

static const char *const path_status_words[] = {
#define PATH_STATUS(name, word) word,
#include "vocabulary.def"
};

const char *event_type_word(enum event_type type)
{
    return event_table[type].word;
}

enum event_topic event_type_topic(enum event_type type)
{
    return event_table[type].topic;
}

bool event_type_durable(enum event_type type)
{
    return event_table[type].durable;
}

bool event_type_progress(enum event_type type)
{
    return event_table[type].topic == TOPIC_JOBS && !event_table[type].durable;
}

const char *event_topic_word(enum event_topic topic)
{
    static const char *const words[] = {"meta", "jobs", "library"};
    return words[topic];
}

const char *job_status_word(enum job_status status)
{
    return status_table[status].word;
}

bool job_status_terminal(enum job_status status)
{
    return status_table[status].terminal;
}

const char *job_type_word(enum job_type type)
{
    return type_words[type];
}

const char *job_phase_word(enum job_phase phase)
{
    return phase_words[phase];
}

const char *job_trigger_word(enum job_trigger trigger)
{
    return trigger_words[trigger];
}

const char *outcome_word(enum outcome outcome)
{
    return outcome_words[outcome];
}

const char *failure_word(enum failure_code code)
{
    return failure_table[code].word;
}

const char *failure_meaning(enum failure_code code)
{
    return failure_table[code].meaning;
}

const char *path_status_word(enum path_status status)
{
    return path_status_words[status];
}

bool job_status_parse(const char *word, enum job_status *out)
{
    for (int i = 0; i < JOB_STATUSES; i++) {
        if (strcmp(word, status_table[i].word) == 0) {
            *out = (enum job_status)i;
            return true;
        }
    }
    return false;
}

bool job_type_parse(const char *word, enum job_type *out)
{
    for (int i = 0; i < JOB_TYPES; i++) {
        if (strcmp(word, type_words[i]) == 0) {
            *out = (enum job_type)i;
            return true;
        }
    }
    return false;
}

enum event_type event_type_for_job(enum job_type type, enum job_status status)
{
    static const enum event_type table[JOB_TYPES][JOB_STATUSES] = {
        [JOB_TYPE_SCAN] = {EVENT_JOB_QUEUED, EVENT_SCAN_STARTED, EVENT_SCAN_COMPLETED,
                           EVENT_SCAN_FAILED, EVENT_SCAN_TIMEOUT, EVENT_SCAN_CANCELLED},
        [JOB_TYPE_THUMBNAILS] = {EVENT_JOB_QUEUED, EVENT_THUMBNAILS_STARTED,
                                 EVENT_THUMBNAILS_COMPLETED, EVENT_THUMBNAILS_FAILED,
                                 EVENT_THUMBNAILS_TIMEOUT, EVENT_THUMBNAILS_CANCELLED},
    };
    return table[type][status];
}
