/* SPDX-License-Identifier: MIT */
/*
 * Keys: what a terminal sends, made neutral, and the actions they stand for.
 *
 *     screen_curses ─► struct key_event ─► keys_action() ─► enum action
 */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/action.h"
#include "proftop/key.h"
#include "proftop/view.h"

struct key_event {
    uint32_t code; /* a character, or enum keycode */
    struct mouse_event mouse;
};

/* The key called NAME ("^B", "F3", "PgUp", "Space", "a"), KEYCODE_NONE when there is none. */
uint32_t keys_parse(const char *name);
/* The other way; a buffer for one character. */
const char *keys_name(uint32_t code, char buffer[8]);

/* What CODE asks for while VIEW is shown. */
enum action keys_action(uint32_t code, const char *view);

/* ACTION means something in VIEW. */
bool keys_in_view(const struct action_info *info, const char *view);

#endif
