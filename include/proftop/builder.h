/* SPDX-License-Identifier: MIT */
/*
 * The builder: merges the rings of all sources by time and makes slices of them.  Its functions run
 * on the builder thread; builder_profile() is for any thread.
 *
 *     ring ─┐
 *     ring ─┼─ merged up to the slowest watermark ─► open slice ─ sealed ─► profile
 *     ring ─┘
 */
#ifndef PROFTOP_BUILDER_H
#define PROFTOP_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/profile.h"
#include "proftop/record.h"
#include "proftop/ring.h"

struct builder;

struct builder_config {
    struct profile_info info; /* texts are copied */
    struct lanes *lanes;
    uint64_t slice_ns; /* 100 ms */
    /*
     * Called with the frames of each sample before they are interned (or NULL): symbols_settle(),
     * so that code which moves keeps the name it had then.
     */
    void (*settle)(void *context, struct frame *frames, uint32_t count);
    void *settle_context;
    size_t memory_max; /* older detail is merged above it; 0: the default */
};

struct builder *builder_new(const struct builder_config *config);
void builder_free(struct builder *builder);

/* A ring to read from; with WATERMARKS it holds back sealing. */
void builder_attach(struct builder *builder, struct ring *ring, bool watermarks);
/* Its source ended: what it holds is read, then it is forgotten. */
void builder_detach(struct builder *builder, struct ring *ring);

/* Reads what is there; seals what can be.  True when something was sealed or told. */
bool builder_step(struct builder *builder, uint64_t now_ns);
/* A sentence for the person, as of now. */
void builder_note(struct builder *builder, enum note_level level, const char *text);

/* Nothing more will come: seals everything. */
void builder_finish(struct builder *builder, int32_t exit_status);

/* The newest profile; the caller unrefs it. */
struct profile *builder_profile(struct builder *builder);

/* Receives each slice as it is sealed (the session writer). */
void builder_on_sealed(struct builder *builder,
                       void (*sealed)(void *context, const struct slice *slice), void *context);

#endif
