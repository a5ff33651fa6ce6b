/* SPDX-License-Identifier: MIT */
/* Keys as numbers, whatever the terminal sends for them. */
#ifndef PROFTOP_KEY_H
#define PROFTOP_KEY_H

/* Codes below KEYCODE_FIRST are characters (Unicode), control characters among them. */
enum keycode {
    KEYCODE_NONE = 0,
    KEYCODE_TAB = 9,
    KEYCODE_ENTER = 13,
    KEYCODE_ESCAPE = 27,
    KEYCODE_BACKSPACE = 127,
    KEYCODE_FIRST = 0x110000,
    KEYCODE_UP = KEYCODE_FIRST,
    KEYCODE_DOWN,
    KEYCODE_LEFT,
    KEYCODE_RIGHT,
    KEYCODE_PAGE_UP,
    KEYCODE_PAGE_DOWN,
    KEYCODE_HOME,
    KEYCODE_END,
    KEYCODE_DELETE,
    KEYCODE_INSERT,
    KEYCODE_BACK_TAB,
    KEYCODE_F1,
    KEYCODE_F12 = KEYCODE_F1 + 11,
    KEYCODE_MOUSE, /* the event says where */
    KEYCODE_RESIZE,
    KEYCODES
};

#endif
