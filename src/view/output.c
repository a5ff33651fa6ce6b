/* SPDX-License-Identifier: MIT */
/*
 * The launched command's terminal, through libvterm.
 *
 *     scrolled [oldest … newest]   a ring of at most LINES_MAX, each with its time
 *     screen   row 0 … rows-1      libvterm's, their times in row_time
 */
#include "config.h"

#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vterm.h>

#include "proftop/key.h"
#include "proftop/memory.h"
#include "proftop/text.h"

enum {
    LINES_MAX = 5000,
    ROWS_MIN = 5,
    ROWS_MAX = 500,
    COLUMNS_MIN = 20,
    COLUMNS_MAX = 500,
    PENDING_MAX = 4096 /* bytes typed that the command has not read yet */
};

struct line {
    struct cell *cells;
    int count; /* without trailing blanks */
    uint64_t time_ns;
};

struct output {
    VTerm *vterm;
    VTermScreen *screen;
    int columns, rows;
    VTermPos cursor;
    bool cursor_shown, alternate;
    struct line *scrolled; /* a ring */
    int scrolled_count, scrolled_first;
    uint64_t row_time[ROWS_MAX];
    uint64_t now_ns, version;
    char pending[PENDING_MAX];
    size_t pending_count;
};

/* ---- cells --------------------------------------------------------------------------------------
 */

/* One of the 256 colours nearest to an RGB one: the cube of 6×6×6. */
static int16_t nearest(const VTermColor *color)
{
    int red = (color->rgb.red * 5 + 127) / 255, green = (color->rgb.green * 5 + 127) / 255;
    int blue = (color->rgb.blue * 5 + 127) / 255;

    return (int16_t)(16 + 36 * red + 6 * green + blue);
}

static int16_t color_of(const VTermColor *color, bool is_default)
{
    if (is_default)
        return -1;
    return VTERM_COLOR_IS_INDEXED(color) ? (int16_t)color->indexed.idx : nearest(color);
}

static bool is_blank(const VTermScreenCell *cell)
{
    return (cell->chars[0] == 0 || cell->chars[0] == ' ') && VTERM_COLOR_IS_DEFAULT_BG(&cell->bg) &&
           !cell->attrs.reverse && !cell->attrs.underline;
}

static struct cell convert(const VTermScreenCell *from)
{
    struct cell cell = { .text = " ", .width = 1, .role = ROLE_TERMINAL };
    size_t used = 0;

    if (from->chars[0] == UINT32_MAX) { /* the right half of a wide character */
        cell.text[0] = '\0';
        cell.width = 0;
    } else {
        for (int i = 0;
             i < VTERM_MAX_CHARS_PER_CELL && from->chars[i] != 0 && used + 5 < sizeof(cell.text);
             i++)
            used += (size_t)text_encode(from->chars[i], cell.text + used);
        cell.width = from->width == 2 ? 2 : 1;
    }
    cell.style = (uint8_t)((from->attrs.bold ? STYLE_BOLD : 0) |
                           (from->attrs.underline ? STYLE_UNDERLINE : 0) |
                           (from->attrs.reverse ? STYLE_REVERSE : 0) |
                           (from->attrs.italic ? STYLE_ITALIC : 0));
    cell.foreground = color_of(&from->fg, VTERM_COLOR_IS_DEFAULT_FG(&from->fg));
    cell.background = color_of(&from->bg, VTERM_COLOR_IS_DEFAULT_BG(&from->bg));
    return cell;
}

/* ---- what libvterm tells ------------------------------------------------------------------------
 */

static struct line *ring_line(const struct output *output, int index)
{
    return &output->scrolled[(output->scrolled_first + index) % LINES_MAX];
}

/* Adds a line to those scrolled away; the oldest makes room. */
static void keep_line(struct output *output, const VTermScreenCell *cells, int count,
                      uint64_t time_ns)
{
    struct line *line;

    if (output->scrolled_count == LINES_MAX) {
        line = ring_line(output, 0);
        free(line->cells);
        output->scrolled_first = (output->scrolled_first + 1) % LINES_MAX;
        output->scrolled_count--;
    }
    line = ring_line(output, output->scrolled_count++);
    while (count > 0 && is_blank(&cells[count - 1]))
        count--;
    line->cells = xmalloc((size_t)count * sizeof(line->cells[0]));
    line->count = count;
    line->time_ns = time_ns;
    for (int i = 0; i < count; i++)
        line->cells[i] = convert(&cells[i]);
}

static int on_scrolled(int columns, const VTermScreenCell *cells, void *context)
{
    struct output *output = context;

    keep_line(output, cells, columns,
              output->row_time[0] != 0 ? output->row_time[0] : output->now_ns);
    memmove(output->row_time, output->row_time + 1,
            sizeof(output->row_time[0]) * (size_t)(output->rows - 1));
    output->row_time[output->rows - 1] = 0;
    return 1;
}

static int on_damage(VTermRect rect, void *context)
{
    struct output *output = context;

    for (int row = rect.start_row; row < rect.end_row && row < output->rows; row++)
        output->row_time[row] = output->now_ns;
    return 1;
}

/* The times of rows that scroll off the top have moved in on_scrolled(). */
static int on_moved(VTermRect to, VTermRect from, void *context)
{
    struct output *output = context;

    if (from.start_row > to.start_row)
        return 1;
    return on_damage(to, output);
}

static int on_cursor(VTermPos position, VTermPos old, int visible, void *context)
{
    struct output *output = context;

    (void)old;
    (void)visible;
    output->cursor = position;
    return 1;
}

static int on_property(VTermProp property, VTermValue *value, void *context)
{
    struct output *output = context;

    if (property == VTERM_PROP_CURSORVISIBLE)
        output->cursor_shown = value->boolean;
    if (property == VTERM_PROP_ALTSCREEN)
        output->alternate = value->boolean;
    return 1;
}

static const VTermScreenCallbacks callbacks = { .damage = on_damage,
                                                .moverect = on_moved,
                                                .movecursor = on_cursor,
                                                .settermprop = on_property,
                                                .sb_pushline = on_scrolled };

/* What the command is to read; what does not fit is dropped, as a terminal's own queue would. */
static void on_answer(const char *bytes, size_t count, void *context)
{
    struct output *output = context;

    if (count > PENDING_MAX - output->pending_count)
        count = PENDING_MAX - output->pending_count;
    memcpy(output->pending + output->pending_count, bytes, count);
    output->pending_count += count;
}

/* ---- public -------------------------------------------------------------------------------------
 */

/* Smaller ones than the least make libvterm 0.1 crash on hostile bytes. */
static int bounded(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

/* A fresh terminal of the size that OUTPUT has. */
static void start_terminal(struct output *output)
{
    output->vterm = vterm_new(output->rows, output->columns);
    if (output->vterm == NULL)
        die("no memory for the command's terminal");
    vterm_set_utf8(output->vterm, 1);
    vterm_output_set_callback(output->vterm, on_answer, output);
    output->screen = vterm_obtain_screen(output->vterm);
    vterm_screen_enable_altscreen(output->screen, 1);
    vterm_screen_set_damage_merge(output->screen, VTERM_DAMAGE_ROW);
    vterm_screen_set_callbacks(output->screen, &callbacks, output);
    memset(output->row_time, 0, sizeof(output->row_time));
    output->cursor = (VTermPos){ 0, 0 };
    output->cursor_shown = true;
    output->alternate = false;
    vterm_screen_reset(output->screen, 1);
    memset(output->row_time, 0, sizeof(output->row_time));
}

struct output *output_new(int columns, int rows)
{
    struct output *output = xcalloc(1, sizeof(*output));

    output->columns = bounded(columns, COLUMNS_MIN, COLUMNS_MAX);
    output->rows = bounded(rows, ROWS_MIN, ROWS_MAX);
    output->scrolled = xcalloc(LINES_MAX, sizeof(output->scrolled[0]));
    start_terminal(output);
    return output;
}

void output_free(struct output *output)
{
    if (output == NULL)
        return;
    vterm_free(output->vterm);
    for (int i = 0; i < output->scrolled_count; i++)
        free(ring_line(output, i)->cells);
    free(output->scrolled);
    free(output);
}

static bool row_is_blank(const struct output *output, int row)
{
    for (int column = 0; column < output->columns; column++) {
        VTermPos position = { .row = row, .col = column };
        VTermScreenCell cell;

        if (vterm_screen_get_cell(output->screen, position, &cell) && !is_blank(&cell))
            return false;
    }
    return true;
}

void output_feed(struct output *output, const char *bytes, size_t count, uint64_t now_ns)
{
    output->now_ns = now_ns;
    vterm_input_write(output->vterm, bytes, count);
    vterm_screen_flush_damage(output->screen);
    /* A row that scrolled within one write was never told as damage where it is now. */
    for (int row = 0; row < output->rows && row <= output->cursor.row; row++)
        if (output->row_time[row] == 0 && !row_is_blank(output, row))
            output->row_time[row] = now_ns;
    output->version++;
}

/* Rows of the screen down to the last that shows something or holds the cursor. */
static int rows_used(const struct output *output)
{
    int rows = output->rows;

    while (!output->alternate && rows > 1 && output->cursor.row < rows - 1 &&
           row_is_blank(output, rows - 1))
        rows--;
    return rows;
}

static void keep_screen(struct output *output)
{
    VTermScreenCell *cells = xcalloc((size_t)output->columns, sizeof(*cells));
    int rows = rows_used(output);

    if (rows == 1 && row_is_blank(output, 0))
        rows = 0;
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < output->columns; column++) {
            VTermPos position = { .row = row, .col = column };

            vterm_screen_get_cell(output->screen, position, &cells[column]);
        }
        keep_line(output, cells, output->columns, output->row_time[row]);
    }
    free(cells);
}

/*
 * libvterm 0.1 can crash on what a hostile command prints after vterm_set_size(), so a new size
 * gets a new terminal: what was on the screen joins the lines above, and a program that fills the
 * screen draws it again when told of the size.
 */
void output_resize(struct output *output, int columns, int rows)
{
    static const char enter_alternate[] = "\033[?1049h";
    bool alternate = output->alternate;

    columns = bounded(columns, COLUMNS_MIN, COLUMNS_MAX);
    rows = bounded(rows, ROWS_MIN, ROWS_MAX);
    if (columns == output->columns && rows == output->rows)
        return;
    if (!alternate)
        keep_screen(output);
    vterm_free(output->vterm);
    output->columns = columns;
    output->rows = rows;
    start_terminal(output);
    if (alternate)
        vterm_input_write(output->vterm, enter_alternate, sizeof(enter_alternate) - 1);
    output->version++;
}

void output_size(const struct output *output, int *columns, int *rows)
{
    *columns = output->columns;
    *rows = output->rows;
}

void output_type(struct output *output, uint32_t code)
{
    static const struct {
        uint32_t code;
        VTermKey key;
    } keys[] = {
        { KEYCODE_UP, VTERM_KEY_UP },          { KEYCODE_DOWN, VTERM_KEY_DOWN },
        { KEYCODE_LEFT, VTERM_KEY_LEFT },      { KEYCODE_RIGHT, VTERM_KEY_RIGHT },
        { KEYCODE_PAGE_UP, VTERM_KEY_PAGEUP }, { KEYCODE_PAGE_DOWN, VTERM_KEY_PAGEDOWN },
        { KEYCODE_HOME, VTERM_KEY_HOME },      { KEYCODE_END, VTERM_KEY_END },
        { KEYCODE_DELETE, VTERM_KEY_DEL },     { KEYCODE_INSERT, VTERM_KEY_INS },
        { KEYCODE_TAB, VTERM_KEY_TAB },        { KEYCODE_ENTER, VTERM_KEY_ENTER },
        { KEYCODE_ESCAPE, VTERM_KEY_ESCAPE },  { KEYCODE_BACKSPACE, VTERM_KEY_BACKSPACE },
    };
    char byte = (char)code;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].code == code) {
            vterm_keyboard_key(output->vterm, keys[i].key, VTERM_MOD_NONE);
            return;
        }
    if (code == KEYCODE_BACK_TAB)
        vterm_keyboard_key(output->vterm, VTERM_KEY_TAB, VTERM_MOD_SHIFT);
    else if (code >= KEYCODE_F1 && code <= KEYCODE_F12)
        vterm_keyboard_key(output->vterm, VTERM_KEY_FUNCTION(code - KEYCODE_F1 + 1),
                           VTERM_MOD_NONE);
    else if (code < 0x20)
        on_answer(&byte, 1, output); /* a control character, as it is */
    else if (code < KEYCODE_FIRST)
        vterm_keyboard_unichar(output->vterm, code, VTERM_MOD_NONE);
}

size_t output_take(struct output *output, char *buffer, size_t size_bytes)
{
    size_t count = output->pending_count < size_bytes ? output->pending_count : size_bytes;

    memcpy(buffer, output->pending, count);
    memmove(output->pending, output->pending + count, output->pending_count - count);
    output->pending_count -= count;
    return count;
}

int output_scrolled(const struct output *output)
{
    return output->alternate ? 0 : output->scrolled_count;
}

int output_lines(const struct output *output)
{
    return output_scrolled(output) + rows_used(output);
}

static bool screen_cell(const struct output *output, int row, int column, struct cell *cell)
{
    VTermPos position = { .row = row, .col = column };
    VTermScreenCell from;

    if (!vterm_screen_get_cell(output->screen, position, &from))
        return false;
    *cell = convert(&from);
    return true;
}

/* The cell of LINE at COLUMN; false past the end of the line. */
static bool cell_at(const struct output *output, int line, int column, struct cell *cell)
{
    int scrolled = output_scrolled(output);

    if (line >= scrolled)
        return line - scrolled < output->rows && column < output->columns &&
               screen_cell(output, line - scrolled, column, cell);
    if (column >= ring_line(output, line)->count)
        return false;
    *cell = ring_line(output, line)->cells[column];
    return true;
}

void output_draw(const struct output *output, int line, struct grid *grid, int row, int column,
                 int columns)
{
    struct cell cell;

    if (line < 0 || line >= output_lines(output))
        return;
    for (int i = 0; i < columns && cell_at(output, line, i, &cell); i++) {
        struct cell *at;

        if (cell.width == 0 || grid_text(grid, row, column + i, cell.width, ROLE_TERMINAL,
                                         cell.text[0] != '\0' ? cell.text : " ") == 0)
            continue;
        at = grid_at(grid, row, column + i);
        at->style = cell.style;
        at->foreground = cell.foreground;
        at->background = cell.background;
    }
}

uint64_t output_line_time(const struct output *output, int line)
{
    int scrolled = output_scrolled(output);

    if (line < 0 || line >= output_lines(output))
        return 0;
    return line < scrolled ? ring_line(output, line)->time_ns : output->row_time[line - scrolled];
}

void output_line_text(const struct output *output, int line, char *buffer, size_t size_bytes)
{
    struct cell cell;
    size_t used = 0;

    buffer[0] = '\0';
    for (int i = 0; cell_at(output, line, i, &cell); i++) {
        size_t length = strlen(cell.text);

        if (used + length + 1 > size_bytes)
            break;
        memcpy(buffer + used, cell.text, length + 1);
        used += length;
    }
}

bool output_cursor(const struct output *output, int *column, int *row)
{
    *column = output->cursor.col;
    *row = output->cursor.row;
    return output->cursor_shown;
}

uint64_t output_version(const struct output *output)
{
    return output->version;
}
