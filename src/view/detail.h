/* SPDX-License-Identifier: MIT */
/* The detail pane: what is known of the function under the cursor, on screens of 36 rows and more.
 */
#ifndef VIEW_DETAIL_H
#define VIEW_DETAIL_H

#include "proftop/view.h"

void detail_render(const struct screen_input *input, struct grid *grid);

#endif
