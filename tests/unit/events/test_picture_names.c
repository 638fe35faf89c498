#include <string.h>

#include "../test.h"

#include "reeld/events.h"

static void names_go_both_ways(void **unused)
{
    (void)unused;
    static const struct {
        struct picture_key key;
        const char *path;
    } cases[] = {
        {{1, 0xabc, PICTURE_FORM_THUMBNAIL, 320}, "pictures/0/1-0000000000000abc-320.jpg"},
        {{999, UINT64_MAX, PICTURE_FORM_THUMBNAIL, 1280},
         "pictures/0/999-ffffffffffffffff-1280.jpg"},
        {{1000, 1, PICTURE_FORM_STORYBOARD, 0}, "pictures/1/1000-0000000000000001-storyboard.jpg"},
        {{1234567, UINT64_C(0x8000000000000000), PICTURE_FORM_STORYBOARD_INDEX, 0},
         "pictures/1234/1234567-8000000000000000-storyboard.vtt"},
        {{INT64_MAX - 1, 7, PICTURE_FORM_THUMBNAIL, 16},
         "pictures/9223372036854775/9223372036854775806-0000000000000007-16.jpg"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[PICTURE_PATH_SIZE];
        struct picture_key key;
        picture_path(&cases[i].key, path);
        assert_string_equal(path, cases[i].path);
        assert_true(picture_parse(strrchr(path, '/') + 1, &key));
        assert_int_equal(key.number, cases[i].key.number);
        assert_true(key.version == cases[i].key.version);
        assert_int_equal(key.form, cases[i].key.form);
        assert_int_equal(key.width, cases[i].key.width);
    }
}

static void what_is_no_name(void **unused)
{
    (void)unused;
    static const char *const names[] = {
        "",
        "part",
        "1",
        "1-",
        "0-0000000000000001-320.jpg",
        "01-0000000000000001-320.jpg",
        "1-0000000000000000-320.jpg",
        "1-000000000000001-320.jpg",
        "1-00000000000000001-320.jpg",
        "1-000000000000000A-320.jpg",
        "1-0000000000000001-320.jpeg",
        "1-0000000000000001-0320.jpg",
        "1-0000000000000001--5.jpg",
        "1-0000000000000001-.jpg",
        "1-0000000000000001-99999999999.jpg",
        "99999999999999999999-0000000000000001-320.jpg",
        "-1-0000000000000001-320.jpg",
        "1-0000000000000001-storyboard.txt",
        "1-0000000000000001-320.jpg ",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct picture_key key;
        if (picture_parse(names[i], &key))
            fail_msg("'%s' is taken for a picture", names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(what_is_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
