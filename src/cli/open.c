/* SPDX-License-Identifier: MIT */
/* proftop open: the same screens on a recording, one that is still being written too. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "proftop/gettext.h"
#include "proftop/late_names.h"
#include "proftop/memory.h"
#include "proftop/session.h"
#include "screens.h"
#include "src/ui/loop.h"
#include "src/ui/script.h"
#include "src/ui/theme.h"

enum { SCRIPT_COLUMNS = 80, SCRIPT_ROWS = 24 };

bool screens_apply(const struct options *options, struct settings *settings, struct error *error)
{
    if (options->theme != NULL) {
        if (theme_find(options->theme) == NULL) {
            error_set(error, STATUS_USAGE, _("no theme is called \"%s\""), options->theme);
            error_hint(error, _("There are: default, light, mono, colour-blind."));
            return false;
        }
        snprintf(settings->theme, sizeof(settings->theme), "%s", options->theme);
    }
    if (options->ascii)
        settings->ascii = 1;
    if (!options->mouse)
        settings->mouse = 0;
    return true;
}

struct terminal_options screens_looks(const struct options *options,
                                      const struct settings *settings)
{
    return (struct terminal_options){ .theme = settings->theme,
                                      .ascii = settings->ascii != 0,
                                      .color = options->color,
                                      .mouse = settings->mouse != 0 };
}

/* "busy[8968]", from the command of the recording. */
static char *title_of(const struct profile *profile, const char *path)
{
    const char *command = profile_info(profile)->command, *word;
    size_t length;

    if (command == NULL || command[0] == '\0') {
        word = strrchr(path, '/');
        return xstrdup(word != NULL ? word + 1 : path);
    }
    word = command;
    length = strcspn(command, " ");
    for (const char *at = command; at < command + length; at++)
        if (*at == '/')
            word = at + 1;
    length -= (size_t)(word - command);
    return xasprintf("%.*s[%d]", (int)length, word, profile_info(profile)->pid);
}

static struct app *app_of(const struct options *options, const struct settings *settings,
                          struct profile *profile, const char *path, bool ascii, bool script,
                          struct error *error)
{
    char *title = title_of(profile, path);
    struct app_config config = { .title = title,
                                 .settings = *settings,
                                 .view = options->view_count != 0 ? options->views[0] : NULL,
                                 .synchronous = script,
                                 .ascii = ascii,
                                 .keep_settings = !script };
    struct app *app = NULL;

    if (load_scope(options, profile, &config.scope, error))
        app = app_new(&config);
    free(title);
    return app;
}

static int show(const struct options *options, struct settings *settings, struct tty *tty,
                struct profile *profile, const char *path, struct error *error)
{
    struct app *app = app_of(options, settings, profile, path, tty_ascii(tty), false, error);
    struct loop_config config = { .tty = tty, .app = app };

    if (app == NULL)
        return -1;
    if (!profile_ended(profile))
        config.follower = session_follow(path, error);
    if (options->debuginfod)
        config.late = late_names_start(profile);
    app_set_profile(app, profile, 0);
    loop_run(&config);
    late_names_end(config.late);
    session_follow_end(config.follower);
    app_free(app);
    return STATUS_OK;
}

int screens_of_session(const struct options *options, struct tty *tty, struct profile *profile,
                       const char *path, struct error *error)
{
    struct settings settings;
    int status = -1;

    settings_init(&settings);
    settings_load(&settings);
    if (screens_apply(options, &settings, error))
        status = show(options, &settings, tty, profile, path, error);
    profile_unref(profile);
    return status;
}

/* A script sees the choices as they are by default: it says the same for everybody. */
static int replay(const struct options *options, struct profile *profile, struct error *error)
{
    struct settings settings;
    struct app *app = NULL;
    FILE *script = strcmp(options->script, "-") == 0 ? stdin : fopen(options->script, "re");
    bool done = false;

    if (script == NULL) {
        error_errno(error, errno, _("cannot read %s: %s"), options->script, strerror(errno));
        return -1;
    }
    settings_init(&settings);
    if (screens_apply(options, &settings, error))
        app = app_of(options, &settings, profile, options->files[0], options->ascii, true, error);
    if (app != NULL) {
        load_names(options, profile);
        app_set_profile(app, profile, profile_end_ns(profile));
        done = script_run(app, script, options->script,
                          options->columns != 0 ? options->columns : SCRIPT_COLUMNS,
                          options->rows != 0 ? options->rows : SCRIPT_ROWS, stdout, error);
    }
    app_free(app);
    if (script != stdin)
        fclose(script);
    return done ? STATUS_OK : -1;
}

int cli_open(const struct options *options, struct error *error)
{
    struct profile *profile;
    struct terminal_options looks;
    struct settings settings;
    struct tty *tty;
    int status;

    if (options->script == NULL && !tty_check(error))
        return -1;
    profile = load_profile((const char *const *)options->files, options->file_count, error);
    if (profile == NULL)
        return -1;
    if (options->script != NULL) {
        status = replay(options, profile, error);
        profile_unref(profile);
        return status;
    }
    settings_init(&settings);
    settings_load(&settings);
    loop_signals();
    looks = screens_looks(options, &settings);
    tty = screens_apply(options, &settings, error) ? tty_open(&looks, error) : NULL;
    if (tty == NULL) {
        profile_unref(profile);
        return -1;
    }
    status = screens_of_session(options, tty, profile, options->files[0], error);
    tty_close(tty);
    return status;
}
