/* SPDX-License-Identifier: MIT */
/* The views in the order of their tabs.  A new view is one line here. */
#include "config.h"

#include <string.h>

#include "proftop/view.h"
#include "views.h"

const struct view_ops *const view_table[] = {
    &top_view,  &tree_view,   &callers_view, &flame_view,  &threads_view,
    &time_view, &system_view, &source_view,  &output_view,
};

const unsigned view_count = sizeof(view_table) / sizeof(view_table[0]);

const struct view_ops *view_find(const char *name)
{
    for (unsigned i = 0; i < view_count; i++)
        if (strcmp(view_table[i]->name, name) == 0)
            return view_table[i];
    return NULL;
}
