/* SPDX-License-Identifier: MIT */
/*
 * Golden files: what a test should produce, kept in tests/golden/.
 *
 *     make check TESTS=tests/test_view_top                             compares
 *     PROFTOP_GOLDEN=write make check TESTS=tests/test_view_top        writes them anew, to be read
 *                                                                      in the diff before the
 * commit
 */
#ifndef HARNESS_GOLDEN_H
#define HARNESS_GOLDEN_H

struct terminal;

/* Fails the test unless TEXT is the content of tests/golden/NAME; shows the first lines that
 * differ and leaves what was found in the build folder's tests/golden-found/NAME. */
void golden_check(const char *name, const char *text);

/* A terminal's text and attributes, in one file. */
void golden_check_terminal(const char *name, const struct terminal *terminal);

#endif
