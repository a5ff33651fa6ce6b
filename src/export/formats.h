/* SPDX-License-Identifier: MIT */
/* The formats, for the table in export.c. */
#ifndef EXPORT_FORMATS_H
#define EXPORT_FORMATS_H

#include "proftop/export.h"

extern const struct export_ops export_callgrind;
extern const struct export_ops export_csv;
extern const struct export_ops export_folded;
extern const struct export_ops export_html;
extern const struct export_ops export_json;
extern const struct export_ops export_perf_script;
extern const struct export_ops export_pprof;
extern const struct export_ops export_session;
extern const struct export_ops export_speedscope;
extern const struct export_ops export_svg;
extern const struct export_ops export_text;

#endif
