/* SPDX-License-Identifier: MIT */
/* Scopes, and the words people write for a range of time. */
#include "config.h"

#include "proftop/scope.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"

/* Thirty years: a later moment is a slip of the finger. */
enum { SECONDS_MAX = 1000000000 };

/* A moment as it was written: seconds since the start, or a time of the day. */
struct moment {
    bool given, clock;
    uint64_t ns; /* from the start, or since midnight */
};

void scope_init(struct scope *scope)
{
    memset(scope, 0, sizeof(*scope)); /* padding too: scopes are compared whole */
    scope->end_ns = UINT64_MAX;
    scope->state = SCOPE_ON_CPU;
    scope->metric = METRIC_TIME;
}

bool scope_equal(const struct scope *a, const struct scope *b)
{
    return a->start_ns == b->start_ns && a->end_ns == b->end_ns && a->last_ns == b->last_ns &&
           memcmp(a->processes, b->processes, sizeof(a->processes)) == 0 &&
           memcmp(a->threads, b->threads, sizeof(a->threads)) == 0 &&
           strcmp(a->thread_name, b->thread_name) == 0 && a->state == b->state &&
           a->metric == b->metric && strcmp(a->filter, b->filter) == 0 &&
           a->hide_kernel == b->hide_kernel && a->hide_user == b->hide_user &&
           a->fold_libraries == b->fold_libraries && a->show_internal == b->show_internal &&
           strcmp(a->only_module, b->only_module) == 0;
}

/* ---- ranges ---------------------------------------------------------------------------------- */

/* Up to nine digits; false when there is none or there are more. */
static bool read_digits(const char **at, uint64_t *value, unsigned *count)
{
    *value = 0;
    for (*count = 0; isdigit((unsigned char)**at) && *count < 9; ++*count)
        *value = *value * 10 + (uint64_t)(*(*at)++ - '0');
    return *count > 0 && !isdigit((unsigned char)**at);
}

/* A fraction behind a point, as nanoseconds; digits beyond the ninth are left out. */
static uint64_t read_fraction(const char **at)
{
    uint64_t ns = 0, unit = NS_PER_S / 10;

    for (; isdigit((unsigned char)**at); ++*at, unit /= 10)
        ns += (uint64_t)(**at - '0') * unit;
    return ns;
}

/* "12", "12.5", "1:04" and "1:04:30" are from the start; "12:30:21" is a time of the day. */
static bool read_moment(const char *text, const char *end, struct moment *moment)
{
    uint64_t fields[3] = { 0 }, seconds = 0;
    unsigned count = 0, digits, first_digits = 0;

    *moment = (struct moment){ .given = text != end };
    if (text == end)
        return true;
    for (;;) {
        if (count == 3 || !read_digits(&text, &fields[count], &digits))
            return false;
        if (count++ == 0)
            first_digits = digits;
        else if (fields[count - 1] > 59 || digits != 2)
            return false;
        if (*text != ':')
            break;
        text++;
    }
    for (unsigned i = 0; i < count; i++)
        seconds = seconds * 60 + fields[i];
    if (seconds > SECONDS_MAX)
        return false;
    moment->clock = count == 3 && first_digits == 2 && fields[0] < 24;
    moment->ns = seconds * NS_PER_S;
    if (*text == '.' && isdigit((unsigned char)text[1])) {
        text++;
        moment->ns += read_fraction(&text);
    }
    if (*text == 's' && count == 1)
        text++;
    return text == end;
}

/* The first moment at or after the start of the profile that has this time of the day. */
static uint64_t clock_to_ns(uint64_t ns_of_day, uint64_t start_ns, int64_t realtime_offset_ns)
{
    const int64_t day_s = 24 * 60 * 60, late_s = 12 * 60 * 60;
    time_t start_s = (time_t)(((int64_t)start_ns + realtime_offset_ns) / (int64_t)NS_PER_S);
    int64_t wanted_s = (int64_t)(ns_of_day / NS_PER_S), began_s, after_s, rest_ns;
    struct tm local;

    localtime_r(&start_s, &local);
    began_s = local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec;
    after_s = (wanted_s - began_s + day_s) % day_s;
    if (after_s > late_s) /* a little before the start rather than most of a day after it */
        return start_ns;
    rest_ns = ((int64_t)start_ns + realtime_offset_ns) % (int64_t)NS_PER_S;
    return start_ns + (uint64_t)(after_s * (int64_t)NS_PER_S) + ns_of_day % NS_PER_S -
           (uint64_t)(after_s > 0 ? rest_ns : 0);
}

static uint64_t moment_ns(const struct moment *moment, uint64_t start_ns,
                          int64_t realtime_offset_ns)
{
    return moment->clock ? clock_to_ns(moment->ns, start_ns, realtime_offset_ns)
                         : start_ns + moment->ns;
}

bool scope_parse_range(struct scope *scope, const char *text, uint64_t profile_start_ns,
                       int64_t realtime_offset_ns, struct error *error)
{
    const char *dots = strstr(text, "..");
    struct moment from, to;
    uint64_t start_ns, end_ns;

    if (dots == NULL || !read_moment(text, dots, &from) ||
        !read_moment(dots + 2, dots + strlen(dots), &to)) {
        error_set(error, STATUS_USAGE, _("“%s” is not a range of time"), text);
        error_hint(error, _("write A..B in seconds from the start (12.5..30) or as clock times "
                            "(12:30:21..12:30:40); either end may be left out"));
        return false;
    }
    start_ns = from.given ? moment_ns(&from, profile_start_ns, realtime_offset_ns) : 0;
    end_ns = to.given ? moment_ns(&to, profile_start_ns, realtime_offset_ns) : UINT64_MAX;
    if (start_ns >= end_ns)
        return error_set(error, STATUS_USAGE, _("the range “%s” ends before it begins"), text);
    scope->start_ns = start_ns;
    scope->end_ns = end_ns;
    scope->last_ns = 0;
    return true;
}
