/* SPDX-License-Identifier: MIT */
/* Opening sessions: one, several as one, and one that is still being written. */
#include "config.h"

#include <stdlib.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/session.h"
#include "reader.h"

struct profile *session_open(const char *path, struct error *error)
{
    struct session_reader *reader = reader_new(path, false);
    struct profile *profile = NULL;
    bool any;

    if (reader_load(reader, &any, error))
        profile = reader_profile(reader);
    reader_free(reader);
    return profile;
}

/* ---- several --------------------------------------------------------------------------------- */

/* When a profile began, as a date. */
static int64_t began_ns(const struct profile *profile)
{
    return (int64_t)profile_start_ns(profile) + profile_info(profile)->realtime_offset_ns;
}

static struct profile *merge(struct profile *const *profiles, unsigned count)
{
    const struct profile *first = profiles[0];
    struct profile_info info;
    struct history_config config = {
        .info = &info, .lanes = lanes_new(), .own_lanes = true, .memory_max = SIZE_MAX
    };
    struct history *history;
    struct profile *merged;
    module_id next_module = MODULE_NONE + 1;
    uint64_t end_ns = 0;

    for (unsigned i = 1; i < count; i++) {
        if (began_ns(profiles[i]) < began_ns(first))
            first = profiles[i];
    }
    info = *profile_info(first);
    config.slice_ns = profile_slice_ns(first);
    history = history_new(&config);
    for (unsigned i = 0; i < count; i++) {
        /* From that session's clock to the first one's. */
        int64_t shift_ns = profile_info(profiles[i])->realtime_offset_ns - info.realtime_offset_ns;
        uint64_t until_ns = profile_end_ns(profiles[i]) + (uint64_t)shift_ns;

        history_graft(history, profiles[i], 0, UINT64_MAX, shift_ns, &next_module);
        end_ns = until_ns > end_ns ? until_ns : end_ns;
    }
    history_advance(history, end_ns);
    merged = history_profile(history, true);
    history_free(history);
    return merged;
}

struct profile *session_open_all(const char *const *paths, unsigned count, struct error *error)
{
    struct profile **profiles = xcalloc(count, sizeof(struct profile *)), *merged = NULL;
    unsigned opened = 0;

    while (opened < count && (profiles[opened] = session_open(paths[opened], error)) != NULL)
        opened++;
    if (opened == count && count > 0)
        merged = count == 1 ? profile_ref(profiles[0]) : merge(profiles, count);
    for (unsigned i = 0; i < opened; i++)
        profile_unref(profiles[i]);
    free(profiles);
    return merged;
}

/* ---- following ------------------------------------------------------------------------------- */

struct session_follower {
    struct session_reader *reader;
    bool given; /* what was there at the start */
};

struct session_follower *session_follow(const char *path, struct error *error)
{
    struct session_follower *follower = xcalloc(1, sizeof(*follower));
    bool any;

    follower->reader = reader_new(path, true);
    if (reader_load(follower->reader, &any, error))
        return follower;
    session_follow_end(follower);
    return NULL;
}

struct profile *session_follow_next(struct session_follower *follower, struct error *error)
{
    bool any;

    if (!reader_load(follower->reader, &any, error) || (follower->given && !any))
        return NULL;
    follower->given = true;
    return reader_profile(follower->reader);
}

void session_follow_end(struct session_follower *follower)
{
    if (follower == NULL)
        return;
    reader_free(follower->reader);
    free(follower);
}
