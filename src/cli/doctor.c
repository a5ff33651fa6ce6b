/* SPDX-License-Identifier: MIT */
/* proftop doctor: what works here, what does not, why, and the smallest fix. */
#include "config.h"

#include "doctor.h"

#include <stdio.h>

#include "cli.h"
#include "proftop/gettext.h"
#include "proftop/json_writer.h"
#include "proftop/target.h"
#include "proftop/text.h"

enum { TITLE_COLUMNS = 46 };

static void print_finding(const struct ability *ability, const struct finding *finding)
{
    const char *title = _(ability->title);
    int blanks = TITLE_COLUMNS - text_width(title);

    printf("%-3s  %s", finding->works ? _("yes") : _("no"), title);
    if (finding->works && finding->why[0] != '\0')
        printf("%*s%s", blanks > 0 ? blanks : 1, "", finding->why);
    putchar('\n');
    if (!finding->works && finding->why[0] != '\0')
        printf("       %s %s\n", _("why:"), finding->why);
    if (!finding->works && finding->fix[0] != '\0')
        printf("       %s %s\n", _("fix:"), finding->fix);
}

static void put_finding(struct json *json, const struct ability *ability,
                        const struct finding *finding)
{
    json_object(json, NULL);
    json_string(json, "name", ability->name);
    json_bool(json, "works", finding->works);
    json_string(json, "why", finding->why);
    json_string(json, "fix", finding->fix);
    json_string(json, "title", _(ability->title));
    json_end(json);
}

/* A process that is not there is a mistake, not a finding. */
static bool check_process(const struct options *options, struct error *error)
{
    struct target_options wanted = { 0 };
    struct target *target;

    if (options->pid_count == 0)
        return true;
    target = target_attach(options->pids, 1, &wanted, error);
    target_free(target);
    return target != NULL || error->code == STATUS_DENIED;
}

int cli_doctor(const struct options *options, struct error *error)
{
    int32_t pid = options->pid_count > 0 ? options->pids[0] : 0;
    bool as_json;
    struct json json;

    if (!load_text_or_json(options, &as_json, error) || !check_process(options, error))
        return -1;
    json_begin(&json, stdout);
    if (as_json) {
        json_object(&json, NULL);
        json_string(&json, "schema", "proftop-doctor/1");
        json_array(&json, "abilities");
    }
    for (unsigned i = 0; i < doctor_ability_count; i++) {
        const struct ability *ability = &doctor_abilities[i];
        struct finding finding = { 0 };

        if (ability->of_process && pid == 0)
            continue;
        fflush(stdout); /* probes fork */
        ability->probe(pid, &finding);
        if (as_json)
            put_finding(&json, ability, &finding);
        else
            print_finding(ability, &finding);
    }
    if (as_json) {
        json_end(&json);
        json_end(&json);
    }
    return STATUS_OK;
}
