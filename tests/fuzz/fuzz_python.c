/* SPDX-License-Identifier: MIT */
/*
 * Hostile memory of a Python process: whatever it holds, the native frames come out in order.
 *
 *     byte 0    which version's layout: 0, 5 as the image publishes it, else 3.8–3.12
 *     then      an image of memory, put at IMAGE: the runtime first, behind it at 1024 the address
 * of the thread state; what lies behind 8192 is the stack as well
 *
 * The image is also read as a line table of each kind.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "src/unwind/python/interpreter.h"
#include "src/unwind/python/lines.h"
#include "tests/fuzz/fuzz.h"

#define IMAGE UINT64_C(0x200000000)

enum { IMAGE_BYTES = 64 << 10, STATE_AT = 1024, STACK_AT = 8192, NATIVE = 6, LIMIT = 64 };

static uint8_t *image(void)
{
    static uint8_t *mapped;

    if (mapped == NULL)
        mapped = mmap((void *)(uintptr_t)IMAGE, IMAGE_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return mapped;
}

static void read_lines(const uint8_t *table, size_t size)
{
    for (int kind = LINES_LNOTAB; kind <= LINES_LOCATIONS; kind++) {
        for (int64_t instruction = -1; instruction < 200; instruction += 67)
            FUZZ_CHECK(python_line((enum python_lines)kind, table, size, 7, instruction) > 0);
    }
}

static bool choose_offsets(struct python *python, unsigned which)
{
    static const uint16_t known[] = { 0, 0x0308, 0x0309, 0x030a, 0x030b, 0, 0x030c };
    uint16_t version = known[which % (sizeof(known) / sizeof(known[0]))];
    struct error error;

    if (version == 0)
        return python_offsets_published(image(), &python->offsets, &error);
    python->offsets = *python_offsets_known(version);
    return true;
}

/* One thread, whose state is wherever the image says. */
static void add_thread(struct python *python)
{
    struct thread *thread = xcalloc(1, sizeof(*thread));
    uint8_t state[THREAD_BYTES];

    *thread = (struct thread){ .tid = 1, .inner_tid = 1, .state_count = 1 };
    thread->states[0] = python_word(image(), STATE_AT);
    thread->locks[0] = IMAGE;
    if (python_read(python, thread->states[0], state, sizeof(state)))
        thread->owners[0] = python_state_owner(python, state);
    python->threads = thread;
    python->thread_count = python->thread_capacity = 1;
}

static void sample(struct python *python)
{
    const struct frozen frozen = { .pid = python->pid,
                                   .tid = 1,
                                   .stack = image() + STACK_AT,
                                   .stack_start = IMAGE + STACK_AT,
                                   .stack_size = IMAGE_BYTES / 2 };
    struct python_sample *taken = python_sample_new();
    struct frame frames[LIMIT];
    uint64_t stacks[LIMIT], before = 0;
    uint32_t count = NATIVE;

    for (uint32_t i = 0; i < NATIVE; i++) {
        frames[i] = (struct frame){ .kind = FRAME_NATIVE, .address = i + 1 };
        stacks[i] = IMAGE + STACK_AT + i * 512;
    }
    if (python_freeze(python, &frozen, taken))
        count = python_merge(python, taken, frames, stacks, count, LIMIT);
    FUZZ_CHECK(count <= LIMIT && count >= 1);
    for (uint32_t i = 0; i < count; i++) {
        FUZZ_CHECK(frames[i].kind != FRAME_PYTHON ||
                   codes_get(python->codes, frames[i].module) != NULL);
        if (frames[i].kind != FRAME_NATIVE)
            continue;
        FUZZ_CHECK(frames[i].address > before);
        before = frames[i].address;
    }
    python_sample_free(taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct python *python;

    if (size < 2 || image() != (uint8_t *)(uintptr_t)IMAGE)
        return 0;
    read_lines(data + 1, size - 1 < IMAGE_BYTES ? size - 1 : IMAGE_BYTES);
    memset(image(), 0, IMAGE_BYTES);
    memcpy(image(), data + 1, size - 1 < IMAGE_BYTES ? size - 1 : IMAGE_BYTES);
    python = xcalloc(1, sizeof(*python));
    python->proc_root = "/proc";
    python->pid = getpid();
    python->runtime = IMAGE;
    python->codes = codes_new();
    python->cache = python_code_cache_new();
    if (choose_offsets(python, data[0])) {
        python->frame_bytes = python_frame_bytes(&python->offsets);
        add_thread(python);
        sample(python);
        sample(python); /* with what is remembered */
        python_gil_holder(python);
        python_threads_look(python);
    }
    codes_free(python->codes);
    python_close(python);
    return 0;
}
