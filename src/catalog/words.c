#include <string.h>

#include "private.h"

/* Enums are kept as the words of vocabulary.def, so that an entry put into its middle changes
 * nothing in a file that exists. */

static const char *const status_words[JOB_STATUSES] = {
#define JOB_STATUS(name, word, terminal) [JOB_##name] = word,
#include "../events/vocabulary.def"
};

static const bool status_terminal[JOB_STATUSES] = {
#define JOB_STATUS(name, word, terminal) [JOB_##name] = terminal,
#include "../events/vocabulary.def"
};

static const char *const type_words[JOB_TYPES] = {
#define JOB_TYPE(name, word) [JOB_TYPE_##name] = word,
#include "../events/vocabulary.def"
};

static const char *const phase_words[JOB_PHASES] = {
#define JOB_PHASE(name, word) [PHASE_##name] = word,
#include "../events/vocabulary.def"
};

static const char *const trigger_words[JOB_TRIGGERS] = {
#define JOB_TRIGGER(name, word) [TRIGGER_##name] = word,
#include "../events/vocabulary.def"
};

static const char *const outcome_words[OUTCOMES] = {
#define OUTCOME(name, word) [OUTCOME_##name] = word,
#include "../events/vocabulary.def"
};

static const char *const failure_words[FAILURES] = {
#define FAILURE(name, meaning) [FAILURE_##name] = #name,
#include "../events/vocabulary.def"
};

static const char *const kind_words[MEDIA_KINDS] = {
    [MEDIA_VIDEO] = "video", [MEDIA_AUDIO] = "audio",           [MEDIA_SUBTITLE] = "subtitle",
    [MEDIA_DATA] = "data",   [MEDIA_ATTACHMENT] = "attachment", [MEDIA_OTHER] = "other",
};

/* The word at `value`; NULL out of range and for a value without a word. */
static const char *word_at(const char *const *words, int count, int value)
{
    return value >= 0 && value < count ? words[value] : NULL;
}

static int value_of(const char *const *words, int count, const char *word, int otherwise)
{
    for (int i = 0; word && i < count; i++) {
        if (words[i] && strcmp(words[i], word) == 0)
            return i;
    }
    return otherwise;
}

const char *words_status(enum job_status status)
{
    return word_at(status_words, JOB_STATUSES, (int)status);
}

const char *words_type(enum job_type type)
{
    return word_at(type_words, JOB_TYPES, (int)type);
}

const char *words_phase(enum job_phase phase)
{
    return word_at(phase_words, JOB_PHASES, (int)phase);
}

const char *words_trigger(enum job_trigger trigger)
{
    return word_at(trigger_words, JOB_TRIGGERS, (int)trigger);
}

const char *words_outcome(enum outcome outcome)
{
    return word_at(outcome_words, OUTCOMES, (int)outcome);
}

const char *words_failure(enum failure_code code)
{
    return word_at(failure_words, FAILURES, (int)code);
}

const char *words_kind(int32_t kind)
{
    const char *word = word_at(kind_words, MEDIA_KINDS, kind);
    return word ? word : kind_words[MEDIA_OTHER];
}

enum job_status words_parse_status(const char *word, enum job_status otherwise)
{
    return (enum job_status)value_of(status_words, JOB_STATUSES, word, (int)otherwise);
}

enum job_type words_parse_type(const char *word, enum job_type otherwise)
{
    return (enum job_type)value_of(type_words, JOB_TYPES, word, (int)otherwise);
}

enum job_phase words_parse_phase(const char *word, enum job_phase otherwise)
{
    return (enum job_phase)value_of(phase_words, JOB_PHASES, word, (int)otherwise);
}

enum job_trigger words_parse_trigger(const char *word, enum job_trigger otherwise)
{
    return (enum job_trigger)value_of(trigger_words, JOB_TRIGGERS, word, (int)otherwise);
}

enum outcome words_parse_outcome(const char *word, enum outcome otherwise)
{
    return (enum outcome)value_of(outcome_words, OUTCOMES, word, (int)otherwise);
}

enum failure_code words_parse_failure(const char *word, enum failure_code otherwise)
{
    return (enum failure_code)value_of(failure_words, FAILURES, word, (int)otherwise);
}

int32_t words_parse_kind(const char *word)
{
    return value_of(kind_words, MEDIA_KINDS, word, MEDIA_OTHER);
}

bool words_status_terminal(enum job_status status)
{
    return (int)status >= 0 && status < JOB_STATUSES && status_terminal[status];
}
