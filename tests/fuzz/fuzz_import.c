/* SPDX-License-Identifier: MIT */
/* Folded stacks and perf script text from strangers: read, folded, and what came of it adds up. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "proftop/fold.h"
#include "proftop/profile.h"
#include "src/export/importer.h"
#include "tests/fuzz/fuzz.h"

static void check_fold(struct profile *profile, enum metric metric)
{
    struct folder *folder = folder_new();
    struct scope scope;
    struct fold *fold;
    uint64_t self = 0, samples = 0;

    scope_init(&scope);
    scope.metric = metric;
    fold = fold_update(folder, profile, &scope, NULL);
    FUZZ_CHECK(fold != NULL);
    for (uint32_t i = 0; i < fold->row_count; i++) {
        self += fold->rows[i].self;
        samples += fold->rows[i].self_samples;
        FUZZ_CHECK(fold->rows[i].self_samples <= fold->rows[i].total_samples);
    }
    FUZZ_CHECK(samples <= fold->samples && self <= fold->weight);
    fold_free(fold);
    folder_free(folder);
}

static void check_format(bool (*read)(struct importer *, FILE *, struct error *),
                         const uint8_t *data, size_t size)
{
    FILE *stream = fmemopen((void *)data, size, "r");
    struct importer *importer = importer_new("fuzz");
    struct profile *profile = NULL;
    struct error error = { 0 };

    if (read(importer, stream, &error))
        profile = importer_finish(importer);
    else
        FUZZ_CHECK(error.message[0] != '\0');
    if (profile != NULL) {
        check_fold(profile, METRIC_EVENT);
        check_fold(profile, METRIC_TIME);
    }
    profile_unref(profile);
    importer_free(importer);
    fclose(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    check_format(import_folded, data, size);
    check_format(import_perf_script, data, size);
    return 0;
}
