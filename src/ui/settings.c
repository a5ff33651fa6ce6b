/* SPDX-License-Identifier: MIT */
/* The person's choices, their file and the words for them. */
#include "config.h"

#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "theme.h"

enum { CHOICES_MAX = 8, LINE_BYTES = 256 };

struct choice {
    const char *word; /* in the file */
    uint32_t value;
    const char *label; /* N_(), on the screen; NULL: the word */
};

struct setting {
    const char *name, *label;
    size_t offset; /* in struct settings; of THEME: its text */
    struct choice choices[CHOICES_MAX];
};

#define YES_NO                                                                                     \
    {                                                                                              \
        { "yes", 1, N_("yes") },                                                                   \
        {                                                                                          \
            "no", 0, N_("no")                                                                      \
        }                                                                                          \
    }
#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
    { "theme", N_("Theme"), AT(theme), { { NULL, 0, NULL } } },
    { "names",
      N_("Names"),
      AT(names),
      { { "short", 0, N_("short") }, { "full", 1, N_("full") }, { "raw", 2, N_("raw") } } },
    { "units",
      N_("Numbers"),
      AT(units),
      { { "share", 0, N_("shares of N") },
        { "cores", 1, N_("cores") },
        { "samples", 2, N_("samples") },
        { "seconds", 3, N_("seconds") } } },
    { "window",
      N_("A live view shows"),
      AT(window_s),
      { { "10", 10, N_("the last 10 s") },
        { "30", 30, N_("the last 30 s") },
        { "60", 60, N_("the last minute") },
        { "300", 300, N_("the last 5 minutes") },
        { "0", 0, N_("everything") } } },
    { "refresh",
      N_("New numbers every"),
      AT(refresh_ms),
      { { "250", 250, N_("0.25 s") },
        { "500", 500, N_("0.5 s") },
        { "1000", 1000, N_("1 s") },
        { "2000", 2000, N_("2 s") },
        { "5000", 5000, N_("5 s") } } },
    { "follow", N_("Cursor follows its function"), AT(follow), YES_NO },
    { "fold-libraries", N_("Fold runs of library frames"), AT(fold_libraries), YES_NO },
    { "hide-kernel", N_("Hide kernel frames"), AT(hide_kernel), YES_NO },
    { "mouse", N_("Mouse"), AT(mouse), YES_NO },
    { "ascii", N_("ASCII only"), AT(ascii), YES_NO },
    { "save-last", N_("Keep the recording as last.proftop"), AT(save_last), YES_NO },
};
enum { SETTINGS = sizeof(table) / sizeof(table[0]) };

void settings_init(struct settings *settings)
{
    *settings = (struct settings){ .theme = "default",
                                   .window_s = 10,
                                   .refresh_ms = 1000,
                                   .save_last = 1,
                                   .mouse = 1,
                                   .follow = 1 };
}

unsigned settings_count(void)
{
    return SETTINGS;
}

const char *settings_name(unsigned index)
{
    return table[index].name;
}

const char *settings_label(unsigned index)
{
    return _(table[index].label);
}

static bool is_theme(const struct setting *setting)
{
    return setting->choices[0].word == NULL;
}

static uint32_t *value_at(struct settings *settings, const struct setting *setting)
{
    return (uint32_t *)((char *)settings + setting->offset);
}

static uint32_t value_of(const struct settings *settings, const struct setting *setting)
{
    return *(const uint32_t *)((const char *)settings + setting->offset);
}

static unsigned choice_count(const struct setting *setting)
{
    unsigned count = 0;

    while (count < CHOICES_MAX && setting->choices[count].word != NULL)
        count++;
    return count;
}

static const struct choice *choice_of(const struct settings *settings,
                                      const struct setting *setting)
{
    unsigned count = choice_count(setting);

    for (unsigned i = 0; i < count; i++)
        if (setting->choices[i].value == value_of(settings, setting))
            return &setting->choices[i];
    return &setting->choices[0];
}

const char *settings_value(const struct settings *settings, unsigned index, char *buffer,
                           size_t size_bytes)
{
    const struct setting *setting = &table[index];

    if (is_theme(setting))
        snprintf(buffer, size_bytes, "%s", settings->theme);
    else
        snprintf(buffer, size_bytes, "%s", _(choice_of(settings, setting)->label));
    return buffer;
}

static void step_theme(struct settings *settings, int step)
{
    int count = 0, now = 0;

    for (; theme_name((unsigned)count) != NULL; count++)
        if (strcmp(theme_name((unsigned)count), settings->theme) == 0)
            now = count;
    now = (now + step + count) % count;
    snprintf(settings->theme, sizeof(settings->theme), "%s", theme_name((unsigned)now));
}

void settings_step(struct settings *settings, unsigned index, int step)
{
    const struct setting *setting = &table[index];
    int count = (int)choice_count(setting), now;

    if (is_theme(setting)) {
        step_theme(settings, step);
        return;
    }
    now = (int)(choice_of(settings, setting) - setting->choices);
    *value_at(settings, setting) = setting->choices[(now + step + count) % count].value;
}

bool settings_set(struct settings *settings, const char *name, const char *value)
{
    for (unsigned i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &table[i];

        if (strcmp(setting->name, name) != 0)
            continue;
        if (is_theme(setting)) {
            if (theme_find(value) == NULL)
                return false;
            snprintf(settings->theme, sizeof(settings->theme), "%s", value);
            return true;
        }
        for (unsigned k = 0; k < choice_count(setting); k++)
            if (strcmp(setting->choices[k].word, value) == 0) {
                *value_at(settings, setting) = setting->choices[k].value;
                return true;
            }
        return false;
    }
    return false;
}

/* ---- files --------------------------------------------------------------------------------------
 */

/* "$VARIABLE/proftop", or "$HOME/FALLBACK/proftop"; NULL without either. */
static char *folder_path(const char *variable, const char *fallback)
{
    const char *base = getenv(variable), *home = getenv("HOME");

    if (base != NULL && base[0] == '/')
        return xasprintf("%s/proftop", base);
    if (home != NULL && home[0] == '/')
        return xasprintf("%s/%s/proftop", home, fallback);
    return NULL;
}

/* Makes PATH and the folders above it. */
static bool make_folders(const char *path)
{
    char *copy = xstrdup(path);

    for (char *at = strchr(copy + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(copy, 0700); /* a failure shows when the last one is made */
        *at = '/';
    }
    free(copy);
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static char *strip(char *text)
{
    char *end;

    text += strspn(text, " \t");
    end = text + strlen(text);
    while (end > text && strchr(" \t\r\n", end[-1]) != NULL)
        *--end = '\0';
    return text;
}

void settings_load(struct settings *settings)
{
    char *folder = folder_path("XDG_CONFIG_HOME", ".config"), *path;
    char line[LINE_BYTES];
    FILE *file;

    if (folder == NULL)
        return;
    path = xasprintf("%s/settings", folder);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char *equals = strchr(line, '=');

        if (line[0] == '#' || equals == NULL)
            continue;
        *equals = '\0';
        settings_set(settings, strip(line), strip(equals + 1));
    }
    if (file != NULL)
        fclose(file);
    free(path);
    free(folder);
}

static void write_all(const struct settings *settings, FILE *file)
{
    fputs("# proftop's choices, written by its setup screen (F2)\n", file);
    for (unsigned i = 0; i < SETTINGS; i++)
        fprintf(file, "%s = %s\n", table[i].name,
                is_theme(&table[i]) ? settings->theme : choice_of(settings, &table[i])->word);
}

/* Written beside and renamed, so that a full disk leaves the old choices. */
bool settings_save(const struct settings *settings, struct error *error)
{
    char *folder = folder_path("XDG_CONFIG_HOME", ".config"), *path, *fresh;
    FILE *file = NULL;
    bool done;

    if (folder == NULL)
        return error_set(error, STATUS_FAILED,
                         _("no folder to keep the choices in: HOME is not set"));
    path = xasprintf("%s/settings", folder);
    fresh = xasprintf("%s.new", path);
    if (make_folders(folder))
        file = fopen(fresh, "we");
    done = file != NULL;
    if (file != NULL) {
        write_all(settings, file);
        done = fclose(file) == 0 && rename(fresh, path) == 0;
    }
    if (!done) {
        error_errno(error, errno, _("the choices could not be kept in %s: %s"), path,
                    strerror(errno));
        unlink(fresh);
    }
    free(fresh);
    free(path);
    free(folder);
    return done;
}

/* Held as long as the descriptor is open, whatever becomes of the process; -1: another has it. */
static int lock_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

char *settings_last_path(int *lock_fd)
{
    char *folder = folder_path("XDG_STATE_HOME", ".local/state"), *path = NULL;

    *lock_fd = -1;
    if (folder == NULL || !make_folders(folder)) {
        free(folder);
        return NULL;
    }
    for (int number = 1; number <= LAST_MAX && path == NULL; number++) {
        char *name =
            number == 1 ? xasprintf("%s/last", folder) : xasprintf("%s/last-%d", folder, number);
        char *lock = xasprintf("%s.lock", name);

        *lock_fd = lock_file(lock);
        if (*lock_fd >= 0)
            path = xasprintf("%s.proftop", name);
        free(lock);
        free(name);
    }
    free(folder);
    return path;
}
