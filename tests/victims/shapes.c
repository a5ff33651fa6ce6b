/* SPDX-License-Identifier: MIT */
/*
 * Stacks of every shape, each with a known chain:  shapes SHAPE
 *
 * The function shape_SHAPE, called by main, gets to pause_here() in its own way.  There the victim
 * writes one byte to standard output and waits for one on standard input, so that a stack can be
 * taken at rest; then it returns all the way and ends.  "steps" is for single-stepping: it does
 * much in a short time and ends with a breakpoint.
 *
 * Built without frame pointers, like what distributions ship.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

enum { ALT_STACK_BYTES = 64 << 10, DEEP = 5000 };

#define APART __attribute__((noinline, noclone))

/* Keeps a call from becoming a jump, and its result from being known. */
static volatile uint64_t sink;

APART void pause_here(void)
{
    char byte = '.';

    if (write(STDOUT_FILENO, &byte, 1) != 1 || read(STDIN_FILENO, &byte, 1) < 0)
        _exit(1);
    sink++;
}

APART void shape_plain(void)
{
    pause_here();
    sink++;
}

/* Its last instruction is a call: what would be returned to is no longer of its caller. */
APART _Noreturn static void never_return(void)
{
    pause_here();
    _exit(0);
}

APART void shape_noreturn(void)
{
    sink++;
    never_return();
}

APART void recurse(int depth)
{
    if (depth == 0)
        pause_here();
    else
        recurse(depth - 1);
    sink++;
}

APART void shape_deep(void)
{
    recurse(DEEP);
    sink++;
}

APART void on_signal(int number)
{
    pause_here();
    sink += (unsigned)number;
}

APART void shape_signal(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sink++;
}

APART void shape_altstack(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
    stack_t stack = { .ss_sp = malloc(ALT_STACK_BYTES), .ss_size = ALT_STACK_BYTES };

    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sink++;
}

APART void on_fault(int number)
{
    pause_here();
    _exit(number != SIGSEGV);
}

/* A fault is a signal at any instruction, not after a system call. */
APART void shape_fault(void)
{
    struct sigaction action = { .sa_handler = on_fault };
    volatile int *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    sigaction(SIGSEGV, &action, NULL);
    *page = 1;
    sink++;
}

APART void shape_alloca(void)
{
    size_t size = (size_t)getpid() % 1000 + 100;
    char *room = alloca(size);

    /* All of it: a frame that the program's start left there looks as right as the real one to
     * whoever does not know the frame pointer. */
    memset(room, 1, size);
    pause_here();
    sink += (unsigned char)room[99];
}

/* An aligned local and a variable one: the compiler realigns the stack (DRAP on x86-64). */
APART void shape_aligned(void)
{
    _Alignas(64) char aligned[64];
    char *room = alloca((size_t)getpid() % 1000 + 100);

    memset(aligned, 1, sizeof(aligned));
    memset(room, 1, 100);
    sink += (uintptr_t)aligned % 64;
    pause_here();
    sink += (unsigned char)aligned[sink % 64] + (unsigned char)room[99];
}

static int compare_pausing(const void *a, const void *b)
{
    static int paused;

    if (!paused++)
        pause_here();
    return *(const int *)a - *(const int *)b;
}

/* Through the C library and back. */
APART void shape_callback(void)
{
    int numbers[] = { 3, 1, 2 };

    qsort(numbers, 3, sizeof(numbers[0]), compare_pausing);
    sink += (unsigned)numbers[0];
}

APART void *thread_main(void *argument)
{
    pause_here();
    return argument;
}

APART void shape_thread(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, thread_main, NULL);
    pthread_join(thread, NULL);
    sink++;
}

/* musl has no coroutines, and its libgcc no exceptions. */
#ifdef __GLIBC__
static ucontext_t back, there;

APART void coroutine_main(void)
{
    pause_here();
    sink++;
}

APART void shape_coroutine(void)
{
    getcontext(&there);
    there.uc_stack.ss_sp = malloc(ALT_STACK_BYTES);
    there.uc_stack.ss_size = ALT_STACK_BYTES;
    there.uc_link = &back;
    makecontext(&there, coroutine_main, 0);
    swapcontext(&back, &there);
    sink++;
}

#endif

/* Assembly that keeps a frame pointer and tells nothing. */
void asm_framed(void (*function)(void));
/* Assembly that keeps nothing and tells nothing. */
void asm_bare(void);
/* Assembly that finds its caller by an expression, or from a register its callees preserve. */
void asm_odd(void);
void asm_kept(void);

#if defined(__x86_64__)
__asm__(".text\n.p2align 4\n.globl asm_framed\n.type asm_framed, @function\nasm_framed:\n"
        "  push %rbp\n  mov %rsp, %rbp\n  sub $64, %rsp\n  call *%rdi\n"
        "  leave\n  ret\n.size asm_framed, .-asm_framed\n");
__asm__(".text\n.p2align 4\n.globl asm_bare\n.type asm_bare, @function\nasm_bare:\n"
        "  sub $40, %rsp\n  call pause_here\n  add $40, %rsp\n  ret\n.size asm_bare, .-asm_bare\n");
/* CFA = rsp + 48 + 0, said by an expression; then CFA = rbx + 16. */
__asm__(".text\n.p2align 4\n.globl asm_odd\n.type asm_odd, @function\nasm_odd:\n"
        "  .cfi_startproc\n  sub $40, %rsp\n  .cfi_escape 0x0f, 4, 0x77, 48, 0x30, 0x22\n"
        "  call pause_here\n  add $40, %rsp\n  .cfi_def_cfa 7, 8\n  ret\n"
        "  .cfi_endproc\n.size asm_odd, .-asm_odd\n");
__asm__(".text\n.p2align 4\n.globl asm_kept\n.type asm_kept, @function\nasm_kept:\n"
        "  .cfi_startproc\n  push %rbx\n  .cfi_adjust_cfa_offset 8\n  .cfi_offset 3, -16\n"
        "  mov %rsp, %rbx\n  .cfi_def_cfa 3, 16\n  and $-64, %rsp\n  call pause_here\n"
        "  mov %rbx, %rsp\n  .cfi_def_cfa 7, 16\n  pop %rbx\n  .cfi_def_cfa 7, 8\n  ret\n"
        "  .cfi_endproc\n.size asm_kept, .-asm_kept\n");
/* CFA = rax + 8, as hand-written code has it that realigns its stack; a fault there if told so. */
void asm_scratch(int fault);
__asm__(".text\n.p2align 4\n.globl asm_scratch\n.type asm_scratch, @function\nasm_scratch:\n"
        "  .cfi_startproc\n  mov %rsp, %rax\n  .cfi_def_cfa_register 0\n"
        "  push %rbx\n  .cfi_offset 3, -16\n  and $-64, %rsp\n  test %edi, %edi\n  jz 1f\n"
        "  ud2\n1: mov -8(%rax), %rbx\n  .cfi_restore 3\n  mov %rax, %rsp\n"
        "  .cfi_def_cfa_register 7\n  ret\n"
        "  .cfi_endproc\n.size asm_scratch, .-asm_scratch\n");
static const uint8_t jit_code[] = {
    0x55,                   /* push %rbp */
    0x48, 0x89, 0xe5,       /* mov %rsp, %rbp */
    0x48, 0x83, 0xec, 0x20, /* sub $32, %rsp */
    0xff, 0xd7,             /* call *%rdi */
    0xc9,                   /* leave */
    0xc3,                   /* ret */
};
#define BREAKPOINT() __asm__ volatile("int3")
#elif defined(__aarch64__)
__asm__(".text\n.p2align 4\n.globl asm_framed\n.type asm_framed, %function\nasm_framed:\n"
        "  stp x29, x30, [sp, #-64]!\n  mov x29, sp\n  blr x0\n"
        "  ldp x29, x30, [sp], #64\n  ret\n.size asm_framed, .-asm_framed\n");
__asm__(".text\n.p2align 4\n.globl asm_bare\n.type asm_bare, %function\nasm_bare:\n"
        "  str x30, [sp, #-32]!\n  bl pause_here\n  ldr x30, [sp], #32\n  ret\n"
        ".size asm_bare, .-asm_bare\n");
/* CFA = sp + 32 + 0, said by an expression; then CFA = x19 + 32. */
__asm__(".text\n.p2align 4\n.globl asm_odd\n.type asm_odd, %function\nasm_odd:\n"
        "  .cfi_startproc\n  str x30, [sp, #-32]!\n  .cfi_offset 30, -32\n"
        "  .cfi_escape 0x0f, 4, 0x8f, 32, 0x30, 0x22\n  bl pause_here\n"
        "  ldr x30, [sp], #32\n  .cfi_restore 30\n  .cfi_def_cfa 31, 0\n  ret\n"
        "  .cfi_endproc\n.size asm_odd, .-asm_odd\n");
__asm__(".text\n.p2align 4\n.globl asm_kept\n.type asm_kept, %function\nasm_kept:\n"
        "  .cfi_startproc\n  stp x30, x19, [sp, #-32]!\n  .cfi_def_cfa_offset 32\n"
        "  .cfi_offset 30, -32\n  .cfi_offset 19, -24\n  mov x19, sp\n  .cfi_def_cfa 19, 32\n"
        "  bl pause_here\n  mov sp, x19\n  .cfi_def_cfa 31, 32\n"
        "  ldp x30, x19, [sp], #32\n  .cfi_def_cfa_offset 0\n  ret\n"
        "  .cfi_endproc\n.size asm_kept, .-asm_kept\n");
static const uint32_t jit_code[] = {
    0xa9be7bfd, /* stp x29, x30, [sp, #-32]! */
    0x910003fd, /* mov x29, sp */
    0xd63f0000, /* blr x0 */
    0xa8c27bfd, /* ldp x29, x30, [sp], #32 */
    0xd65f03c0, /* ret */
};
#define BREAKPOINT() __asm__ volatile("brk #0")
#endif

APART void shape_assembly(void)
{
    asm_framed(pause_here);
    sink++;
}

APART void shape_bare(void)
{
    asm_bare();
    sink++;
}

APART void shape_odd(void)
{
    asm_odd();
    sink++;
}

APART void shape_kept(void)
{
    asm_kept();
    sink++;
}

#ifdef __x86_64__
APART void shape_scratch(void)
{
    struct sigaction action = { .sa_handler = on_fault };

    sigaction(SIGILL, &action, NULL);
    asm_scratch(1);
    sink++;
}
#endif

APART void shape_jit(void)
{
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memcpy(code, jit_code, sizeof(jit_code));
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    __builtin___clear_cache(code, (char *)code + sizeof(jit_code));
    ((void (*)(void (*)(void)))(uintptr_t)code)(pause_here);
    sink++;
}

/* Jumps to where nothing is; the handler waits. */
APART void shape_nowhere(void)
{
    struct sigaction action = { .sa_handler = on_fault };
    void (*volatile nowhere)(void) = (void (*)(void))16;

    sigaction(SIGSEGV, &action, NULL);
    nowhere();
    sink++;
}

#ifdef __GLIBC__
static void clean_up(int *value)
{
    sink += (unsigned)*value;
}

static struct _Unwind_Exception exception;

/* An exception that nobody takes: the search walks the whole stack and comes back. */
APART void throw_nothing(void)
{
    int value __attribute__((cleanup(clean_up), unused)) = 1;

    exception.exception_class = 1;
    sink += (unsigned)_Unwind_RaiseException(&exception);
}

#else
static void throw_nothing(void)
{
}
#endif

static int compare_numbers(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void count_signal(int number)
{
    sink += (unsigned)number;
}

/* First calls through the PLT, the vdso, a callback, a signal, a realigned stack, an exception. */
APART void work(void)
{
    int numbers[] = { 5, 3, 1, 4, 2 };
    struct sigaction action = { .sa_handler = count_signal };
    struct timespec now;
    char text[64];

    qsort(numbers, 5, sizeof(numbers[0]), compare_numbers);
    clock_gettime(CLOCK_MONOTONIC, &now);
    sink += (unsigned)snprintf(text, sizeof(text), "%d %s %.3f", numbers[0], "text", 1.5);
    sink += strtoul(text, NULL, 10);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    throw_nothing();
    free(malloc(100));
#ifdef __x86_64__
    asm_scratch(0);
#endif
    sink++;
}

APART void shape_steps(void)
{
    pause_here();
    work();
    BREAKPOINT();
    sink++;
}

static const struct {
    const char *name;
    void (*run)(void);
} shapes[] = {
    { "plain", shape_plain },         { "deep", shape_deep },         { "signal", shape_signal },
    { "altstack", shape_altstack },   { "fault", shape_fault },       { "alloca", shape_alloca },
    { "aligned", shape_aligned },     { "callback", shape_callback }, { "thread", shape_thread },
#ifdef __GLIBC__
    { "coroutine", shape_coroutine },
#endif
    { "assembly", shape_assembly },   { "bare", shape_bare },         { "odd", shape_odd },
    { "kept", shape_kept },           { "jit", shape_jit },           { "nowhere", shape_nowhere },
    { "steps", shape_steps },         { "noreturn", shape_noreturn },
#ifdef __x86_64__
    { "scratch", shape_scratch },
#endif
};

int main(int argc, char **argv)
{
    for (unsigned i = 0; argc == 2 && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (strcmp(argv[1], shapes[i].name) == 0) {
            shapes[i].run();
            sink++;
            return 0;
        }
    }
    return 2;
}
