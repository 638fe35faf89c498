/* hold_opens FILE: whoever opens FILE waits, as on a disk that does not answer, until this program's
 * standard input ends (fanotify(7), permission events). Says "holding" once it does; status 77: the
 * machine does not let it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char byte;
    if (argc != 2)
        return 2;
    int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, argv[1]) != 0) {
        perror("fanotify");
        return 77;
    }
    puts("holding");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    close(fd); /* lets all go on that still wait */
    return 0;
}
