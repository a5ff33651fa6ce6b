/* SPDX-License-Identifier: MIT */
/* What a view says in place of rows, and of a row that is searched for: nothing without a reason
 * looks like a fault. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "proftop/gettext.h"
#include "views.h"

static bool is_whole_run(const struct screen_input *input)
{
    const struct scope *scope = input->scope;
    uint64_t run_ns = profile_end_ns(input->profile) - profile_start_ns(input->profile);

    if (scope->last_ns != 0)
        return input->ended && scope->last_ns >= run_ns;
    return scope->start_ns == 0 && scope->end_ns == UINT64_MAX;
}

static const char *reason(const struct screen_input *input)
{
    const struct scope *scope = input->scope;

    if (input->fold == NULL || (input->folding && input->fold->samples == 0))
        return _("Adding up…");
    if (strcmp(profile_info(input->profile)->source, "counters") == 0)
        return _("Only counters are recorded, nothing is sampled.  7 shows the machine's.");
    if (scope->filter[0] != '\0')
        return _("No samples match the filter.  Del clears it, Esc goes back.");
    if (scope->threads[0] != 0 || scope->thread_name[0] != '\0')
        return _("No samples of this thread in the range.  o: waiting too; Esc goes back.");
    if (scope->metric != METRIC_TIME)
        return _("Nothing of this metric was counted.  v chooses another, Esc goes back.");
    if (is_whole_run(input) && input->ended && scope->state == SCOPE_ON_CPU)
        return _("Too little CPU time for a sample.  -F 4999 looks more often; o: waiting too.");
    if (is_whole_run(input))
        return _("No samples of this kind in the whole run.  o: waiting too; Esc goes back.");
    if (input->ended)
        return _("No samples in this range.  w widens it to the whole run.");
    if (scope->state == SCOPE_ON_CPU)
        return _("N=0: it has not used the CPU in this range.  o shows what it waits for.");
    return _("N=0 in this range.");
}

struct request request_not_found(const struct screen_input *input)
{
    struct request request = { .kind = REQUEST_SAY };

    if (input->search == NULL || input->search[0] == '\0')
        snprintf(request.text, sizeof(request.text), "%s", _("nothing is searched for: / begins"));
    else
        snprintf(request.text, sizeof(request.text), _("not found: %.100s"), input->search);
    return request;
}

void render_empty(const struct screen_input *input, struct grid *grid, int row)
{
    grid_text(grid, row, 2, grid->columns - 2, ROLE_DIM, reason(input));
}
