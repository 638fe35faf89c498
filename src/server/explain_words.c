#include <string.h>

#include "explain_words.h"
#include "reeld/events.h"

/* ---- what follows ---------------------------------------------------------------------------- */

static bool stamp_known(const struct file_stamp *stamp)
{
    return stamp->inode != 0;
}

static bool stamp_same(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->size == b->size && a->mtime_ns == b->mtime_ns && a->inode == b->inode;
}

static bool judged(const struct path_about *known)
{
    return known->failure != FAILURE_NONE || known->not_media;
}

/* Where both a video and a failure are known, the last look was either's. */
static bool changed(const struct path_finding *finding)
{
    const struct path_about *known = &finding->known;
    const struct file_stamp *now = &finding->disk.stamp;
    bool there = known->video_id[0] && !known->missing_since_ms;
    if (finding->disk.verdict == PATH_GONE)
        return there || judged(known);
    if (!stamp_known(now))
        return false;
    if (known->missing_since_ms)
        return true;
    if (!known->video_id[0] && !judged(known))
        return false;
    return !(known->video_id[0] && stamp_same(now, &known->stamp)) &&
           !(judged(known) && stamp_same(now, &known->failure_stamp));
}

static enum path_status of_file(const struct path_finding *finding)
{
    bool settling = finding->disk.verdict == PATH_SETTLING;
    if (judged(&finding->known) && !(settling && finding->changed))
        return finding->known.not_media ? PATH_STATUS_NOT_MEDIA : PATH_STATUS_FAILED;
    return settling ? PATH_STATUS_SETTLING : PATH_STATUS_NOT_SCANNED;
}

/* What lists show comes first, so that this and they never differ. */
static enum path_status status(const struct path_finding *finding)
{
    if (finding->disk.verdict == PATH_OUTSIDE)
        return PATH_STATUS_OUTSIDE_ROOTS;
    if (finding->known.video_id[0])
        return finding->known.missing_since_ms ? PATH_STATUS_MISSING : PATH_STATUS_INDEXED;
    switch (finding->disk.verdict) {
    case PATH_GONE:
        return PATH_STATUS_NOT_FOUND;
    case PATH_UNREADABLE:
        return PATH_STATUS_UNREADABLE;
    case PATH_IGNORED:
        return PATH_STATUS_IGNORED;
    case PATH_NOT_A_VIDEO:
        return PATH_STATUS_NOT_A_VIDEO;
    case PATH_NOT_A_FILE:
        return PATH_STATUS_NOT_A_FILE;
    case PATH_LINK:
        return PATH_STATUS_LINK;
    case PATH_FOLDER:
        return PATH_STATUS_FOLDER;
    case PATH_OUTSIDE:
    case PATH_WANTED:
    case PATH_SETTLING:
        break;
    }
    return of_file(finding);
}

/* Under which code a scan lists the file. */
static enum failure_code code(const struct path_finding *finding)
{
    switch (finding->status) {
    case PATH_STATUS_INDEXED:
    case PATH_STATUS_FAILED:
        return finding->known.not_media ? FAILURE_NONE : finding->known.failure;
    case PATH_STATUS_UNREADABLE:
        return FAILURE_UNREADABLE;
    case PATH_STATUS_NOT_A_FILE:
        return FAILURE_NOT_A_FILE;
    case PATH_STATUS_SETTLING:
        return FAILURE_SETTLING;
    default:
        return FAILURE_NONE;
    }
}

void finding_decide(struct path_finding *finding)
{
    finding->changed = changed(finding);
    finding->status = status(finding);
    finding->code = code(finding);
}

/* ---- and the words for it -------------------------------------------------------------------- */

static void put_path(struct buf *out, const char *path, size_t len)
{
    utf8_append_lossy(out, path, len);
}

/* What the verdict of the disk is about. */
static void put_place(const struct path_finding *finding, struct buf *out)
{
    size_t len = strlen(finding->path);
    put_path(out, finding->path, finding->disk.at < len ? finding->disk.at : len);
}

/* Which rule it is, and what it passes over. */
static void put_rule(const struct path_finding *finding, struct buf *out)
{
    const struct path_explanation *disk = &finding->disk;
    if (disk->rule_line) {
        buf_printf(out, "line %u of ", disk->rule_line);
        put_path(out, disk->rule_file, strlen(disk->rule_file));
    } else if (disk->rule_file) {
        buf_puts(out, "the file ");
        put_path(out, disk->rule_file, strlen(disk->rule_file));
    } else {
        buf_printf(out, "the built-in pattern %s", disk->rule);
    }
    buf_puts(out, " has scans pass over ");
    put_place(finding, out);
}

static void put_way_out(const struct path_finding *finding, struct buf *out)
{
    const struct path_explanation *disk = &finding->disk;
    if (disk->rule_file)
        buf_puts(out, "take it away");
    else
        buf_printf(out, "allow the name with --keep '%s'", disk->rule);
    buf_puts(out, ", or scan the file by its own path");
}

static void put_error(const struct path_finding *finding, struct buf *out)
{
    const char *error = finding->known.error;
    buf_puts(out, *error ? error : failure_meaning(finding->known.failure));
}

static void indexed_words(const struct path_finding *finding, struct buf *out)
{
    switch (finding->disk.verdict) {
    case PATH_GONE:
        buf_puts(out, "it is in the catalogue, but not at this path any more; the next scan of its "
                      "folder finds where it went, or hides it as missing");
        return;
    case PATH_UNREADABLE:
        buf_puts(out, "it is in the catalogue as it was; now ");
        put_place(finding, out);
        buf_puts(out, " may not be read; check the permissions");
        return;
    case PATH_IGNORED:
        buf_puts(out, "it is in the catalogue, but ");
        put_rule(finding, out);
        buf_puts(out, ", and the next one of a folder above hides it as missing");
        return;
    default:
        break;
    }
    if (finding->changed) {
        buf_puts(out, "it is in the catalogue, and has changed since; the next scan looks at it");
    } else if (finding->code != FAILURE_NONE) {
        buf_puts(out, "it is in the catalogue as it was before it failed: ");
        put_error(finding, out);
        buf_puts(out, "; replace the file, or scan with retry_failed");
    } else if (finding->known.not_media &&
               stamp_same(&finding->disk.stamp, &finding->known.failure_stamp)) {
        buf_puts(out, "it is in the catalogue as it was; what the file holds now is no video, and "
                      "it is looked at again when it changes");
    } else {
        buf_puts(out, "it is in the catalogue as it is on the disk");
    }
}

static void missing_words(const struct path_finding *finding, struct buf *out)
{
    char since[CLOCK_TEXT_SIZE];
    clock_rfc3339(finding->known.missing_since_ms, since);
    buf_printf(out, "it is kept, but hidden since %s: ", since);
    switch (finding->disk.verdict) {
    case PATH_GONE:
        buf_puts(out, "there is nothing at this path; it comes back with all that it had when a "
                      "scan finds its file, there or elsewhere");
        break;
    case PATH_IGNORED:
        put_rule(finding, out);
        buf_puts(out, "; ");
        put_way_out(finding, out);
        break;
    case PATH_WANTED:
    case PATH_SETTLING:
        buf_puts(out, "there is a file again; scan it, and the video is back");
        break;
    default:
        put_place(finding, out);
        buf_puts(out, " is not what it was, or may not be looked into");
        break;
    }
}

static void failed_words(const struct path_finding *finding, struct buf *out)
{
    buf_puts(out, "it failed: ");
    put_error(finding, out);
    buf_puts(out, finding->changed ? "; it has changed since, and the next scan tries it again"
                                   : "; replace the file, or scan with retry_failed");
}

static const char *plain_words(enum path_status status)
{
    switch (status) {
    case PATH_STATUS_NOT_A_VIDEO:
        return "its name has none of the extensions that are looked for; name it with --extension "
               "if it is a video";
    case PATH_STATUS_NOT_MEDIA:
        return "its extension may be a video's, but its content is none; it is looked at again "
               "when "
               "it changes";
    case PATH_STATUS_NOT_A_FILE:
        return "it is a pipe, socket or device; only regular files are read";
    case PATH_STATUS_FOLDER:
        return "it is a folder, which scans go through; ask for a file in it";
    case PATH_STATUS_OUTSIDE_ROOTS:
        return "it lies in none of the folders that may be scanned; name one above it with --root";
    case PATH_STATUS_SETTLING:
        return "it was written to a moment ago and may not be whole yet; scan it in a while";
    default:
        return "a scan would look into it, and none has yet, or could not for a reason that "
               "passes; "
               "scan it, and see the failures of that job";
    }
}

void finding_words(const struct path_finding *finding, struct buf *out)
{
    switch (finding->status) {
    case PATH_STATUS_INDEXED:
        indexed_words(finding, out);
        break;
    case PATH_STATUS_MISSING:
        missing_words(finding, out);
        break;
    case PATH_STATUS_FAILED:
        failed_words(finding, out);
        break;
    case PATH_STATUS_IGNORED:
        put_rule(finding, out);
        buf_puts(out, "; ");
        put_way_out(finding, out);
        break;
    case PATH_STATUS_LINK:
        put_place(finding, out);
        buf_puts(out, " is a symbolic link that is not followed; scan what it leads to, or allow "
                      "links with --follow-symlinks yes, which never leave the roots");
        break;
    case PATH_STATUS_NOT_FOUND:
        buf_puts(out, "there is no ");
        put_place(finding, out);
        break;
    case PATH_STATUS_UNREADABLE:
        put_place(finding, out);
        buf_puts(out, " may not be read; check its permissions");
        break;
    default:
        buf_puts(out, plain_words(finding->status));
        break;
    }
}
