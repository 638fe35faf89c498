#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "find.h"

/* The parts of a filter that facets count by. They look at traits only, of which there are few
 * combinations: each is judged once. */

static const char *const resolution_words[RESOLUTION_CLASSES] = {
    [RESOLUTION_UNKNOWN] = "",    [RESOLUTION_SD] = "sd",       [RESOLUTION_720P] = "720p",
    [RESOLUTION_1080P] = "1080p", [RESOLUTION_1440P] = "1440p", [RESOLUTION_2160P] = "2160p",
    [RESOLUTION_4320P] = "4320p",
};

const char *resolution_word(enum resolution_class resolution)
{
    return (unsigned)resolution < RESOLUTION_CLASSES ? resolution_words[resolution] : "";
}

/* Whether `value`, a list of words itself, has the word. */
static bool value_has(const char *value, const char *word, size_t len)
{
    for (size_t n; *value; value += n + (value[n] != '\0')) {
        n = strcspn(value, ",");
        if (n == len && strncasecmp(value, word, len) == 0)
            return true;
    }
    return false;
}

/* Whether one of the words of `list` is the value's; an empty one and "none" mean that there is no
 * value. */
static bool list_takes(const char *list, const char *value)
{
    for (const char *word = list;; word++) {
        size_t len = strcspn(word, ",");
        bool none = len == 0 || (len == 4 && strncasecmp(word, "none", 4) == 0);
        if (none ? !*value : value_has(value, word, len))
            return true;
        word += len;
        if (!*word)
            return false;
    }
}

/* list_takes of each word of the lexicon, found out when it is asked for. */
struct judge {
    const char *list;
    uint8_t *known; /* 1: taken, 2: not */
};

static bool judge_takes(struct judge *judge, const struct lexicon *lexicon, uint32_t word)
{
    if (!judge->list)
        return true;
    if (!judge->known[word])
        judge->known[word] = list_takes(judge->list, lexicon->words[word]) ? 1 : 2;
    return judge->known[word] == 1;
}

static bool choice_takes(enum choice choice, bool is)
{
    return choice == CHOICE_ANY || (choice == CHOICE_YES) == is;
}

enum { CODEC, CONTAINER, LANGUAGE, HDR, JUDGES };

static uint8_t fails_of(const struct find *find, const struct video_filter *filter,
                        struct judge judges[JUDGES], const struct traits *traits)
{
    const struct lexicon *lexicon = &find->lexicon;
    unsigned fails = 0;
    if (!judge_takes(&judges[CODEC], lexicon, traits->video_codec))
        fails |= 1u << FACET_VIDEO_CODEC;
    if (!judge_takes(&judges[CONTAINER], lexicon, traits->container))
        fails |= 1u << FACET_CONTAINER;
    if (!judge_takes(&judges[LANGUAGE], lexicon, traits->languages))
        fails |= 1u << FACET_LANGUAGE;
    if (!judge_takes(&judges[HDR], lexicon, traits->hdr) ||
        !choice_takes(filter->hdr, traits->hdr != 0))
        fails |= 1u << FACET_HDR;
    if (!choice_takes(filter->subtitles, traits->subtitles))
        fails |= 1u << FACET_SUBTITLES;
    if (filter->resolution && !list_takes(filter->resolution, resolution_words[traits->resolution]))
        fails |= 1u << FACET_RESOLUTION;
    return (uint8_t)fails;
}

enum rl_err filter_facets(const struct find *find, const struct video_filter *filter, uint8_t **out)
{
    *out = NULL;
    if (!filter->video_codec && !filter->container && !filter->language && !filter->hdr_format &&
        !filter->resolution && filter->hdr == CHOICE_ANY && filter->subtitles == CHOICE_ANY)
        return RL_OK;
    struct judge judges[JUDGES] = {
        [CODEC] = {.list = filter->video_codec},
        [CONTAINER] = {.list = filter->container},
        [LANGUAGE] = {.list = filter->language},
        [HDR] = {.list = filter->hdr_format},
    };
    bool good = true;
    for (int i = 0; i < JUDGES; i++) {
        judges[i].known = calloc((size_t)find->lexicon.count + 1, 1);
        good = good && judges[i].known;
    }
    /* One more, so that columns without a video have something to look at. */
    uint8_t *fails = good ? calloc((size_t)find->traits.count + 1, 1) : NULL;
    for (uint32_t i = 0; fails && i < find->traits.count; i++)
        fails[i] = fails_of(find, filter, judges, &find->traits.at[i]);
    for (int i = 0; i < JUDGES; i++)
        free(judges[i].known);
    *out = fails;
    return fails ? RL_OK : RL_ENOMEM;
}
