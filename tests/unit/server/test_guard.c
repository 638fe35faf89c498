#include "../test.h"
#include "guard.h"

static const char *const no_hosts[] = {NULL};
static const char *const hosts[] = {"media.example", "films.example:8443", NULL};

struct host_case {
    const char *listen, *host;
    const char *const *hosts;
    int port;
    bool allowed;
};

static void test_hosts(void **state)
{
    (void)state;
    static const struct host_case cases[] = {
        {"127.0.0.1", "127.0.0.1:8080", no_hosts, 8080, true},
        {"127.0.0.1", "localhost:8080", no_hosts, 8080, true},
        {"127.0.0.1", "LocalHost:8080", no_hosts, 8080, true},
        {"127.0.0.1", "[::1]:8080", no_hosts, 8080, true},
        {"127.0.0.1", "127.0.0.1", no_hosts, 8080, false},
        {"127.0.0.1", "127.0.0.1", no_hosts, 80, true},
        {"127.0.0.1", "127.0.0.1:8081", no_hosts, 8080, false},
        {"127.0.0.1", "evil.example:8080", no_hosts, 8080, false},
        {"127.0.0.1", "127.0.0.1.evil.example:8080", no_hosts, 8080, false},
        {"127.0.0.1", "localhost.evil.example:8080", no_hosts, 8080, false},
        {"127.0.0.1", "192.0.2.1:8080", no_hosts, 8080, false},
        {"127.0.0.1", "", no_hosts, 8080, false},
        {"127.0.0.1", ":8080", no_hosts, 8080, false},
        {"127.0.0.1", "127.0.0.1:8080:8080", no_hosts, 8080, false},
        {"127.0.0.1", "127.0.0.1:", no_hosts, 8080, false},
        {"127.0.0.1", "127.0.0.1:+8080", no_hosts, 8080, false},
        {"127.0.0.1", "127.0.0.1:8080,  evil.example", no_hosts, 8080, false},
        {"127.0.0.1", "[::1:8080", no_hosts, 8080, false},
        {"127.0.0.1", "user@127.0.0.1:8080", no_hosts, 8080, false},
        {"192.0.2.7", "192.0.2.7:8080", no_hosts, 8080, true},
        {"192.0.2.7", "localhost:8080", no_hosts, 8080, false},
        {"0.0.0.0", "192.0.2.7:8080", no_hosts, 8080, true},
        {"::", "[2001:db8::1]:8080", no_hosts, 8080, true},
        {"0.0.0.0", "evil.example:8080", no_hosts, 8080, false},
        {"0.0.0.0", "media.example:8080", hosts, 8080, true},
        {"127.0.0.1", "media.example", hosts, 8080, true},
        {"127.0.0.1", "MEDIA.example", hosts, 8080, true},
        {"127.0.0.1", "media.example:9000", hosts, 8080, false},
        {"127.0.0.1", "films.example:8443", hosts, 8080, true},
        {"127.0.0.1", "films.example", hosts, 8080, false},
        {"127.0.0.1", "films.example:8080", hosts, 8080, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guard guard = {cases[i].listen, cases[i].port, cases[i].hosts};
        if (guard_host_allowed(&guard, cases[i].host) != cases[i].allowed)
            fail_msg("%s on %s port %d", cases[i].host, cases[i].listen, cases[i].port);
    }
}

static void test_origins(void **state)
{
    (void)state;
    assert_true(guard_origin_allowed("", "127.0.0.1:8080"));
    assert_true(guard_origin_allowed("http://127.0.0.1:8080", "127.0.0.1:8080"));
    assert_true(guard_origin_allowed("https://Media.example", "media.example"));
    assert_false(guard_origin_allowed("null", "127.0.0.1:8080"));
    assert_false(guard_origin_allowed("http://localhost:8080", "127.0.0.1:8080"));
    assert_false(guard_origin_allowed("http://127.0.0.1:8081", "127.0.0.1:8080"));
    assert_false(guard_origin_allowed("http://127.0.0.1:80800", "127.0.0.1:8080"));
    assert_false(guard_origin_allowed("http://evil.example", "127.0.0.1:8080"));
    assert_false(guard_origin_allowed("file://127.0.0.1:8080", "127.0.0.1:8080"));
    assert_false(guard_origin_allowed("127.0.0.1:8080", "127.0.0.1:8080"));
    assert_true(guard_site_allowed(""));
    assert_true(guard_site_allowed("same-origin"));
    assert_true(guard_site_allowed("none"));
    assert_false(guard_site_allowed("same-site"));
    assert_false(guard_site_allowed("cross-site"));
}

static void test_secrets(void **state)
{
    (void)state;
    assert_true(guard_secret_equal("s3cret", "s3cret"));
    assert_false(guard_secret_equal("s3cret", "s3cre"));
    assert_false(guard_secret_equal("s3cret", "s3crets3cret"));
    assert_false(guard_secret_equal("s3cret", "S3cret"));
    assert_false(guard_secret_equal("s3cret", ""));
    assert_false(guard_secret_equal("", ""));
    assert_string_equal(guard_bearer("Bearer abc"), "abc");
    assert_string_equal(guard_bearer("bearer  abc"), "abc");
    assert_null(guard_bearer("Basic abc"));
    assert_null(guard_bearer("Bearer "));
    assert_null(guard_bearer(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
