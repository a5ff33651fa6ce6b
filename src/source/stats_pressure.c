/* SPDX-License-Identifier: MIT */
/*
 * Pressure stall information: the share of each period in which some, or all, tasks waited for a
 * resource.  From the files' running totals, so that the resolution is the period and not the
 * kernel's ten seconds.
 */
#include "config.h"

#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/proc_file.h"
#include "proftop/system.h"

#define PERCENT_PER_US 1e-4 /* of a second */

enum { RESOURCES = 3 };

static const struct resource {
    const char *file;
    struct lane_kind some, full;
} resources[RESOURCES] = {
    { "pressure/cpu",
      { "psi.cpu.some", N_("PSI cpu some"), LANE_SYSTEM, UNIT_PERCENT, 100, true },
      { "psi.cpu.full", N_("PSI cpu full"), LANE_SYSTEM, UNIT_PERCENT, 100, true } },
    { "pressure/memory",
      { "psi.memory.some", N_("PSI mem some"), LANE_SYSTEM, UNIT_PERCENT, 100, true },
      { "psi.memory.full", N_("PSI mem full"), LANE_SYSTEM, UNIT_PERCENT, 100, true } },
    { "pressure/io",
      { "psi.io.some", N_("PSI io some"), LANE_SYSTEM, UNIT_PERCENT, 100, true },
      { "psi.io.full", N_("PSI io full"), LANE_SYSTEM, UNIT_PERCENT, 100, true } },
};

struct pressure_state {
    struct proc_file files[RESOURCES];
    struct meter some[RESOURCES], full[RESOURCES];
};

static void *pressure_open(struct round *round)
{
    struct pressure_state *state = xcalloc(1, sizeof(*state));

    for (size_t i = 0; i < RESOURCES; i++) {
        const char *reason;

        /* A kernel that was booted with psi=0 has the files, but reading fails. */
        if (proc_file_open(&state->files[i], round->proc_root, "%s", resources[i].file) &&
            proc_file_read(&state->files[i]) != NULL)
            continue;
        reason = errno == ENOENT || errno == EOPNOTSUPP
                     ? _("this kernel gives no pressure figures (CONFIG_PSI, psi=1)")
                     : strerror(errno);
        lane_absent(round, &resources[i].some, reason);
        lane_absent(round, &resources[i].full, reason);
        proc_file_close(&state->files[i]);
    }
    return state;
}

static void pressure_read(void *opaque, struct round *round)
{
    struct pressure_state *state = opaque;

    for (size_t i = 0; i < RESOURCES; i++) {
        const char *text = proc_file_read(&state->files[i]);
        struct system_pressure now;

        if (text == NULL || !system_parse_pressure(text, &now))
            continue;
        if (now.has_some)
            meter_put(round, &state->some[i], &resources[i].some, NULL, now.some_us,
                      PERCENT_PER_US);
        if (now.has_full)
            meter_put(round, &state->full[i], &resources[i].full, NULL, now.full_us,
                      PERCENT_PER_US);
    }
}

static void pressure_close(void *opaque)
{
    struct pressure_state *state = opaque;

    for (size_t i = 0; i < RESOURCES; i++)
        proc_file_close(&state->files[i]);
    free(state);
}

const struct stats_reader stats_pressure = { pressure_open, pressure_read, pressure_close };
