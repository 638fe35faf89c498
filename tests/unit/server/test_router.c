#include "../test.h"
#include "router.h"

static void test_match(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path, *param; /* param NULL: no match */
    } cases[] = {
        {"/a", "/a", ""},
        {"/a", "/a/", NULL},
        {"/a", "/ab", NULL},
        {"/a/{id}", "/a/b", "b"},
        {"/a/{id}", "/a/", NULL},
        {"/a/{id}", "/a", NULL},
        {"/a/{id}", "/a/b/", NULL},
        {"/a/{id}", "/a/b/c", NULL},
        {"/a/{id}/c", "/a/b/c", "b"},
        {"/a/{id}/c", "/a/b/d", NULL},
        {"/a/{id}/c", "/a//c", NULL},
        {"/a/{id}", "/a/0123456789", NULL}, /* does not fit */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char param[8] = "";
        bool matches = router_match(cases[i].pattern, cases[i].path, param, sizeof param);
        assert_int_equal(matches, cases[i].param != NULL);
        if (matches)
            assert_string_equal(param, cases[i].param);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_match)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
