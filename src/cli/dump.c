/* SPDX-License-Identifier: MIT */
/* proftop dump: every thread's stack once, for a person or a program. */
#include "config.h"

#include "proftop/dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "proftop/code.h"
#include "proftop/gettext.h"
#include "proftop/json_writer.h"
#include "proftop/module.h"
#include "proftop/symbols.h"
#include "proftop/syscall.h"
#include "proftop/target.h"
#include "proftop/text.h"

struct dumped {
    int32_t pid;
    struct target *target;
    struct modules *modules;
    struct codes *codes;
    struct symbols *symbols;
    struct dump *dump;
};

static const char *state_name(char letter)
{
    switch (letter) {
    case 'R':
        return N_("running");
    case 'S':
    case 'I':
        return N_("waiting");
    case 'D':
        return N_("waiting, uninterruptible");
    case 'T':
    case 't':
        return N_("stopped");
    case 'Z':
    case 'X':
        return N_("ended");
    default:
        return N_("unknown");
    }
}

static const char *kind_of(const struct symbol *symbol)
{
    static const char *const names[FRAME_KINDS] = {
        [FRAME_NATIVE] = "native", [FRAME_KERNEL] = "kernel", [FRAME_JIT] = "jit",
        [FRAME_PYTHON] = "python", [FRAME_INLINE] = "inline", [FRAME_MARK] = "mark",
    };

    return names[symbol->kind];
}

/* "lock, in futex"; "" for a thread that runs. */
static const char *reason_text(const struct dump_thread *thread, char *buffer, size_t size_bytes)
{
    const char *syscall = thread->state == 'R' ? NULL : syscall_name(thread->syscall);

    buffer[0] = '\0';
    if (thread->state == 'R')
        return buffer;
    if (thread->reason != WAIT_UNKNOWN)
        snprintf(buffer, size_bytes, "%s", wait_reason_text(thread->reason));
    if (syscall != NULL)
        snprintf(buffer + strlen(buffer), size_bytes - strlen(buffer), _("%sin %s"),
                 buffer[0] != '\0' ? ", " : "", syscall);
    return buffer;
}

/* ---- for a person ---------------------------------------------------------------------------- */

static void print_frame(const struct dumped *dumped, const struct symbol *symbol, uint64_t address)
{
    char name[2048];

    text_fit(name, sizeof(name), symbols_name(dumped->symbols, symbol), 1000, false);
    if (symbol->kind == FRAME_NATIVE || symbol->kind == FRAME_KERNEL || symbol->kind == FRAME_JIT)
        printf("    %16" PRIx64 "  %s", address, name);
    else
        printf("    %16s  %s", symbol->kind == FRAME_INLINE ? "(inlined)" : "", name);
    if (symbol->file[0] != '\0' && symbol->line != 0)
        printf(" (%s:%" PRIu32 ")", text_base_name(symbol->file), symbol->line);
    if (symbol->module[0] != '\0' && symbol->kind != FRAME_PYTHON)
        printf("  %s", symbol->module);
    putchar('\n');
}

static void print_thread(const struct dumped *dumped, const struct dump_thread *thread)
{
    struct symbol chain[SYMBOLS_CHAIN_MAX];
    char name[128], reason[128];

    text_fit(name, sizeof(name), thread->name, 64, false);
    reason_text(thread, reason, sizeof(reason));
    printf("\n%d %s: %s%s%s%s\n", (int)thread->tid, name, _(state_name(thread->state)),
           reason[0] != '\0' ? " (" : "", reason, reason[0] != '\0' ? ")" : "");
    if (thread->gil == GIL_HELD)
        printf("    %s\n", _("holds the GIL"));
    if (thread->trouble != NULL)
        printf(_("    no stack: %s\n"), thread->trouble);
    for (uint32_t i = 0; i < thread->count; i++) {
        size_t count = symbols_full(dumped->symbols, &thread->frames[i], chain, SYMBOLS_CHAIN_MAX);

        for (size_t j = 0; j < count; j++)
            print_frame(dumped, &chain[j], thread->frames[i].address);
    }
}

static void print_text(const struct dumped *dumped)
{
    char command[512];

    text_fit(command, sizeof(command), target_command(dumped->target), 200, false);
    printf(ngettext("%s  pid %d, %zu thread\n", "%s  pid %d, %zu threads\n", dumped->dump->count),
           command, (int)dumped->pid, dumped->dump->count);
    if (dumped->dump->python[0] != '\0')
        printf(_("Python frames are not shown: %s\n"), dumped->dump->python);
    for (size_t i = 0; i < dumped->dump->count; i++)
        print_thread(dumped, &dumped->dump->threads[i]);
}

/* ---- for a program --------------------------------------------------------------------------- */

static void put_frame(struct json *json, const struct dumped *dumped, const struct symbol *symbol,
                      uint64_t address)
{
    char text[32];

    json_object(json, NULL);
    json_string(json, "name", symbols_name(dumped->symbols, symbol));
    json_string(json, "module", symbol->module);
    json_string(json, "file", symbol->file);
    json_unsigned(json, "line", symbol->line);
    json_string(json, "kind", kind_of(symbol));
    snprintf(text, sizeof(text), "0x%" PRIx64, address);
    json_string(json, "address",
                symbol->kind == FRAME_PYTHON || symbol->kind == FRAME_MARK ? NULL : text);
    json_end(json);
}

static void put_thread(struct json *json, const struct dumped *dumped,
                       const struct dump_thread *thread)
{
    struct symbol chain[SYMBOLS_CHAIN_MAX];

    json_object(json, NULL);
    json_integer(json, "tid", thread->tid);
    json_string(json, "name", thread->name);
    json_string(json, "state", state_name(thread->state));
    json_string(json, "reason", thread->state == 'R' ? NULL : wait_reason_name(thread->reason));
    json_string(json, "syscall", syscall_name(thread->syscall));
    json_bool(json, "gil", thread->gil == GIL_HELD);
    json_bool(json, "complete", thread->end == STACK_COMPLETE);
    json_string(json, "trouble", thread->trouble);
    json_array(json, "frames");
    for (uint32_t i = 0; i < thread->count; i++) {
        size_t count = symbols_full(dumped->symbols, &thread->frames[i], chain, SYMBOLS_CHAIN_MAX);

        for (size_t j = 0; j < count; j++)
            put_frame(json, dumped, &chain[j], thread->frames[i].address);
    }
    json_end(json);
    json_end(json);
}

static void print_json(const struct dumped *dumped)
{
    struct json json;

    json_begin(&json, stdout);
    json_object(&json, NULL);
    json_string(&json, "schema", "proftop-dump/1");
    json_integer(&json, "pid", dumped->pid);
    json_string(&json, "command", target_command(dumped->target));
    json_array(&json, "threads");
    for (size_t i = 0; i < dumped->dump->count; i++)
        put_thread(&json, dumped, &dumped->dump->threads[i]);
    json_end(&json);
    json_end(&json);
}

int cli_dump(const struct options *options, struct error *error)
{
    struct target_options wanted = { 0 };
    struct symbols_config config = { .inlines = options->inlines };
    struct dumped dumped = { .pid = options->pids[0] };
    bool json, taken;

    if (!load_text_or_json(options, &json, error))
        return -1;
    dumped.target = target_attach(options->pids, 1, &wanted, error);
    if (dumped.target == NULL)
        return -1;
    dumped.modules = modules_new();
    dumped.codes = codes_new();
    dumped.symbols = symbols_new(&config, dumped.modules, dumped.codes);
    dumped.dump =
        dump_take(dumped.target, dumped.pid, options->python, dumped.modules, dumped.codes, error);
    if (dumped.dump != NULL && json)
        print_json(&dumped);
    else if (dumped.dump != NULL)
        print_text(&dumped);
    taken = dumped.dump != NULL;
    dump_free(dumped.dump);
    symbols_free(dumped.symbols);
    codes_free(dumped.codes);
    modules_free(dumped.modules);
    target_free(dumped.target);
    return taken ? STATUS_OK : -1;
}
