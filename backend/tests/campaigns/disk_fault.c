/* A disk that is full, or cannot be relied on, for the files of one database; told by the byte in CAMPAIGN_DISK.

   'f': nothing more can be written. 's': what is written cannot be made to stay. Anything else: all is well. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static const volatile char *told;

__attribute__((constructor)) static void listen_to_it(void)
{
    const char *path = getenv("CAMPAIGN_DISK");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);
    told = mapped == MAP_FAILED ? NULL : mapped;
    close(file);
}

static int fails(char how, int file, int error)
{
    char link[64], path[4096];
    if (!told || *told != how)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    if (!strstr(path, "/treadle.db"))
        return 0;
    errno = error;
    return 1;
}

#define INSTEAD_OF(type, name, how, error, parameters, arguments)                  \
    type name parameters                                                           \
    {                                                                              \
        static type(*real) parameters;                                             \
        if (!real)                                                                 \
            real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                    \
        return fails(how, file, error) ? -1 : real arguments;                      \
    }

INSTEAD_OF(ssize_t, write, 'f', ENOSPC, (int file, const void *bytes, size_t size), (file, bytes, size))
INSTEAD_OF(ssize_t, pwrite, 'f', ENOSPC, (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at))
INSTEAD_OF(ssize_t, pwrite64, 'f', ENOSPC, (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at))
INSTEAD_OF(int, ftruncate, 'f', ENOSPC, (int file, off_t size), (file, size))
INSTEAD_OF(int, ftruncate64, 'f', ENOSPC, (int file, off64_t size), (file, size))
INSTEAD_OF(int, fsync, 's', EIO, (int file), (file))
INSTEAD_OF(int, fdatasync, 's', EIO, (int file), (file))
