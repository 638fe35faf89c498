/* ignored_names: what a walk passes over by itself, unless the configuration keeps it. Plain data:
 * any room may include it. */
#ifndef REELD_IGNORED_NAMES_H
#define REELD_IGNORED_NAMES_H

/* The patterns in the words of the configuration. The last two are no names to pass over but the
 * two files that say what else is. */
#define IGNORED_NAMES(NAME)                                                                        \
    NAME(DOT, ".*")                                                                                \
    NAME(EADIR, "@eaDir")                                                                          \
    NAME(RECYCLE, "#recycle")                                                                      \
    NAME(LOST_FOUND, "lost+found")                                                                 \
    NAME(TRASH, ".Trash-*")                                                                        \
    NAME(PART, "*.part")                                                                           \
    NAME(CRDOWNLOAD, "*.crdownload")                                                               \
    NAME(TMP, "*.tmp")                                                                             \
    NAME(NOMEDIA, ".nomedia")                                                                      \
    NAME(RULES, ".reeldignore")

/* Bits of a set of them. */
enum ignored_name {
#define IGNORED_NAME_INDEX(name, pattern) IGNORED_INDEX_##name,
    IGNORED_NAMES(IGNORED_NAME_INDEX)
#undef IGNORED_NAME_INDEX
#define IGNORED_NAME_BIT(name, pattern) IGNORED_##name = 1 << IGNORED_INDEX_##name,
        IGNORED_NAMES(IGNORED_NAME_BIT)
#undef IGNORED_NAME_BIT
};

#endif
