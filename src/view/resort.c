/* SPDX-License-Identifier: MIT */
/* When rows may change places. */
#include "config.h"

#include "resort.h"

#include "proftop/clock.h"
#include "proftop/profile.h"

/* SORT: a refresh of a second comes some milliseconds early at times. */
enum { REST_MS = 2000, SORT_MS = 950 };

bool resort_waits(const struct screen_input *input)
{
    return input->now_ns < input->key_ns + REST_MS * NS_PER_MS;
}

/* The recording was, up to where it is shown. */
static bool is_young(const struct screen_input *input)
{
    const struct profile *profile = input->fold->profile;

    return profile_end_ns(profile) < profile_start_ns(profile) + VIEW_YOUNG_MS * NS_PER_MS;
}

bool resort_due(struct resort *resort, const struct screen_input *input)
{
    uint64_t seen_ns = resort->seen_ns;

    resort->seen_ns = input->now_ns;
    if (!resort->valid || resort->asked != input->asked)
        return true;
    if (input->now_ns > seen_ns + REST_MS * NS_PER_MS)
        return true;
    if (resort_waits(input))
        return false;
    return is_young(input) || input->now_ns >= resort->sorted_ns + SORT_MS * NS_PER_MS;
}

void resort_done(struct resort *resort, const struct screen_input *input, bool sorted)
{
    if (sorted)
        resort->sorted_ns = input->now_ns;
    resort->asked = input->asked;
    resort->valid = true;
}
