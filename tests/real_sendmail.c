/*
 * The stand-in for the real sendmail: writes down exactly what reached it, into the next free
 * directory calls/NNNN beside itself, and exits with the number in the file `exit` (0 without one).
 *
 *   argv, environ   each word followed by NUL       stdin    the bytes
 *   status          /proc/self/status: uids, ignored signals, no_new_privs
 *
 * In C because a script never sees its argv[0], and because the kernel runs no script set-id.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static char directory[PATH_MAX], call[PATH_MAX + 32];

static int create(const char *name)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", call, name);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (descriptor < 0)
        _exit(71);
    return descriptor;
}

static void put(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0)
            _exit(74);
        bytes += written;
        length -= written;
    }
}

static void record_words(const char *name, char **words)
{
    int descriptor = create(name);
    for (; *words; words++)
        put(descriptor, *words, strlen(*words) + 1);
    close(descriptor);
}

static void record_stream(const char *name, int from)
{
    static char buffer[1 << 16];
    int descriptor = create(name);
    ssize_t length;
    while ((length = read(from, buffer, sizeof buffer)) > 0)
        put(descriptor, buffer, length);
    close(descriptor);
}

int main(int argc, char **argv)
{
    (void)argc;
    ssize_t length = readlink("/proc/self/exe", directory, sizeof directory - 1);
    if (length < 0)
        return 71;
    dirname(directory);
    umask(0);
    for (int number = 0; ; number++) {
        snprintf(call, sizeof call, "%s/calls/%04d", directory, number);
        if (mkdir(call, 0755) == 0)
            break;
        if (number == 9999)
            return 73;
    }
    record_words("argv", argv);
    record_words("environ", environ);
    int status = open("/proc/self/status", O_RDONLY);
    record_stream("status", status);
    close(status);
    record_stream("stdin", 0);

    char text[16] = "", path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/exit", directory);
    int descriptor = open(path, O_RDONLY);
    if (descriptor >= 0 && read(descriptor, text, sizeof text - 1) < 0)
        return 74;
    return atoi(text);
}
