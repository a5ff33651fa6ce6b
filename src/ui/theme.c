/* SPDX-License-Identifier: MIT */
/*
 * The themes, one table.  A colour is written for 256 colours and for 8; where there are none the
 * style alone has to do, so that every role that means something has one.
 */
#include "config.h"

#include "theme.h"

#include <string.h>

enum { NONE = -1, FLAMES = ROLE_FLAME_7 - ROLE_FLAME_0 + 1 };

struct paint {
    int16_t many, few; /* of 256, of 8; NONE: the terminal's own */
};

struct entry {
    struct paint foreground, background;
    uint8_t style;      /* always */
    uint8_t mono_style; /* where there are no colours */
    bool dim;           /* where the colour can't say it: A_DIM */
};

struct theme {
    const char *name;
    bool mono;
    struct entry entries[ROLES];
};

#define OWN                                                                                        \
    {                                                                                              \
        NONE, NONE                                                                                 \
    }
#define COMMON                                                                                     \
    [ROLE_NORMAL] = { OWN, OWN, 0, 0, false },                                                     \
    [ROLE_HEADER] = { OWN, OWN, STYLE_REVERSE, STYLE_REVERSE, false },                             \
    [ROLE_TITLE] = { OWN, OWN, STYLE_BOLD, STYLE_BOLD, false },                                    \
    [ROLE_SCOPE] = { OWN, OWN, 0, 0, false }, [ROLE_TAB] = { OWN, OWN, 0, 0, false },              \
    [ROLE_TAB_CHOSEN] = { OWN, OWN, STYLE_BOLD | STYLE_REVERSE, STYLE_BOLD | STYLE_REVERSE,        \
                          false },                                                                 \
    [ROLE_SELECTED] = { OWN, OWN, STYLE_REVERSE, STYLE_REVERSE, false },                           \
    [ROLE_TERMINAL] = { OWN, OWN, 0, 0, false }, [ROLE_KEY] = { OWN, OWN, 0, 0, false }

static const struct theme themes[] = {
    { "default",
      false,
      { COMMON, [ROLE_DIM] = { { 245, 7 }, OWN, 0, 0, true },
        [ROLE_LIBRARY] = { { 245, 7 }, OWN, 0, 0, true },
        [ROLE_KERNEL] = { { 176, 5 }, OWN, 0, 0, false }, [ROLE_PYTHON] = { OWN, OWN, 0, 0, false },
        [ROLE_JIT] = { { 80, 6 }, OWN, 0, 0, false },
        [ROLE_INLINE] = { OWN, OWN, STYLE_ITALIC, 0, false },
        [ROLE_BAR] = { { 71, 2 }, OWN, 0, 0, false },
        [ROLE_GOOD] = { { 71, 2 }, OWN, STYLE_BOLD, 0, false },
        [ROLE_WARN] = { { 178, 3 }, OWN, STYLE_BOLD, STYLE_BOLD, false },
        [ROLE_ALARM] = { { 203, 1 }, OWN, STYLE_BOLD, STYLE_BOLD | STYLE_REVERSE, false },
        [ROLE_KEY_TEXT] = { { 16, 0 }, { 73, 6 }, 0, STYLE_REVERSE, false },
        [ROLE_MATCH] = { { 16, 0 }, { 179, 3 }, 0, STYLE_UNDERLINE | STYLE_BOLD, false },
        [ROLE_RANGE] = { { 75, 6 }, OWN, STYLE_BOLD, STYLE_BOLD, false } } },
    { "light",
      false,
      { COMMON, [ROLE_DIM] = { { 242, 0 }, OWN, 0, 0, true },
        [ROLE_LIBRARY] = { { 242, 0 }, OWN, 0, 0, true },
        [ROLE_KERNEL] = { { 90, 5 }, OWN, 0, 0, false }, [ROLE_PYTHON] = { OWN, OWN, 0, 0, false },
        [ROLE_JIT] = { { 24, 4 }, OWN, 0, 0, false },
        [ROLE_INLINE] = { OWN, OWN, STYLE_ITALIC, 0, false },
        [ROLE_BAR] = { { 28, 2 }, OWN, 0, 0, false },
        [ROLE_GOOD] = { { 28, 2 }, OWN, STYLE_BOLD, 0, false },
        [ROLE_WARN] = { { 130, 5 }, OWN, STYLE_BOLD, STYLE_BOLD, false },
        [ROLE_ALARM] = { { 160, 1 }, OWN, STYLE_BOLD, STYLE_BOLD | STYLE_REVERSE, false },
        [ROLE_KEY_TEXT] = { { 231, 7 }, { 24, 4 }, 0, STYLE_REVERSE, false },
        [ROLE_MATCH] = { { 16, 0 }, { 222, 3 }, 0, STYLE_UNDERLINE | STYLE_BOLD, false },
        [ROLE_RANGE] = { { 25, 4 }, OWN, STYLE_BOLD, STYLE_BOLD, false } } },
    { "mono",
      true,
      { COMMON, [ROLE_DIM] = { OWN, OWN, 0, 0, true }, [ROLE_LIBRARY] = { OWN, OWN, 0, 0, true },
        [ROLE_KERNEL] = { OWN, OWN, 0, STYLE_UNDERLINE, false },
        [ROLE_WARN] = { OWN, OWN, 0, STYLE_BOLD, false },
        [ROLE_ALARM] = { OWN, OWN, 0, STYLE_BOLD | STYLE_REVERSE, false },
        [ROLE_KEY_TEXT] = { OWN, OWN, 0, STYLE_REVERSE, false },
        [ROLE_MATCH] = { OWN, OWN, 0, STYLE_UNDERLINE | STYLE_BOLD, false },
        [ROLE_RANGE] = { OWN, OWN, 0, STYLE_BOLD, false } } },
    { "colour-blind", /* blue and orange: told apart by everyone, also by lightness */
      false,
      { COMMON, [ROLE_DIM] = { { 245, 7 }, OWN, 0, 0, true },
        [ROLE_LIBRARY] = { { 245, 7 }, OWN, 0, 0, true },
        [ROLE_KERNEL] = { { 75, 6 }, OWN, 0, 0, false }, [ROLE_PYTHON] = { OWN, OWN, 0, 0, false },
        [ROLE_JIT] = { { 117, 6 }, OWN, 0, 0, false },
        [ROLE_INLINE] = { OWN, OWN, STYLE_ITALIC, 0, false },
        [ROLE_BAR] = { { 75, 4 }, OWN, 0, 0, false },
        [ROLE_GOOD] = { { 75, 4 }, OWN, STYLE_BOLD, 0, false },
        [ROLE_WARN] = { { 215, 3 }, OWN, STYLE_BOLD, STYLE_BOLD, false },
        [ROLE_ALARM] = { { 208, 3 },
                         OWN,
                         STYLE_BOLD | STYLE_UNDERLINE,
                         STYLE_BOLD | STYLE_REVERSE,
                         false },
        [ROLE_KEY_TEXT] = { { 16, 0 }, { 75, 6 }, 0, STYLE_REVERSE, false },
        [ROLE_MATCH] = { { 16, 0 }, { 215, 3 }, 0, STYLE_UNDERLINE | STYLE_BOLD, false },
        [ROLE_RANGE] = { { 215, 3 }, OWN, STYLE_BOLD, STYLE_BOLD, false } } },
};
enum { THEMES = sizeof(themes) / sizeof(themes[0]) };

/* Warm hues of one lightness, so that black reads on all of them. */
static const struct paint flames[FLAMES] = { { 209, 1 }, { 215, 3 }, { 221, 3 }, { 216, 1 },
                                             { 222, 3 }, { 210, 1 }, { 179, 3 }, { 173, 1 } };

const struct theme *theme_find(const char *name)
{
    for (unsigned i = 0; i < THEMES; i++)
        if (strcmp(themes[i].name, name) == 0)
            return &themes[i];
    return NULL;
}

const char *theme_name(unsigned index)
{
    return index < THEMES ? themes[index].name : NULL;
}

static int16_t paint(struct paint color, int colors)
{
    return colors >= 256 ? color.many : color.few;
}

struct look theme_look(const struct theme *theme, int colors, enum role role)
{
    const struct entry *entry = &theme->entries[role < ROLES ? role : ROLE_NORMAL];
    struct look look = { NONE, NONE, entry->style, entry->dim };

    if (role >= ROLE_FLAME_0 && role <= ROLE_FLAME_7) {
        if (colors < 8 || theme->mono) {
            look.style = role % 2 != 0 ? STYLE_REVERSE : 0;
            return look;
        }
        look.foreground = colors >= 256 ? 16 : 0;
        look.background = paint(flames[role - ROLE_FLAME_0], colors);
        return look;
    }
    if (colors < 8 || theme->mono) {
        look.style = entry->mono_style;
        return look;
    }
    look.foreground = paint(entry->foreground, colors);
    look.background = paint(entry->background, colors);
    if (colors >= 16)
        look.dim = false; /* a grey says it better than A_DIM, which some terminals can't draw */
    if (colors >= 16 && colors < 256 && entry->dim)
        look.foreground = 8;
    return look;
}
