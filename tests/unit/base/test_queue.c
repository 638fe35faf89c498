#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../test.h"
#include "reeld/base.h"

enum { PRODUCERS = 4, MESSAGES = 20000 };

struct message {
    struct queue_node node;
    int producer, number;
};

struct fixture {
    struct queue *queue;
    int fd;
    int next_producer;
    pthread_mutex_t lock;
};

static void wake(void *arg)
{
    uint64_t one = 1;
    struct fixture *fixture = arg;
    assert_int_equal(write(fixture->fd, &one, sizeof one), sizeof one);
}

static void *produce(void *arg)
{
    struct fixture *fixture = arg;
    pthread_mutex_lock(&fixture->lock);
    int producer = fixture->next_producer++;
    pthread_mutex_unlock(&fixture->lock);
    for (int i = 0; i < MESSAGES; i++) {
        struct message *message = malloc(sizeof *message);
        *message = (struct message){.producer = producer, .number = i};
        queue_push(fixture->queue, &message->node);
    }
    return NULL;
}

/* A lost wake-up leaves the consumer in poll for ever, and the test runs into its time limit. */
static void nothing_is_lost_and_each_producer_keeps_its_order(void **state)
{
    (void)state;
    struct fixture fixture = {.fd = eventfd(0, 0), .lock = PTHREAD_MUTEX_INITIALIZER};
    fixture.queue = queue_new(wake, &fixture);
    pthread_t threads[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &fixture), 0);
    int next[PRODUCERS] = {0}, total = 0;
    while (total < PRODUCERS * MESSAGES) {
        struct pollfd pfd = {.fd = fixture.fd, .events = POLLIN};
        poll(&pfd, 1, -1);
        uint64_t count;
        assert_int_equal(read(fixture.fd, &count, sizeof count), sizeof count);
        for (struct queue_node *node = queue_take(fixture.queue); node;) {
            struct message *message = QUEUE_ITEM(node, struct message, node);
            node = node->next;
            assert_int_equal(message->number, next[message->producer]++);
            total++;
            free(message);
        }
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    assert_null(queue_take(fixture.queue));
    queue_free(fixture.queue);
    close(fixture.fd);
}

static void count_wake(void *arg)
{
    ++*(int *)arg;
}

static void only_the_first_message_wakes(void **state)
{
    (void)state;
    int wakes = 0;
    struct message messages[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct queue *queue = queue_new(count_wake, &wakes);
    queue_push(queue, &messages[0].node);
    queue_push(queue, &messages[1].node);
    assert_int_equal(wakes, 1);
    assert_ptr_equal(queue_take(queue), &messages[0].node);
    queue_push(queue, &messages[2].node);
    assert_int_equal(wakes, 2);
    queue_take(queue);
    queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_and_each_producer_keeps_its_order),
        cmocka_unit_test(only_the_first_message_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
