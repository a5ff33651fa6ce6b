/* SPDX-License-Identifier: MIT */
/* What the live screen and open share. */
#ifndef CLI_SCREENS_H
#define CLI_SCREENS_H

#include "proftop/options.h"
#include "proftop/profile.h"
#include "src/ui/screen.h"
#include "src/ui/settings.h"

/* Options of the command line over the person's choices; false for an unknown theme. */
bool screens_apply(const struct options *options, struct settings *settings, struct error *error);
struct terminal_options screens_looks(const struct options *options,
                                      const struct settings *settings);

/* Shows PROFILE (taken over), read from PATH, until the person leaves; the exit status, or -1. */
int screens_of_session(const struct options *options, struct tty *tty, struct profile *profile,
                       const char *path, struct error *error);

#endif
