/* SPDX-License-Identifier: MIT */
/*
 * Writes protocol buffers: the four things that pprof's profile.proto is made of.  A message inside
 * a message is written to a buffer of its own first, because its length comes before it.
 */
#ifndef EXPORT_PROTOBUF_H
#define EXPORT_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

/* Starts zeroed; ends with protobuf_fini().  Setting size_bytes to 0 uses it again. */
struct protobuf {
    uint8_t *bytes;
    size_t size_bytes, capacity;
};

void protobuf_fini(struct protobuf *buffer);
void protobuf_varint(struct protobuf *buffer, uint64_t value); /* without a field: packed lists */
void protobuf_number(struct protobuf *buffer, unsigned field, uint64_t value); /* 0: left out */
void protobuf_bytes(struct protobuf *buffer, unsigned field, const void *bytes, size_t size_bytes);
void protobuf_message(struct protobuf *buffer, unsigned field, const struct protobuf *message);

#endif
