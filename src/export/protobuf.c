/* SPDX-License-Identifier: MIT */
/* Writes protocol buffers. */
#include "config.h"

#include "protobuf.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/varint.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

void protobuf_fini(struct protobuf *buffer)
{
    free(buffer->bytes);
}

static void reserve(struct protobuf *buffer, size_t size_bytes)
{
    buffer->bytes =
        array_reserve(buffer->bytes, &buffer->capacity, buffer->size_bytes + size_bytes, 1);
}

void protobuf_varint(struct protobuf *buffer, uint64_t value)
{
    reserve(buffer, VARINT_MAX);
    buffer->size_bytes =
        (size_t)(varint_put(buffer->bytes + buffer->size_bytes, value) - buffer->bytes);
}

void protobuf_number(struct protobuf *buffer, unsigned field, uint64_t value)
{
    if (value == 0)
        return;
    protobuf_varint(buffer, (uint64_t)field << 3 | WIRE_VARINT);
    protobuf_varint(buffer, value);
}

void protobuf_bytes(struct protobuf *buffer, unsigned field, const void *bytes, size_t size_bytes)
{
    protobuf_varint(buffer, (uint64_t)field << 3 | WIRE_BYTES);
    protobuf_varint(buffer, size_bytes);
    reserve(buffer, size_bytes);
    if (size_bytes > 0)
        memcpy(buffer->bytes + buffer->size_bytes, bytes, size_bytes);
    buffer->size_bytes += size_bytes;
}

void protobuf_message(struct protobuf *buffer, unsigned field, const struct protobuf *message)
{
    protobuf_bytes(buffer, field, message->bytes, message->size_bytes);
}
