/* number_set: a set of 64-bit numbers in little memory. Job thread. */
#ifndef REELD_LIBRARY_NUMBER_SET_H
#define REELD_LIBRARY_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: empty. 0 is no member. */
struct number_set {
    uint64_t *slots; /* owned; a power of two of them, 0: free */
    size_t count, cap;
};

/* False: out of memory. Adding what is there changes nothing. */
bool number_set_add(struct number_set *set, uint64_t number);
bool number_set_has(const struct number_set *set, uint64_t number);
bool number_set_remove(struct number_set *set, uint64_t number); /* whether it was there */
void number_set_free(struct number_set *set);

#endif
