/* Run commands in turns and tell what each took, from fork to the end of wait.
 *
 *     spawn ROUNDS BURST PAUSE KIND MESSAGE [-- ROOT [NAME=VALUE]... /PROGRAM [WORD]...]...
 *
 * BURST copies of a command start at once, and the time is that until the last has ended. PAUSE:
 * microseconds between two commands, in which daemons do what no caller waits for. KIND says what
 * standard input is: the file MESSAGE itself, a pipe in which it lies whole before the clock
 * starts, or null. ROOT is / or, as /proc/PID, the mount namespace and the root of a process; not its
 * root alone, for programs of another namespace's mounts lose their set-id bits. The environment
 * has the NAME=VALUE and nothing else.
 *
 * Every other round runs backwards, so that nobody always follows the same one. A line for each
 * round: nanoseconds of each command, in the order given. Ends with 1 if a command fails.
 *
 * In C for what it is not: forking a large process costs as much as what is to be measured. */

#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 500 }; /* commands, and copies at once */

struct command {
    int namespace, root; /* descriptors, or -1 */
    char **environment, **words;
};

static const char *kind, *message;
static int null;

static long long now(void)
{
    struct timespec time;

    if (clock_gettime(CLOCK_MONOTONIC, &time) < 0)
        err(1, "clock_gettime");
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int open_message(void)
{
    int descriptor = open(message, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0)
        err(1, "%s", message);
    return descriptor;
}

/* Return a pipe's end for reading, in which all of the message lies. */
static int filled_pipe(void)
{
    static char buffer[1 << 16];
    int ends[2], file = open_message();
    struct stat status;
    ssize_t size;

    if (pipe2(ends, O_CLOEXEC) < 0 || fstat(file, &status) < 0)
        err(1, "%s", message);
    if (status.st_size > (1 << 16) && fcntl(ends[1], F_SETPIPE_SZ, (int)status.st_size) < 0)
        err(1, "a pipe of %lld bytes", (long long)status.st_size);
    while ((size = read(file, buffer, sizeof buffer)) > 0)
        if (write(ends[1], buffer, (size_t)size) != size)
            err(1, "write");
    if (size < 0)
        err(1, "%s", message);
    close(ends[1]);
    close(file);
    return ends[0];
}

static int open_input(void)
{
    if (!strcmp(kind, "null"))
        return dup(null);
    return strcmp(kind, "file") ? filled_pipe() : open_message();
}

static void execute(const struct command *command, int input)
{
    if (dup2(input, 0) < 0 || dup2(null, 1) < 0)
        _exit(126);
    if (command->root >= 0
        && (setns(command->namespace, CLONE_NEWNS) < 0 || fchdir(command->root) < 0
            || chroot(".") < 0))
        _exit(126);
    execve(command->words[0], command->words, command->environment);
    _exit(127);
}

/* Return the nanoseconds until the last of so many copies has ended. */
static long long measure(const struct command *command, int burst)
{
    static int inputs[MOST];
    long long start;
    int status;

    for (int n = 0; n < burst; n++)
        inputs[n] = open_input();
    start = now();
    for (int n = 0; n < burst; n++) {
        pid_t child = fork();
        if (child < 0)
            err(1, "fork");
        if (!child)
            execute(command, inputs[n]);
    }
    for (int n = 0; n < burst; n++) {
        if (wait(&status) < 0)
            err(1, "wait");
        if (status)
            errx(1, "%s: wait status %d", command->words[0], status);
    }
    start = now() - start;
    for (int n = 0; n < burst; n++)
        close(inputs[n]);
    return start;
}

static int open_below(const char *directory, const char *name)
{
    char path[100];
    int descriptor;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        err(1, "%s", path);
    return descriptor;
}

/* Read a command from the words after a --, which end with NULL. */
static void parse(struct command *command, char **words)
{
    const char *root = *words++;
    int variables = 0;

    if (!root)
        errx(2, "see the comment in spawn.c");
    command->namespace = command->root = -1;
    if (strcmp(root, "/")) {
        command->namespace = open_below(root, "ns/mnt");
        command->root = open_below(root, "root");
    }
    while (words[variables] && *words[variables] != '/')
        variables++;
    if (!words[variables])
        errx(2, "a program has a full path; see the comment in spawn.c");
    command->words = words + variables;
    command->environment = calloc((size_t)variables + 1, sizeof *words);
    if (!command->environment)
        err(1, "calloc");
    memcpy(command->environment, words, (size_t)variables * sizeof *words);
}

int main(int argc, char **argv)
{
    static struct command commands[MOST];
    static long long times[MOST];
    int count = 0;

    if (argc < 6)
        errx(2, "see the comment in spawn.c");
    int rounds = atoi(argv[1]), burst = atoi(argv[2]), pause = atoi(argv[3]);
    kind = argv[4];
    message = argv[5];
    if (burst < 1 || burst > MOST)
        errx(2, "1 to %d at once", MOST);
    for (int word = 6; word < argc; word++)
        if (!strcmp(argv[word], "--"))
            argv[word] = NULL; /* ends the command before */
    for (int word = 6; word < argc && count < MOST; word++)
        if (!argv[word])
            parse(commands + count++, argv + word + 1);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        err(1, "/dev/null");
    for (int round = 0; round < rounds; round++) {
        for (int n = 0; n < count; n++) {
            int which = round % 2 ? count - 1 - n : n;
            times[which] = measure(commands + which, burst);
            usleep((useconds_t)pause);
        }
        for (int n = 0; n < count; n++)
            printf("%lld%c", times[n], n + 1 < count ? ' ' : '\n');
    }
    return 0;
}
