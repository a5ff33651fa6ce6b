/* SPDX-License-Identifier: MIT */
/*
 * The terminal through ncurses.  Cells that differ from what was last painted go to curses, which
 * finds the shortest way to write them.
 *
 *     grid ─► cells that changed ─► stdscr ─► doupdate ─► one byte to $PROFTOP_PAINTED_FD
 *
 * Signals and die() restore the terminal with what was saved before curses started: nothing in that
 * path allocates or takes a lock.
 */
#include "config.h"

#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include <curses.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "theme.h"

enum { ESCAPE_DELAY_MS = 25, DOUBLE_CLICK_MS = 400, COPY_MAX = 4096, MARKS_MAX = 5 };

/*
 * The terminal's own colours as a pair like any other.  To go back to pair 0 curses resets
 * everything, to this one it resets the colour: half the bytes, and it happens at every other word.
 */
enum { PLAIN_PAIR = 1 };

struct tty {
    SCREEN *screen;
    FILE *in, *out;
    bool own_in; /* IN is /dev/tty, opened here */
    const struct theme *theme;
    int colors;
    bool ascii, mouse;
    struct grid *shown; /* what was painted last; NULL: nothing */
    int painted_fd;     /* for tests; -1 */
    uint64_t press_ns;
    int press_row, press_column;
};

/*
 * What a dying program needs, set before curses changes anything.  The text leaves the alternate
 * screen and mouse mode and shows the cursor; terminals ignore what they don't know.
 */
static struct {
    struct termios before;
    _Atomic int fd; /* -1: nothing to restore */
} emergency = { .fd = -1 };

static const char restore_text[] = "\033[?1006l\033[?1002l\033[?1000l\033[?25h\033[0m\033[?1049l\r";

static void restore_terminal(void)
{
    int fd = atomic_exchange(&emergency.fd, -1);

    if (fd < 0)
        return;
    if (write(fd, restore_text, sizeof(restore_text) - 1) < 0)
        errno = 0; /* the terminal may be gone: there is nobody to tell */
    tcsetattr(fd, TCSANOW, &emergency.before);
}

static void on_fatal_signal(int number)
{
    restore_terminal();
    signal(number, SIG_DFL);
    raise(number);
}

static void catch_fatal_signals(void)
{
    static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
    struct sigaction action = { .sa_handler = on_fatal_signal, .sa_flags = (int)SA_RESETHAND };

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
}

/* ---- opening ------------------------------------------------------------------------------------
 */

bool tty_check(struct error *error)
{
    const char *term = getenv("TERM");

    if (!isatty(STDOUT_FILENO)) {
        error_set(error, STATUS_USAGE, _("the screen needs a terminal, and stdout is none"));
        error_hint(
            error,
            _("To write to a file or a pipe use \"proftop record\" and \"proftop report\"."));
        return false;
    }
    if (term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0) {
        error_set(error, STATUS_USAGE,
                  _("TERM is \"%s\": not a terminal that a screen can be drawn on"),
                  term != NULL ? term : "");
        error_hint(error,
                   _("Set TERM to what your terminal is, for instance TERM=xterm-256color; or use "
                     "\"proftop record\"."));
        return false;
    }
    return true;
}

static bool open_input(struct tty *tty, struct error *error)
{
    tty->in = stdin;
    if (isatty(STDIN_FILENO))
        return true;
    tty->in = fopen("/dev/tty", "re");
    tty->own_in = tty->in != NULL;
    if (tty->in == NULL)
        return error_errno(error, errno,
                           _("keys cannot be read: stdin is not a terminal and /dev/tty: %s"),
                           strerror(errno));
    return true;
}

static void choose_colors(struct tty *tty, const struct terminal_options *options)
{
    const char *no_color = getenv("NO_COLOR");

    tty->colors = 0;
    if (!options->color || (no_color != NULL && no_color[0] != '\0') || !has_colors())
        return;
    start_color();
    use_default_colors();
    tty->colors = COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : 8;
    init_pair(PLAIN_PAIR, -1, -1);
    bkgdset(COLOR_PAIR(PLAIN_PAIR) | ' ');
}

static void set_modes(struct tty *tty)
{
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    curs_set(0);
    if (getenv("ESCDELAY") == NULL)
        set_escdelay(ESCAPE_DELAY_MS);
    mouseinterval(0);
    tty_set_mouse(tty, tty->mouse);
}

static int painted_fd(void)
{
    const char *text = getenv("PROFTOP_PAINTED_FD");

    return text != NULL && text[0] != '\0' ? atoi(text) : -1;
}

struct tty *tty_open(const struct terminal_options *options, struct error *error)
{
    struct tty *tty;
    const char *term = getenv("TERM");

    if (!tty_check(error))
        return NULL;
    tty = xcalloc(1, sizeof(*tty));
    tty->painted_fd = painted_fd();
    if (!open_input(tty, error))
        goto fail;
    tty->out = stdout;
    tcgetattr(fileno(tty->in), &emergency.before);
    tty->screen = newterm(NULL, tty->out, tty->in);
    if (tty->screen == NULL) {
        error_set(error, STATUS_USAGE,
                  _("TERM is \"%s\": unknown to this system's terminal database"), term);
        error_hint(error,
                   _("Set TERM to one it knows, for instance TERM=xterm, or install the entry."));
        goto fail;
    }
    atomic_store(&emergency.fd, fileno(tty->in));
    die_hook(restore_terminal);
    catch_fatal_signals();
    tty->theme = theme_find(options->theme);
    if (tty->theme == NULL)
        tty->theme = theme_find("default");
    tty->mouse = options->mouse;
    tty->ascii =
        options->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0 || strcmp(term, "linux") == 0;
    choose_colors(tty, options);
    set_modes(tty);
    return tty;
fail:
    if (tty->own_in)
        fclose(tty->in);
    free(tty);
    return NULL;
}

void tty_close(struct tty *tty)
{
    if (tty == NULL)
        return;
    die_hook(NULL);
    tty_set_mouse(tty, false);
    endwin();
    if (atomic_exchange(&emergency.fd, -1) >= 0)
        tcsetattr(fileno(tty->in), TCSANOW, &emergency.before);
    delscreen(tty->screen);
    grid_free(tty->shown);
    if (tty->own_in)
        fclose(tty->in);
    free(tty);
}

/* ---- painting -----------------------------------------------------------------------------------
 */

void tty_size(const struct tty *tty, int *columns, int *rows)
{
    (void)tty;
    *columns = COLS;
    *rows = LINES;
}

void tty_resized(struct tty *tty)
{
    struct winsize size;

    if (ioctl(fileno(tty->out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return;
    if (size.ws_col != COLS || size.ws_row != LINES)
        resizeterm(size.ws_row, size.ws_col);
    tty_redraw(tty);
}

bool tty_ascii(const struct tty *tty)
{
    return tty->ascii;
}

static attr_t attributes_of(unsigned style, bool dim)
{
    attr_t attributes = A_NORMAL;

    if (style & STYLE_BOLD)
        attributes |= A_BOLD;
    if (style & STYLE_UNDERLINE)
        attributes |= A_UNDERLINE;
    if (style & STYLE_REVERSE)
        attributes |= A_REVERSE;
    if (style & STYLE_ITALIC)
        attributes |= A_ITALIC;
    if (dim)
        attributes |= A_DIM;
    return attributes;
}

static int16_t within(int16_t color, int colors)
{
    return color < colors ? color : color < 16 && colors >= 8 ? (int16_t)(color % 8) : -1;
}

static void put_cell(struct tty *tty, int row, int column, const struct cell *cell)
{
    struct look look = theme_look(tty->theme, tty->colors, cell->role);
    wchar_t text[MARKS_MAX + 1];
    int pair = 0;
    size_t length;
    cchar_t out;

    if (cell->role == ROLE_TERMINAL && tty->colors > 0) {
        look.foreground = within(cell->foreground, tty->colors);
        look.background = within(cell->background, tty->colors);
    }
    if (tty->colors > 0)
        pair = look.foreground >= 0 || look.background >= 0
                   ? alloc_pair(look.foreground, look.background)
                   : PLAIN_PAIR;
    length = mbstowcs(text, cell->text, MARKS_MAX);
    if (length == (size_t)-1 || length == 0) {
        text[0] = cell->text[0] == '\0' ? L' ' : L'?';
        length = 1;
    }
    text[length < MARKS_MAX ? length : MARKS_MAX] = L'\0';
    setcchar(&out, text, attributes_of(look.style | cell->style, look.dim), (short)pair,
             pair > 0 ? &pair : NULL);
    mvadd_wch(row, column, &out);
}

/* Byte by byte: what stands behind a text's end differs seldom, and then curses sees that nothing
 * is to be written. */
static bool same_cell(const struct cell *a, const struct cell *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static void tell_painted(const struct tty *tty)
{
    if (tty->painted_fd >= 0 && write(tty->painted_fd, "", 1) < 0)
        errno = 0; /* only a test listens */
}

void tty_paint(struct tty *tty, const struct grid *grid)
{
    bool all = tty->shown == NULL || tty->shown->columns != grid->columns ||
               tty->shown->rows != grid->rows;
    size_t count = (size_t)grid->columns * (size_t)grid->rows;

    if (all) {
        grid_free(tty->shown);
        tty->shown = grid_new(grid->columns, grid->rows, grid->ascii);
        erase();
    }
    for (int row = 0; row < grid->rows && row < LINES; row++)
        for (int column = 0; column < grid->columns && column < COLS; column++) {
            size_t at = (size_t)row * (size_t)grid->columns + (size_t)column;

            if (grid->cells[at].width != 0 &&
                (all || !same_cell(&grid->cells[at], &tty->shown->cells[at])))
                put_cell(tty, row, column, &grid->cells[at]);
        }
    memcpy(tty->shown->cells, grid->cells, count * sizeof(grid->cells[0]));
    if (grid->cursor_row >= 0) {
        curs_set(1);
        move(grid->cursor_row, grid->cursor_column);
    } else {
        curs_set(0);
        move(LINES - 1, 0);
    }
    wnoutrefresh(stdscr);
    doupdate();
    tell_painted(tty);
}

void tty_redraw(struct tty *tty)
{
    grid_free(tty->shown);
    tty->shown = NULL;
    clearok(stdscr, TRUE);
}

void tty_set_theme(struct tty *tty, const char *name)
{
    const struct theme *theme = theme_find(name);

    if (theme == NULL || theme == tty->theme)
        return;
    tty->theme = theme;
    grid_free(tty->shown);
    tty->shown = NULL;
}

/* ---- keys ---------------------------------------------------------------------------------------
 */

int tty_fd(const struct tty *tty)
{
    return fileno(tty->in);
}

/* Where the pointer did what, as curses tells it. */
static bool read_mouse(struct tty *tty, struct key_event *event)
{
    struct mouse_event *mouse = &event->mouse;
    uint64_t now = clock_now_ns();
    MEVENT from;

    if (getmouse(&from) != OK)
        return false;
    event->code = KEYCODE_MOUSE;
    mouse->row = from.y;
    mouse->column = from.x;
    if (from.bstate & BUTTON4_PRESSED) {
        mouse->kind = MOUSE_WHEEL_UP;
    } else if (from.bstate & BUTTON5_PRESSED) {
        mouse->kind = MOUSE_WHEEL_DOWN;
    } else if (from.bstate & BUTTON1_PRESSED) {
        bool twice = now - tty->press_ns < DOUBLE_CLICK_MS * NS_PER_MS &&
                     tty->press_row == from.y && tty->press_column == from.x;

        mouse->kind = twice ? MOUSE_DOUBLE : MOUSE_PRESS;
        tty->press_ns = twice ? 0 : now;
        tty->press_row = from.y;
        tty->press_column = from.x;
    } else if (from.bstate & BUTTON1_RELEASED) {
        mouse->kind = MOUSE_RELEASE;
    } else if (from.bstate & REPORT_MOUSE_POSITION) {
        mouse->kind = MOUSE_DRAG;
    } else {
        return false;
    }
    return true;
}

static uint32_t function_key(wint_t key)
{
    static const struct {
        wint_t from;
        uint32_t to;
    } table[] = {
        { KEY_UP, KEYCODE_UP },         { KEY_DOWN, KEYCODE_DOWN },
        { KEY_LEFT, KEYCODE_LEFT },     { KEY_RIGHT, KEYCODE_RIGHT },
        { KEY_PPAGE, KEYCODE_PAGE_UP }, { KEY_NPAGE, KEYCODE_PAGE_DOWN },
        { KEY_HOME, KEYCODE_HOME },     { KEY_END, KEYCODE_END },
        { KEY_DC, KEYCODE_DELETE },     { KEY_IC, KEYCODE_INSERT },
        { KEY_BTAB, KEYCODE_BACK_TAB }, { KEY_BACKSPACE, KEYCODE_BACKSPACE },
        { KEY_ENTER, KEYCODE_ENTER },   { KEY_RESIZE, KEYCODE_RESIZE },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].from == key)
            return table[i].to;
    if (key >= (wint_t)KEY_F(1) && key <= (wint_t)KEY_F(12))
        return KEYCODE_F1 + (key - (wint_t)KEY_F(1));
    return KEYCODE_NONE;
}

bool tty_key(struct tty *tty, struct key_event *event)
{
    wint_t key;
    int kind;

    while ((kind = get_wch(&key)) != ERR) {
        memset(event, 0, sizeof(*event));
        if (kind == KEY_CODE_YES && key == KEY_MOUSE) {
            if (read_mouse(tty, event))
                return true;
            continue;
        }
        event->code = kind == KEY_CODE_YES ? function_key(key) : (uint32_t)key;
        if (event->code != KEYCODE_NONE)
            return true;
    }
    return false;
}

/* ---- modes --------------------------------------------------------------------------------------
 */

static void write_out(struct tty *tty, const char *text)
{
    fputs(text, tty->out);
    fflush(tty->out);
}

void tty_set_mouse(struct tty *tty, bool on)
{
    mousemask(on ? ALL_MOUSE_EVENTS | REPORT_MOUSE_POSITION : 0, NULL);
    if (on)
        write_out(tty,
                  "\033[?1002h"); /* moves while a button is down: curses asks for clicks only */
    else if (tty->mouse)
        write_out(tty, "\033[?1002l");
    tty->mouse = on;
}

void tty_copy(struct tty *tty, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strnlen(text, COPY_MAX);
    char out[COPY_MAX * 4 / 3 + 8];
    size_t used = 0;

    for (size_t i = 0; i < length; i += 3) {
        uint32_t bits = (uint32_t)(unsigned char)text[i] << 16;

        if (i + 1 < length)
            bits |= (uint32_t)(unsigned char)text[i + 1] << 8;
        if (i + 2 < length)
            bits |= (uint32_t)(unsigned char)text[i + 2];
        out[used++] = digits[bits >> 18];
        out[used++] = digits[bits >> 12 & 63];
        out[used++] = i + 1 < length ? digits[bits >> 6 & 63] : '=';
        out[used++] = i + 2 < length ? digits[bits & 63] : '=';
    }
    out[used] = '\0';
    fprintf(tty->out, "\033]52;c;%s\a", out);
    fflush(tty->out);
}

void tty_leave(struct tty *tty)
{
    bool mouse = tty->mouse;

    tty_set_mouse(tty, false);
    tty->mouse = mouse; /* to come back to */
    endwin();
}

void tty_return(struct tty *tty)
{
    refresh();
    set_modes(tty);
    tty_resized(tty);
}
