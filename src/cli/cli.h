/* SPDX-License-Identifier: MIT */
/*
 * The subcommands.  Each gives the exit status, or -1 with ERROR filled; main() prints the error
 * and turns its code into the exit status, so that both happen in one place.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "proftop/error.h"
#include "proftop/options.h"

#endif
