/* SPDX-License-Identifier: MIT */
/* The parts of the JSON report, which the HTML page holds too. */
#ifndef EXPORT_REPORT_JSON_H
#define EXPORT_REPORT_JSON_H

#include "proftop/fold.h"
#include "proftop/json_writer.h"

void json_session(struct json *json, const struct fold *fold);
void json_scope(struct json *json, const struct fold *fold);

/* time_json.c: the machine and the program, a bucket after the other; and who else was busy. */
void json_timeline(struct json *json, const struct fold *fold);

/* Members of an open object that say which function it is. */
void json_function(struct json *json, const struct function *function);

#endif
