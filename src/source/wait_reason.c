/* SPDX-License-Identifier: MIT */
/* System calls by what one waits for in them: see wait_reason.h. */
#include "config.h"

#include "wait_reason.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* For those that wait for whatever their descriptor is: decided by its kind. */
#define BY_DESCRIPTOR WAIT_REASONS

static const struct {
    int64_t number;
    enum wait_reason reason;
} calls[] = {
    { SYS_futex, WAIT_LOCK },
#ifdef SYS_futex_waitv
    { SYS_futex_waitv, WAIT_LOCK },
#endif
    { SYS_flock, WAIT_LOCK },
    { SYS_fcntl, WAIT_LOCK },
    { SYS_nanosleep, WAIT_SLEEP },
    { SYS_clock_nanosleep, WAIT_SLEEP },
#ifdef SYS_poll
    { SYS_poll, WAIT_POLL },
    { SYS_select, WAIT_POLL },
    { SYS_epoll_wait, WAIT_POLL },
    { SYS_pause, WAIT_SIGNAL },
    { SYS_vfork, WAIT_CHILD },
    { SYS_open, WAIT_DISK },
    { SYS_stat, WAIT_DISK },
    { SYS_getdents, WAIT_DISK },
#endif
    { SYS_ppoll, WAIT_POLL },
    { SYS_pselect6, WAIT_POLL },
    { SYS_epoll_pwait, WAIT_POLL },
#ifdef SYS_epoll_pwait2
    { SYS_epoll_pwait2, WAIT_POLL },
#endif
#ifdef SYS_io_uring_enter
    { SYS_io_uring_enter, WAIT_POLL },
#endif
    { SYS_read, BY_DESCRIPTOR },
    { SYS_write, BY_DESCRIPTOR },
    { SYS_readv, BY_DESCRIPTOR },
    { SYS_writev, BY_DESCRIPTOR },
    { SYS_pread64, BY_DESCRIPTOR },
    { SYS_pwrite64, BY_DESCRIPTOR },
    { SYS_preadv, BY_DESCRIPTOR },
    { SYS_pwritev, BY_DESCRIPTOR },
    { SYS_splice, BY_DESCRIPTOR },
    { SYS_sendfile, BY_DESCRIPTOR },
    { SYS_ioctl, BY_DESCRIPTOR },
    { SYS_accept, WAIT_NETWORK },
    { SYS_accept4, WAIT_NETWORK },
    { SYS_connect, WAIT_NETWORK },
    { SYS_recvfrom, WAIT_NETWORK },
    { SYS_recvmsg, WAIT_NETWORK },
    { SYS_recvmmsg, WAIT_NETWORK },
    { SYS_sendto, WAIT_NETWORK },
    { SYS_sendmsg, WAIT_NETWORK },
    { SYS_sendmmsg, WAIT_NETWORK },
    { SYS_fsync, WAIT_DISK },
    { SYS_fdatasync, WAIT_DISK },
    { SYS_sync, WAIT_DISK },
    { SYS_syncfs, WAIT_DISK },
    { SYS_msync, WAIT_DISK },
    { SYS_sync_file_range, WAIT_DISK },
    { SYS_openat, WAIT_DISK },
    { SYS_newfstatat, WAIT_DISK },
    { SYS_getdents64, WAIT_DISK },
    { SYS_ftruncate, WAIT_DISK },
    { SYS_fallocate, WAIT_DISK },
    { SYS_io_getevents, WAIT_DISK },
    { SYS_wait4, WAIT_CHILD },
    { SYS_waitid, WAIT_CHILD },
    { SYS_clone, WAIT_CHILD },
    { SYS_rt_sigtimedwait, WAIT_SIGNAL },
    { SYS_rt_sigsuspend, WAIT_SIGNAL },
};

static enum wait_reason reason_of_descriptor(const char *proc_root, int32_t pid, int32_t tid,
                                             uint64_t descriptor)
{
    char path[PROC_PATH_MAX], link[256];
    ssize_t length;

    snprintf(path, sizeof(path), "%s/%" PRId32 "/task/%" PRId32 "/fd/%" PRIu64, proc_root, pid, tid,
             descriptor & UINT32_MAX);
    length = readlink(path, link, sizeof(link) - 1);
    if (length <= 0)
        return WAIT_OTHER;
    link[length] = '\0';
    if (strncmp(link, "socket:", 7) == 0)
        return WAIT_NETWORK;
    if (strncmp(link, "pipe:", 5) == 0 || strncmp(link, "/dev/pts/", 9) == 0 ||
        strncmp(link, "/dev/tty", 8) == 0 || strcmp(link, "/dev/console") == 0)
        return WAIT_PIPE;
    if (strncmp(link, "anon_inode:", 11) == 0)
        return WAIT_POLL;
    return link[0] == '/' ? WAIT_DISK : WAIT_OTHER;
}

enum wait_reason wait_reason_of(const char *proc_root, int32_t pid, int32_t tid,
                                const struct proc_syscall *syscall, char state)
{
    if (state == 'T' || state == 't')
        return WAIT_STOPPED;
    if (syscall->number < 0)
        return state == 'D' ? WAIT_PAGE : WAIT_OTHER;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].number != syscall->number)
            continue;
        if (calls[i].reason != BY_DESCRIPTOR)
            return calls[i].reason;
        return reason_of_descriptor(proc_root, pid, tid, syscall->arguments[0]);
    }
    return state == 'D' ? WAIT_DISK : WAIT_OTHER;
}

bool wait_is_all_of(int64_t syscall)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].number == syscall)
            return calls[i].reason == WAIT_LOCK || calls[i].reason == WAIT_SLEEP ||
                   calls[i].reason == WAIT_POLL || calls[i].reason == WAIT_SIGNAL;
    return false;
}
