/* SPDX-License-Identifier: MIT */
/* The limit of open files: see descriptors.h. */
#include "config.h"

#include "proftop/descriptors.h"

#include <sys/resource.h>

size_t descriptors_share(size_t wanted, unsigned part)
{
    struct rlimit limit, raised;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    raised = (struct rlimit){ limit.rlim_max, limit.rlim_max };
    if (limit.rlim_cur < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &raised) == 0)
        limit = raised;
    return limit.rlim_cur / part < wanted ? limit.rlim_cur / part : wanted;
}
