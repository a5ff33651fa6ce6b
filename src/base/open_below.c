/* SPDX-License-Identifier: MIT */
/*
 * Files below a folder that somebody else may change meanwhile: see open_below.h.
 *
 * By hand every folder on the way is a descriptor of its own, opened without following a link, so
 * that nothing that is renamed or replaced meanwhile can lead elsewhere:
 *
 *     ROOT ── a ── b ── …          ".." gives up the last, an absolute link all but ROOT
 *     └── folders, depth ──┘       rest: what is still to be walked, links put in front
 */
#include "config.h"

#include "proftop/open_below.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY,
    DEPTH_MAX = 64,
    LINKS_MAX = 40 /* as the kernel's own */
};

struct walk {
    int folders[DEPTH_MAX]; /* the first is the caller's */
    int depth;
    int links;
    char rest[PATH_MAX];
};

static int here(const struct walk *walk)
{
    return walk->folders[walk->depth - 1];
}

static void climb(struct walk *walk, int depth)
{
    while (walk->depth > depth)
        close(walk->folders[--walk->depth]);
}

/* Takes the next part of what is left into PART; false at the end. */
static bool next_part(struct walk *walk, char *part, size_t size)
{
    size_t skip = strspn(walk->rest, "/");
    size_t length = strcspn(walk->rest + skip, "/");

    if (length >= size)
        errno = ENAMETOOLONG;
    if (length == 0 || length >= size)
        return false;
    memcpy(part, walk->rest + skip, length);
    part[length] = '\0';
    memmove(walk->rest, walk->rest + skip + length, strlen(walk->rest + skip + length) + 1);
    return true;
}

/* Puts where LINK leads in front of what is left. */
static bool follow(struct walk *walk, int link)
{
    char text[PATH_MAX], whole[PATH_MAX];
    ssize_t length = readlinkat(link, "", text, sizeof(text) - 1);
    int all;

    if (length <= 0)
        return false;
    text[length] = '\0';
    all = snprintf(whole, sizeof(whole), "%s/%s", text, walk->rest);
    errno = all >= (int)sizeof(whole) ? ENAMETOOLONG : ELOOP;
    if (all >= (int)sizeof(whole) || ++walk->links > LINKS_MAX)
        return false;
    memcpy(walk->rest, whole, (size_t)all + 1);
    if (text[0] == '/')
        climb(walk, 1);
    return true;
}

/* Steps into PART, a folder or a link to one. */
static bool enter(struct walk *walk, const char *part)
{
    struct stat status;
    bool fine;
    int fd;

    if (strcmp(part, "..") == 0) {
        climb(walk, walk->depth > 1 ? walk->depth - 1 : 1);
        return true;
    }
    fd = openat(here(walk), part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    fine = fstat(fd, &status) == 0;
    if (fine && S_ISDIR(status.st_mode)) {
        errno = ENAMETOOLONG;
        fine = walk->depth < DEPTH_MAX;
        if (fine) {
            walk->folders[walk->depth++] = fd;
            return true;
        }
    } else if (fine) {
        errno = ENOTDIR;
        fine = S_ISLNK(status.st_mode) && follow(walk, fd);
    }
    close(fd);
    return fine;
}

int open_below_by_hand(int root, const char *name)
{
    struct walk walk = { .folders = { root }, .depth = 1 };
    char part[NAME_MAX + 1];
    int fd = -1, saved_errno;
    bool fine = true;

    if (snprintf(walk.rest, sizeof(walk.rest), "%s", name) >= (int)sizeof(walk.rest)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    errno = name[0] != '\0' ? EISDIR : ENOENT; /* it ends in a folder */
    while (fine && fd < 0 && next_part(&walk, part, sizeof(part))) {
        if (strcmp(part, ".") == 0)
            continue;
        if (walk.rest[0] != '\0' || strcmp(part, "..") == 0)
            fine = enter(&walk, part);
        else
            fine = (fd = openat(here(&walk), part, FLAGS)) >= 0;
    }
    saved_errno = errno;
    climb(&walk, 1);
    errno = saved_errno;
    return fd;
}

int open_below(int root, const char *name)
{
    struct open_how how = { .flags = FLAGS, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, root, name, &how, sizeof(how));

    /* Before Linux 5.6, and under some seccomp filters. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = open_below_by_hand(root, name);
    return fd;
}
