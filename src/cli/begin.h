/* SPDX-License-Identifier: MIT */
/* Beginning to sample, as the live screen and record both do. */
#ifndef CLI_BEGIN_H
#define CLI_BEGIN_H

#include "proftop/engine.h"
#include "proftop/options.h"
#include "proftop/target.h"

/* What OPTIONS ask of the engine; the target and the session's path are the caller's to add. */
struct engine_config begin_config(const struct options *options);

/* Attaches or launches; with TERMINAL a launched command runs on a pty of that size. */
struct target *begin_target(const struct options *options, const struct target_terminal *terminal,
                            struct error *error);

#endif
