/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0700, FILE_MODE = 0600 };

static int open_file(const char *directory, const char *name)
{
    char path[PATH_MAX];
    const int len = snprintf(path, sizeof path, "%s/wireshark/%s", directory, name);
    if (len < 0 || (size_t)len >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd >= 0 && fchmod(fd, FILE_MODE) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool make_directory(const char *path)
{
    return mkdir(path, DIRECTORY_MODE) == 0 || errno == EEXIST;
}

bool keylog_open(keylog *k, const char *directory)
{
    char inner[PATH_MAX];
    const int len = snprintf(inner, sizeof inner, "%s/wireshark", directory);
    *k = (keylog){.ike = -1, .esp = -1};
    if (len < 0 || (size_t)len >= sizeof inner) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (!make_directory(directory) || !make_directory(inner))
        return false;
    k->ike = open_file(directory, "ikev2_decryption_table");
    k->esp = k->ike < 0 ? -1 : open_file(directory, "esp_sa");
    if (k->esp >= 0)
        return true;
    const int error = errno;
    keylog_close(k);
    errno = error;
    return false;
}

void keylog_close(keylog *k)
{
    if (k->ike >= 0)
        close(k->ike);
    if (k->esp >= 0)
        close(k->esp);
    *k = (keylog){.ike = -1, .esp = -1};
}

void keylog_write(void *user, int kind, const char *line)
{
    const keylog *k = user;
    const int fd = kind == ROUTER_KEYLOG_IKE ? k->ike : k->esp;
    struct iovec parts[] = {{.iov_base = (void *)(uintptr_t)line, .iov_len = strlen(line)},
                            {.iov_base = (void *)(uintptr_t) "\n", .iov_len = 1}};
    while (writev(fd, parts, 2) < 0 && errno == EINTR)
        continue;
}
