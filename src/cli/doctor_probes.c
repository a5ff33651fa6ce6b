/* SPDX-License-Identifier: MIT */
/* The questions of "proftop doctor", and those that the kernel's rights do not decide. */
#include "config.h"

#include "doctor.h"

#include <dlfcn.h>
#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/cgroup.h"
#include "proftop/code.h"
#include "proftop/gettext.h"
#include "proftop/maps.h"
#include "proftop/module.h"
#include "proftop/proc.h"
#include "proftop/python.h"
#include "proftop/symbols.h"

bool finding_set(struct finding *finding, bool works, const char *why, const char *fix)
{
    finding->works = works;
    snprintf(finding->why, sizeof(finding->why), "%s", why);
    snprintf(finding->fix, sizeof(finding->fix), "%s", fix);
    return works;
}

/* ---- the process asked about ----------------------------------------------------------------- */

static void probe_maps(int32_t pid, struct finding *finding)
{
    struct modules *modules = modules_new();
    struct error error = { 0 };
    struct maps *maps = maps_read("/proc", pid, 0, modules, &error);

    finding_set(finding, maps != NULL, error.message, error.hint);
    maps_unref(maps);
    modules_free(modules);
}

static void open_python(const struct maps *maps, struct codes *codes, struct finding *finding)
{
    struct error error = { 0 };
    struct python *python;

    if (!python_suspected(maps)) {
        finding_set(finding, false, _("the process runs no Python interpreter"), "");
        return;
    }
    python = python_open("/proc", maps, codes, &error);
    if (python == NULL) {
        finding_set(finding, false, error.message, error.hint);
        return;
    }
    finding->works = true;
    snprintf(finding->why, sizeof(finding->why), _("Python %s"), python_version(python));
    python_close(python);
}

static void probe_python(int32_t pid, struct finding *finding)
{
    struct modules *modules = modules_new();
    struct codes *codes = codes_new();
    struct error error = { 0 };
    struct maps *maps = maps_read("/proc", pid, 0, modules, &error);

    if (maps != NULL)
        open_python(maps, codes, finding);
    else
        finding_set(finding, false, error.message, error.hint);
    maps_unref(maps);
    codes_free(codes);
    modules_free(modules);
}

/* Modules whose names are poor, the first of them in words. */
static void probe_names(int32_t pid, struct finding *finding)
{
    struct symbols_config config = { 0 };
    struct modules *modules = modules_new();
    struct symbols *symbols = symbols_new(&config, modules, NULL);
    struct error error = { 0 };
    struct maps *maps = maps_read("/proc", pid, 0, modules, &error);

    finding_set(finding, maps != NULL, error.message, error.hint);
    for (module_id i = 1; i < modules_count(modules) && maps != NULL; i++) {
        const struct module *module = modules_get(modules, i);
        struct frame frame = { .module = i, .kind = FRAME_NATIVE, .address = 0 };
        struct symbol symbol;
        const char *trouble;

        symbols_fast(symbols, &frame, &symbol);
        trouble = symbols_trouble(symbols, i);
        if (trouble == NULL)
            continue;
        finding->works = false;
        snprintf(finding->why, sizeof(finding->why), "%s: %s", module->name, trouble);
        snprintf(finding->fix, sizeof(finding->fix), "%s",
                 _("install its debug symbols, or give --debuginfod"));
        break;
    }
    symbols_free(symbols);
    maps_unref(maps);
    modules_free(modules);
}

/* ---- the machine ----------------------------------------------------------------------------- */

static void probe_debug_files(int32_t pid, struct finding *finding)
{
    struct stat status;

    (void)pid;
    if (stat("/usr/lib/debug/.build-id", &status) == 0)
        finding->works = true;
    else
        finding_set(finding, false, _("/usr/lib/debug/.build-id is not there"),
                    _("install the debug packages (-dbgsym, -debuginfo) of what you look at; names "
                      "from symbol tables need none"));
}

static void probe_debuginfod(int32_t pid, struct finding *finding)
{
    const char *urls = getenv("DEBUGINFOD_URLS");
    void *library = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);

    (void)pid;
    if (library == NULL)
        finding_set(finding, false, _("libdebuginfod is not installed"),
                    _("install libdebuginfod1 (Debian) or elfutils-debuginfod-client"));
    else if (urls == NULL || *urls == '\0')
        finding_set(finding, false, _("DEBUGINFOD_URLS names no server"),
                    _("export DEBUGINFOD_URLS=https://debuginfod.elfutils.org/"));
    else
        finding_set(finding, true, _("used only with --debuginfod"), "");
    if (library != NULL)
        dlclose(library);
}

static void probe_cgroup(int32_t pid, struct finding *finding)
{
    struct cgroup cgroup;

    memset(&cgroup, 0, sizeof(cgroup));
    if (!cgroup_find("/proc", "", pid != 0 ? pid : getpid(), &cgroup))
        finding_set(finding, false, _("no control group can be seen from here"), "");
    else
        finding_set(finding, true,
                    cgroup.cpu.version == CGROUP_V2 || cgroup.memory.version == CGROUP_V2
                        ? _("version 2")
                        : _("version 1"),
                    "");
}

static void probe_pressure(int32_t pid, struct finding *finding)
{
    FILE *stream = fopen("/proc/pressure/cpu", "r");
    char line[128];

    (void)pid;
    finding->works = stream != NULL && fgets(line, sizeof(line), stream) != NULL;
    if (!finding->works)
        finding_set(finding, false, _("/proc/pressure can't be read"),
                    _("a kernel with CONFIG_PSI, booted with psi=1"));
    if (stream != NULL)
        fclose(stream);
}

static void probe_statistics(int32_t pid, struct finding *finding)
{
    static const char *const files[] = { "/proc/stat", "/proc/meminfo", "/proc/vmstat",
                                         "/proc/diskstats", "/proc/net/dev" };

    (void)pid;
    finding->works = true;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        FILE *stream = fopen(files[i], "r");
        int byte = stream != NULL ? getc(stream) : EOF;

        if (stream != NULL)
            fclose(stream);
        if (byte == EOF) {
            finding->works = false;
            snprintf(finding->why, sizeof(finding->why), _("%s can't be read"), files[i]);
        }
    }
}

/* ---- the terminal ---------------------------------------------------------------------------- */

static void probe_utf8(int32_t pid, struct finding *finding)
{
    const char *codeset = nl_langinfo(CODESET);

    (void)pid;
    finding->works = strcmp(codeset, "UTF-8") == 0;
    if (!finding->works) {
        snprintf(finding->why, sizeof(finding->why), _("the locale's character set is %s"),
                 codeset);
        snprintf(finding->fix, sizeof(finding->fix), "%s",
                 _("export LC_ALL=C.UTF-8 (until then screens are drawn in ASCII)"));
    }
}

static const char *terminal_name(void)
{
    const char *name = getenv("TERM");

    return name != NULL && *name != '\0' ? name : "dumb";
}

static void probe_terminal(int32_t pid, struct finding *finding)
{
    (void)pid;
    if (!isatty(STDOUT_FILENO))
        finding_set(finding, false, _("standard output is no terminal here"),
                    _("record and report need none"));
    else if (strcmp(terminal_name(), "dumb") == 0)
        finding_set(finding, false, _("TERM says that the terminal can do nothing"),
                    _("export TERM=xterm-256color, or what your terminal is"));
    else
        finding_set(finding, true, terminal_name(), "");
}

static void probe_colors(int32_t pid, struct finding *finding)
{
    const char *name = terminal_name(), *more = getenv("COLORTERM");

    (void)pid;
    if (strstr(name, "256color") != NULL || strstr(name, "direct") != NULL ||
        (more != NULL && *more != '\0'))
        finding->works = true;
    else
        finding_set(finding, false, _("TERM promises fewer"),
                    _("export TERM=xterm-256color, if the terminal can"));
}

static void probe_mouse(int32_t pid, struct finding *finding)
{
    const char *name = terminal_name();

    (void)pid;
    if (strcmp(name, "dumb") == 0 || strcmp(name, "linux") == 0 || strncmp(name, "vt", 2) == 0)
        finding_set(finding, false, _("this kind of terminal reports no mouse"), "");
    else
        finding->works = true;
}

/* ---- the table ------------------------------------------------------------------------------- */

const struct ability doctor_abilities[] = {
    { "process_maps", N_("read the process's mappings"), probe_maps, true },
    { "perf_user", N_("sample with perf events, user code"), probe_perf_user, false },
    { "perf_kernel", N_("… and kernel code"), probe_perf_kernel, false },
    { "perf_system_wide", N_("… of the whole machine: no thread is missed"), probe_perf_system,
      false },
    { "perf_memory", N_("memory for the events' rings"), probe_perf_memory, false },
    { "hardware_counters", N_("cycles, instructions, cache misses"), probe_counters, false },
    { "ptrace", N_("sample with ptrace: Python, where perf can't"), probe_ptrace, false },
    { "waiting", N_("stacks of waiting threads, without a stop"), probe_peek, false },
    { "kernel_names", N_("names of kernel functions"), probe_kernel_names, false },
    { "names", N_("names of the process's functions"), probe_names, true },
    { "python", N_("Python frames of the process"), probe_python, true },
    { "debug_files", N_("separate debug files"), probe_debug_files, false },
    { "debuginfod", N_("fetching debug files"), probe_debuginfod, false },
    { "statistics", N_("figures of the machine"), probe_statistics, false },
    { "cgroup", N_("figures of the control group"), probe_cgroup, false },
    { "pressure", N_("pressure (PSI)"), probe_pressure, false },
    { "terminal", N_("a terminal for the screens"), probe_terminal, false },
    { "utf8", N_("UTF-8"), probe_utf8, false },
    { "colors", N_("256 colours"), probe_colors, false },
    { "mouse", N_("the mouse"), probe_mouse, false },
};

const unsigned doctor_ability_count = sizeof(doctor_abilities) / sizeof(doctor_abilities[0]);
