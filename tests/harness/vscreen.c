/* SPDX-License-Identifier: MIT */
/* libvterm's screen as text: rows, and runs of attributes. */
#include "config.h"

#include "tests/harness/vscreen.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vterm.h>

#include "proftop/memory.h"

struct vscreen {
    VTerm *vterm;
    VTermScreen *screen;
    VTermPos cursor;
    bool visible, alternate, mouse;
};

static int on_cursor(VTermPos position, VTermPos old, int visible, void *context)
{
    struct vscreen *screen = context;

    (void)old;
    (void)visible;
    screen->cursor = position;
    return 1;
}

static int on_property(VTermProp property, VTermValue *value, void *context)
{
    struct vscreen *screen = context;

    switch (property) {
    case VTERM_PROP_CURSORVISIBLE:
        screen->visible = value->boolean;
        break;
    case VTERM_PROP_ALTSCREEN:
        screen->alternate = value->boolean;
        break;
    case VTERM_PROP_MOUSE:
        screen->mouse = value->number != VTERM_PROP_MOUSE_NONE;
        break;
    default:
        break;
    }
    return 1;
}

static const VTermScreenCallbacks callbacks = {
    .movecursor = on_cursor,
    .settermprop = on_property,
};

struct vscreen *vscreen_new(int columns, int rows)
{
    struct vscreen *screen = xcalloc(1, sizeof(*screen));

    screen->vterm = vterm_new(rows, columns);
    if (screen->vterm == NULL)
        die("no terminal of %d columns and %d rows", columns, rows);
    vterm_set_utf8(screen->vterm, 1);
    screen->screen = vterm_obtain_screen(screen->vterm);
    vterm_screen_enable_altscreen(screen->screen, 1);
    vterm_screen_set_callbacks(screen->screen, &callbacks, screen);
    screen->visible = true;
    vterm_screen_reset(screen->screen, 1);
    return screen;
}

void vscreen_free(struct vscreen *screen)
{
    if (screen == NULL)
        return;
    vterm_free(screen->vterm);
    free(screen);
}

size_t vscreen_feed(struct vscreen *screen, const char *bytes, size_t size, char *answer,
                    size_t answer_size)
{
    vterm_input_write(screen->vterm, bytes, size);
    vterm_screen_flush_damage(screen->screen);
    return vterm_output_read(screen->vterm, answer, answer_size);
}

void vscreen_resize(struct vscreen *screen, int columns, int rows)
{
    vterm_set_size(screen->vterm, rows, columns);
}

int vscreen_columns(const struct vscreen *screen)
{
    int rows, columns;

    vterm_get_size(screen->vterm, &rows, &columns);
    return columns;
}

int vscreen_rows(const struct vscreen *screen)
{
    int rows, columns;

    vterm_get_size(screen->vterm, &rows, &columns);
    return rows;
}

static VTermScreenCell cell_at(const struct vscreen *screen, int column, int row)
{
    VTermPos position = { .row = row, .col = column };
    VTermScreenCell cell;

    memset(&cell, 0, sizeof(cell));
    vterm_screen_get_cell(screen->screen, position, &cell);
    return cell;
}

static void put_utf8(FILE *out, uint32_t character)
{
    if (character < 0x80) {
        fputc((int)character, out);
    } else if (character < 0x800) {
        fprintf(out, "%c%c", 0xc0 | (int)(character >> 6), 0x80 | (int)(character & 0x3f));
    } else if (character < 0x10000) {
        fprintf(out, "%c%c%c", 0xe0 | (int)(character >> 12), 0x80 | (int)(character >> 6 & 0x3f),
                0x80 | (int)(character & 0x3f));
    } else {
        fprintf(out, "%c%c%c%c", 0xf0 | (int)(character >> 18 & 7),
                0x80 | (int)(character >> 12 & 0x3f), 0x80 | (int)(character >> 6 & 0x3f),
                0x80 | (int)(character & 0x3f));
    }
}

static bool is_blank(const VTermScreenCell *cell)
{
    return cell->chars[0] == 0 || cell->chars[0] == ' ';
}

static void put_row(const struct vscreen *screen, int row, FILE *out)
{
    int end = vscreen_columns(screen);

    while (end > 0) {
        VTermScreenCell cell = cell_at(screen, end - 1, row);

        if (!is_blank(&cell))
            break;
        end--;
    }
    for (int column = 0; column < end; column++) {
        VTermScreenCell cell = cell_at(screen, column, row);

        if (cell.chars[0] == UINT32_MAX) /* the right half of a wide character */
            continue;
        if (cell.chars[0] == 0)
            fputc(' ', out);
        for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] != 0; i++)
            put_utf8(out, cell.chars[i]);
    }
    fputc('\n', out);
}

static FILE *open_text(char **text, size_t *size)
{
    FILE *out = open_memstream(text, size);

    if (out == NULL)
        die("out of memory (a screen)");
    return out;
}

char *vscreen_text(const struct vscreen *screen, int first, int end)
{
    char *text;
    size_t size;
    FILE *out = open_text(&text, &size);

    for (int row = first; row < end; row++)
        put_row(screen, row, out);
    fclose(out);
    return text;
}

static void describe_color(char *words, size_t size, const char *which, const VTermColor *color)
{
    size_t length = strlen(words);

    if (VTERM_COLOR_IS_DEFAULT_FG(color) || VTERM_COLOR_IS_DEFAULT_BG(color))
        return;
    if (VTERM_COLOR_IS_INDEXED(color))
        snprintf(words + length, size - length, " %s=%d", which, color->indexed.idx);
    else
        snprintf(words + length, size - length, " %s=#%02x%02x%02x", which, color->rgb.red,
                 color->rgb.green, color->rgb.blue);
}

static void describe(const VTermScreenCell *cell, char *words, size_t size)
{
    snprintf(words, size, "%s%s%s%s%s", cell->attrs.bold ? " bold" : "",
             cell->attrs.underline ? " underline" : "", cell->attrs.italic ? " italic" : "",
             cell->attrs.blink ? " blink" : "", cell->attrs.reverse ? " reverse" : "");
    describe_color(words, size, "fg", &cell->fg);
    describe_color(words, size, "bg", &cell->bg);
}

char *vscreen_attributes(const struct vscreen *screen)
{
    int rows = vscreen_rows(screen), columns = vscreen_columns(screen);
    char *text;
    size_t size;
    FILE *out = open_text(&text, &size);

    for (int row = 0; row < rows; row++) {
        char run[96] = "";
        int begin = 0;

        for (int column = 0; column <= columns; column++) {
            char words[96] = "";

            if (column < columns) {
                VTermScreenCell cell = cell_at(screen, column, row);

                describe(&cell, words, sizeof(words));
            }
            if (column < columns && strcmp(words, run) == 0)
                continue;
            if (run[0] != '\0')
                fprintf(out, "%d %d-%d%s\n", row, begin, column - 1, run);
            strcpy(run, words);
            begin = column;
        }
    }
    fclose(out);
    return text;
}

void vscreen_cursor(const struct vscreen *screen, int *column, int *row, bool *visible)
{
    *column = screen->cursor.col;
    *row = screen->cursor.row;
    *visible = screen->visible;
}

bool vscreen_is_alternate(const struct vscreen *screen)
{
    return screen->alternate;
}

bool vscreen_has_mouse(const struct vscreen *screen)
{
    return screen->mouse;
}
