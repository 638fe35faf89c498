/* What a client says, as bytes: the parser of its messages, and that of the points of the stream
 * that it names. */
#include <stdlib.h>
#include <string.h>

#include "reeld/base.h"
#include "reeld/vocabulary.h"
#include "subscription.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool same_position(const struct position *a, const struct position *b)
{
    return strcmp(a->catalog, b->catalog) == 0 && a->sequence == b->sequence &&
           a->epoch == b->epoch && a->frame == b->frame;
}

/* A position prints, and what is printed is it again. */
static void check_position(const struct position *position, char text[POSITION_TEXT_SIZE])
{
    struct position again;
    must(position->sequence >= 0 && position->catalog[0]);
    position_print(position, text);
    must(position_parse(text, &again) && same_position(position, &again));
}

static void check_subscribe(const struct subscribe *subscribe)
{
    const unsigned topics = 1u << TOPIC_META | 1u << TOPIC_JOBS | 1u << TOPIC_LIBRARY;
    const int64_t ms = 1000000;
    char text[POSITION_TEXT_SIZE];
    must((subscribe->wanted.topics & ~topics) == 0);
    must(subscribe->wanted.topics & 1u << TOPIC_META);
    must(subscribe->wanted.topics != 1u << TOPIC_META);
    must(subscribe->wanted.progress_ns >= 0 && subscribe->wanted.progress_ns % ms == 0 &&
         subscribe->wanted.progress_ns / ms <= PROGRESS_MS_MAX);
    if (subscribe->has_since)
        check_position(&subscribe->since, text);
}

static void check_problem(const struct problem *problem)
{
    must(problem->status >= 400 && problem->status < 600);
    must(problem->code && problem->code[0] && problem->detail[0]);
    must(utf8_valid(problem->detail, strlen(problem->detail)));
    must(utf8_valid(problem->field, strlen(problem->field)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct client_message message;
    struct problem problem;
    if (!client_message_parse((const char *)bytes, len, &message, &problem))
        check_problem(&problem);
    else if (message.type == CLIENT_SUBSCRIBE)
        check_subscribe(&message.subscribe);
    else
        must(message.type == CLIENT_PING);

    char *text = strndup((const char *)bytes, len), printed[POSITION_TEXT_SIZE];
    struct position position;
    if (text && position_parse(text, &position)) {
        check_position(&position, printed);
        must(strcmp(text, printed) == 0);
    }
    free(text);
    return 0;
}
