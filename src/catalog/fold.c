#include <string.h>

#include "private.h"

/* Folding must agree with the trigram index to the last letter, or a search of two letters and one
 * of three would differ. FTS5 does not give its folding away, but its tokenizer: the trigrams of a
 * text overlap, so that their first letters, read one after another, are the folded text. */

enum rl_err fold_open(sqlite3 *db, struct fold *fold)
{
    fts5_api *api = NULL;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", NULL);
    if (rc == SQLITE_OK)
        sqlite3_step(statement);
    sqlite3_finalize(statement);
    void *context = NULL;
    if (!api || api->xFindTokenizer(api, "trigram", &context, &fold->methods) != SQLITE_OK)
        return RL_EIO;
    return fold->methods.xCreate(context, NULL, 0, &fold->tokenizer) == SQLITE_OK ? RL_OK
                                                                                  : RL_ENOMEM;
}

void fold_close(struct fold *fold)
{
    if (fold->tokenizer)
        fold->methods.xDelete(fold->tokenizer);
    fold->tokenizer = NULL;
}

static size_t letter_size(unsigned char lead)
{
    if (lead < 0xc0)
        return 1;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static int take_first_letter(void *arg, int flags, const char *token, int len, int start, int end)
{
    (void)flags, (void)len, (void)start, (void)end;
    buf_append(arg, token, letter_size((unsigned char)token[0]));
    return SQLITE_OK;
}

static bool ascii(const char *text, size_t len)
{
    unsigned char all = 0;
    for (size_t i = 0; i < len; i++)
        all |= (unsigned char)text[i];
    return all < 0x80;
}

static bool fold_ascii(const char *text, size_t len, struct buf *out)
{
    if (!buf_reserve(out, len))
        return false;
    for (size_t i = 0; i < len; i++)
        out->data[out->len + i] =
            (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
    out->len += len;
    out->data[out->len] = '\0';
    return true;
}

bool fold_append(const struct fold *fold, const char *text, size_t len, struct buf *out)
{
    if (ascii(text, len))
        return fold_ascii(text, len, out);
    /* Two letters more, so that the last two begin a trigram as well. */
    struct buf padded = {0};
    utf8_append_lossy(&padded, text, len);
    buf_puts(&padded, "  ");
    bool good = !padded.failed && padded.len < INT32_MAX;
    if (good)
        good = fold->methods.xTokenize(fold->tokenizer, out, FTS5_TOKENIZE_AUX, padded.data,
                                       (int)padded.len, take_first_letter) == SQLITE_OK;
    buf_free(&padded);
    return good && !out->failed;
}
